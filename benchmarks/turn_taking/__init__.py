"""The cases of benchmarks.agent: sounds, sessions and what is measured of them."""

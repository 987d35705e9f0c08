"""Benchmarks of the voices: the style tables of Kokoro."""

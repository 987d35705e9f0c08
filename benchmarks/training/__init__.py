"""Benchmarks of preparing and training: much data, terms to learn, time of the recipes' smoke runs."""

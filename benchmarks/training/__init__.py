"""Benchmarks of preparing and training: time and memory of much data, time of the recipes' smoke runs."""

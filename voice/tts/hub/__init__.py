"""Voices that torch runs: networks of transformers and of speechbrain."""

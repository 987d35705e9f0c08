"""Tune a recognizer to transcripts without losing what it knew: `python -m recipes.asr.tuning.train`."""

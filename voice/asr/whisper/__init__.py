"""Whisper: tokenizer, windows, decoding, confidence and word timestamps."""

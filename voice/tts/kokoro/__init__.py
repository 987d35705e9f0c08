"""Kokoro-82M: the engine, its graphs without weights, and the style tables of its 54 voices."""

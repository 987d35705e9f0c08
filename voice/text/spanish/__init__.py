"""Spanish: sounds of Castile, on which Kokoro's Spanish voices were trained, words of all its countries."""

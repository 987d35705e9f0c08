"""The CTC head: its alphabet, forced alignment, keyword spotting, hotwords and grammars."""

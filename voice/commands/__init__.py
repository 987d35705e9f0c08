"""Spoken commands: intents in a file, found in the letters that a recognizer computes."""

from voice.commands.understanding import Commands, Understanding

__all__ = ["Commands", "Understanding"]

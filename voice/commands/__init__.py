"""Spoken commands: a file of intents, the recognizer's letters, and what was asked for."""

from voice.commands.understanding import Commands, Understanding

__all__ = ["Commands", "Understanding"]

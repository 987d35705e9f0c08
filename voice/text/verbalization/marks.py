"""The punctuation of a word, as every language's `pronounce` keeps it beside the phonemes."""

from __future__ import annotations

import re

from voice.text.alphabet import PUNCTUATION

_ANY_MARK = "".join(PUNCTUATION)
PHRASE_END = re.compile(r"[,.;:!?…—()“”\"]$")  # after such a mark nothing of the word before is heard
SPOKEN_PART = re.compile(r"[^\W\d_]+")


def opening_marks(word: str) -> str:
    """Return the marks before a word that a voice takes."""
    return "".join(mark for mark in word[: len(word) - len(word.lstrip(_ANY_MARK))] if mark in "(“")


def closing_marks(word: str) -> str:
    """Return the marks after a word; none where there is no word."""
    kept = word.rstrip(_ANY_MARK)
    return word[len(kept) :].replace('"', "") if kept else ""


def letters_of(word: str) -> str:
    """Return the letters of a word, in small ones."""
    return "".join(SPOKEN_PART.findall(word.lower()))

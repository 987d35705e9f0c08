"""Transcripts as a vocabulary of letters can write them: its case, its characters, figures in words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from voice.asr.ctc.emissions import DELIMITERS, WORD
from voice.text.english.normalization import normalize

BLANK, UNKNOWN, DELIMITER = "<pad>", "<unk>", "|"
VOCABULARY = "vocab.json"
_APART = "-–—/"  # characters that stand for a space where the vocabulary has none of them


@dataclass(frozen=True)
class Writing:
    """The `characters` that a vocabulary has, the space aside, and the case that it writes in."""

    characters: frozenset[str]
    case: Literal["upper", "lower", "both"]

    @classmethod
    def of(cls, pieces: Iterable[str]) -> Writing:
        """Return how the pieces of a vocabulary write; special ones as <s> or [UNK] are no text."""
        plain = [each for each in pieces if not (each[:1] + each[-1:] in ("<>", "[]") and len(each) > 2)]
        characters = frozenset("".join(plain)) - {*DELIMITERS, WORD}
        upper = any(each.isupper() for each in characters)
        lower = any(each.islower() for each in characters)
        return cls(characters, "both" if upper == lower else "upper" if upper else "lower")

    def write(self, text: str) -> str:
        """Return a text in these characters, words apart by one space; others are left out."""
        has_figures = any(each.isdigit() for each in text)
        if has_figures and not any(each.isdigit() for each in self.characters):
            text = normalize(text).text
        if self.case != "both":
            text = text.upper() if self.case == "upper" else text.lower()
        return " ".join("".join(self._keep_character(each) for each in text).split())

    def _keep_character(self, character: str) -> str:
        """Return a character as it is written: itself, a space, or nothing."""
        if character in self.characters:
            return character
        return " " if character.isspace() or character in _APART else ""


def write_vocabulary(folder: Path, texts: Iterable[str]) -> Path:
    """Write a vocabulary of the letters of texts in lower case, as transformers reads it; returns its file.

    Figures are put into words, marks are left out but for the apostrophe.
    """
    written = {
        each for text in texts for each in normalize(text).text.lower() if each.isalpha() or each == "'"
    }
    pieces = [BLANK, UNKNOWN, DELIMITER, *sorted(written)]
    path = folder / VOCABULARY
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({piece: index for index, piece in enumerate(pieces)}, ensure_ascii=False), "utf-8"
    )
    return path

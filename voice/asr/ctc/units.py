"""The units that a CTC model writes: characters or pieces of words, as `units.json` lists them.

Label 0 is CTC's blank; label n is unit n - 1. A unit that begins a word begins with "▁", as sentencepiece
writes it; a model of characters has "▁" alone for the space.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice.asr.ctc.alphabet import BLANK
from voice.errors import ModelDamaged, ModelMissing

UNITS_FILE = "units.json"
WORD_START = "▁"  # sentencepiece's U+2581
MOST_UNITS = 100_000


@dataclass(frozen=True)
class WrittenWord:
    """A word, and which labels [first, last) of a hypothesis it is written by."""

    text: str
    first: int
    last: int


@dataclass(frozen=True)
class Units:
    """The units by their labels; `units[label - 1]` is the text of a label."""

    units: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path) -> Units:
        """Read the units of a model. Raises ModelMissing or ModelDamaged."""
        path = folder / UNITS_FILE
        if not path.is_file():
            raise ModelMissing(f"{path} is missing; export the model again")
        try:
            units = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ModelDamaged(f"{path} cannot be read ({error}); export the model again") from error
        whole = isinstance(units, list) and 0 < len(units) <= MOST_UNITS
        if not whole or not all(isinstance(unit, str) and unit for unit in units):
            raise ModelDamaged(f"{path} is no list of 1 to {MOST_UNITS:,} texts; export the model again")
        return cls(tuple(units))

    def write(self, folder: Path) -> None:
        """Write `units.json`."""
        (folder / UNITS_FILE).write_text(json.dumps(self.units, ensure_ascii=False) + "\n", "utf-8")

    @property
    def classes(self) -> int:
        """Return the number of labels, the blank included."""
        return 1 + len(self.units)

    def starts_word(self, label: int) -> bool:
        """Tell whether a label begins a word."""
        return self.units[label - 1].startswith(WORD_START)

    def text(self, label: int) -> str:
        """Return what a label adds to its word."""
        return self.units[label - 1].removeprefix(WORD_START)

    def words(self, labels: Sequence[int]) -> list[WrittenWord]:
        """Return the words of labels without blanks; "▁" alone belongs to no word."""
        found: list[WrittenWord] = []
        begun: int | None = None
        for place, label in enumerate([*labels, BLANK]):
            if begun is not None and (label == BLANK or self.starts_word(label)):
                text = "".join(self.text(each) for each in labels[begun:place])
                found += [WrittenWord(text, begun, place)] if text else []
                begun = None
            if label != BLANK and begun is None:
                begun = place + (self.units[label - 1] == WORD_START)
        return found

    def join(self, labels: Sequence[int]) -> str:
        """Return the text of labels without blanks, words apart by one space."""
        return " ".join(word.text for word in self.words(labels))


def greedy_labels(log_probs: np.ndarray) -> list[int]:
    """Return the likeliest label of each frame of (F, C), without repeats and blanks."""
    best = log_probs.argmax(axis=1)
    fresh = np.concatenate(([True], best[1:] != best[:-1]))[: len(best)]
    labels: list[int] = best[fresh & (best != BLANK)].tolist()
    return labels

"""Praat's TextGrids beside a recording, long and short: tiers of intervals with a text each.

https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html. Tiers of sentences are taken as they are,
each for one speaker if there are several; where there is only one of words, as forced aligners write it,
words are joined over short pauses. Tiers of phones and of points are not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from data.forms.timed.stretches import Beside, Stretch, check_stretches, join
from data.reading import read_lines
from voice.errors import ManifestError

NAME = "TextGrid"
ENDING = ".textgrid"
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<![\w.\[])(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w\]])')
_FINE = re.compile(r"phon|segment|syll|pitch|tone|point", re.IGNORECASE)
_WORDS = re.compile(r"word", re.IGNORECASE)
_SILENCE = {"", "sil", "sp", "spn", "<eps>", "<sil>", "pause", "#"}
_PAUSE = 0.3  # seconds between words that are joined
_LONGEST = 15.0  # seconds of joined words


@dataclass(frozen=True)
class _Tier:
    name: str
    intervals: tuple[Stretch, ...]


def read(path: Path) -> Beside:
    """Return what a TextGrid says and when. Raises ManifestError where it cannot be read."""
    try:
        tiers = list(_tiers(path))
    except (ValueError, StopIteration, RuntimeError) as error:
        raise ManifestError(
            f"{path} cannot be read as a TextGrid; save it from Praat as a text file"
        ) from error
    sentences = [tier for tier in tiers if not _FINE.search(tier.name) and not _WORDS.search(tier.name)]
    words = [tier for tier in tiers if _WORDS.search(tier.name)]
    if sentences:
        several = len(sentences) > 1
        found = [
            replace(each, speaker=t.name if several else None) for t in sentences for each in t.intervals
        ]
    elif words:
        found = list(join(words[0].intervals, _LONGEST, _PAUSE))
    else:
        raise ManifestError(
            f"{path} has no tier of sentences or words; its tiers are {[t.name for t in tiers]}"
        )
    return check_stretches(path, found)


def _tiers(path: Path) -> Iterator[_Tier]:
    """Yield the tiers of intervals. Raises ValueError or StopIteration where the file is another."""
    tokens = _TOKEN.finditer("\n".join(read_lines(path)))

    def text() -> str:
        value = next(tokens)[1]
        if value is None:
            raise ValueError("a number where a text belongs")
        return value.replace('""', '"')

    def number() -> float:
        value = next(tokens)[2]
        if value is None:
            raise ValueError("a text where a number belongs")
        return float(value)

    if text() != "ooTextFile" or text() != "TextGrid":
        raise ValueError("another file of Praat's")
    number(), number()
    for _ in range(int(number())):
        kind, name = text(), text()
        number(), number()
        count = int(number())
        if kind == "IntervalTier":
            spans = [(number(), number(), text()) for _ in range(count)]
            spoken = [Stretch(*span) for span in spans if span[2].strip().lower() not in _SILENCE]
            yield _Tier(name, tuple(spoken))
        else:
            for _ in range(count):
                number(), text()

"""Audacity's labels beside a recording: `start<tab>end<tab>text` a line, in seconds (.txt).

https://manual.audacityteam.org/man/importing_and_exporting_labels.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data.forms.timed.stretches import Beside, Stretch, check_stretches
from data.reading import read_lines
from voice.errors import ManifestError

NAME = "labels"
_LINE = re.compile(r"^\s*(-?\d+(?:[.,]\d+)?)\t(-?\d+(?:[.,]\d+)?)(?:\t(.*))?$")
_FREQUENCIES = re.compile(r"^\\\t")  # of a label of a part of the spectrum, a line of its own


def are_labels(path: Path) -> bool:
    """Tell whether a text file begins as labels do."""
    try:
        return bool(_LINE.match(next(read_lines(path), "")))
    except ManifestError:
        return False


def read(path: Path) -> Beside:
    """Return what the labels say and when. Raises ManifestError for a line that is no label."""
    return check_stretches(path, _stretches(path))


def _stretches(path: Path) -> Iterator[Stretch]:
    for number, line in enumerate(read_lines(path), 1):
        if _FREQUENCIES.match(line):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ManifestError(f"{path}, line {number} is not `start<tab>end<tab>text`: {line[:60]!r}")
        start, end = (float(match[place].replace(",", ".")) for place in (1, 2))
        yield Stretch(start, end, (match[3] or "").strip())

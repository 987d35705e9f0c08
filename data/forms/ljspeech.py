"""LJ Speech: 24 hours of one voice, Linda Johnson, reading non-fiction, at 22.05 kHz.

13,100 clips of LibriVox recordings, cut and transcribed by Keith Ito (2017);
https://keithito.com/LJ-Speech-Dataset. Rights: public domain in the United States, audio and texts.

Only the corpus itself is read here; other data sets in its form are tables like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data.reading import read_lines
from data.rows import Fault, Found, Row

NAME = "LJ Speech"
TABLE = "metadata.csv"
_FIRST = re.compile(r"LJ\d{3}-\d{4}\|")


def recognizes(source: Path) -> bool:
    """Tell whether a folder has the table of the corpus, known by how its clips are called."""
    table = source / TABLE
    return table.is_file() and bool(_FIRST.match(next(read_lines(table), "")))


def rows(source: Path) -> Iterator[Found]:
    """Yield the clips that metadata.csv lists: id | as written | numbers written out."""
    for number, line in enumerate(read_lines(source / TABLE), 1):
        name, *texts = line.split("|")  # never quoted
        if not 1 <= len(texts) <= 2:
            yield Fault(f"{TABLE}, row {number}", f"{len(texts) + 1} fields where 2 or 3 belong")
            continue
        extra = {"text_normalized": texts[1]} if len(texts) == 2 else {}
        audio = source / "wavs" / f"{name}.wav"
        yield Row(f"ljspeech-{name}", audio, texts[0], "ljspeech", "en", extra=extra)

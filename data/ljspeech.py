"""LJ Speech: 24 hours of one voice, Linda Johnson, reading non-fiction, at 22.05 kHz.

13,100 clips of LibriVox recordings, cut and transcribed by Keith Ito (2017);
https://keithito.com/LJ-Speech-Dataset. Rights: public domain in the United States, audio and texts.

    python -m data.ljspeech LJSpeech-1.1 OUT

The corpus has no splits: a twentieth of the sentences each, at most 100, goes to dev and test.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.preparing import Fault, Row, command, finish, lines
from voice.manifest import Clip


def prepare_ljspeech(source: Path, out: Path) -> list[Clip]:
    """Write the manifests of the clips that metadata.csv lists. Raises ManifestError."""
    return finish(_rows(source), out)


def _rows(source: Path) -> Iterator[Row | Fault]:
    """Yield a row for each line of metadata.csv, or the fault of that line."""
    for number, line in enumerate(lines(source / "metadata.csv"), 1):
        name, *texts = line.rstrip("\r").split("|")  # id|as written|numbers written out; never quoted
        if not 1 <= len(texts) <= 2:
            yield Fault(f"metadata.csv, row {number}", f"{len(texts) + 1} fields where 2 or 3 belong")
            continue
        extra = {"text_normalized": texts[1]} if len(texts) == 2 else {}
        audio = source / "wavs" / f"{name}.wav"
        yield Row(f"ljspeech-{name}", audio, texts[0], "ljspeech", extra=extra)


if __name__ == "__main__":
    command(prepare_ljspeech, __doc__)

"""LibriSpeech: 1,000 hours of English audiobooks at 16 kHz, 2,484 readers, transcripts in capitals.

From LibriVox recordings, aligned and cut by Vassil Panayotov, Guoguo Chen, Daniel Povey and
Sanjeev Khudanpur (2015); https://www.openslr.org/12. Rights: CC BY 4.0 (name the authors).
LibriTTS unpacks to other files and is not read here.

    python -m data.librispeech LibriSpeech OUT

SOURCE is the unpacked folder, with any of its subsets (train-clean-100, test-other, …), or one
subset; each becomes a manifest of its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.preparing import Fault, Row, command, finish, lines
from voice.manifest import Clip


def prepare_librispeech(source: Path, out: Path) -> list[Clip]:
    """Write the manifests of all subsets in `source`; returns the clips. Raises ManifestError."""
    return finish(_rows(source), out)


def _rows(source: Path) -> Iterator[Row | Fault]:
    """Yield a row for each line of all transcripts, or the fault of that line."""
    genders = _genders(source)
    for transcript in sorted(source.rglob("*.trans.txt")):
        subset = transcript.absolute().parents[2].name  # subset/speaker/chapter/*.trans.txt
        for line in lines(transcript):
            yield _row(transcript.parent, line, subset, genders)


def _row(folder: Path, line: str, subset: str, genders: dict[str, str]) -> Row | Fault:
    """Make a row of a transcript's line, or say why there is none."""
    name, _, text = line.strip().partition(" ")
    speaker = name.split("-")[0]
    if not text or name.count("-") != 2:
        return Fault(f"{folder}: {line!r}", "not an id and its text")
    extra = {"subset": subset} | ({"gender": genders[speaker]} if speaker in genders else {})
    return Row(f"librispeech-{name}", folder / f"{name}.flac", text, speaker, split=subset, extra=extra)


def _genders(source: Path) -> dict[str, str]:
    """Speaker → m or f, from SPEAKERS.TXT: `14 | F | train-clean-360 | 25.03 | name`."""
    table = next((p for p in (source / "SPEAKERS.TXT", source.parent / "SPEAKERS.TXT") if p.exists()), None)
    rows = (line.split("|") for line in lines(table) if not line.startswith(";")) if table else ()
    return {row[0].strip(): row[1].strip().lower() for row in rows if len(row) > 1}


if __name__ == "__main__":
    command(prepare_librispeech, __doc__)

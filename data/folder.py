"""Your own recordings: a folder of audio with a .txt of the same name each, or a table that lists them.

The rights are yours to know: record consent, and keep what you may not pass on out of what you publish.

    python -m data.folder recordings OUT
    python -m data.folder recordings/metadata.csv OUT

Any format that FFmpeg reads will do. Audio without a .txt gets no transcript (null), which is
enough for training on a model's own output. In a folder, a recording's speaker is the subfolder it
is in. A table is comma, semicolon, tab or | separated; its header names the columns `audio` (or
file, path, filename, wav), `text` (transcript, sentence, transcription), and if there are any
`speaker`, `language`, `id`; without a header they are audio and text. Audio paths count from the
table. Where SOURCE is a folder with a metadata.csv, that is read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from data.preparing import Fault, Row, command, finish, lines
from voice.errors import ManifestError
from voice.manifest import Clip

AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".oga", ".m4a", ".aac", ".wma", ".aiff", ".aif", ".webm",
         ".mp4", ".mkv", ".mov", ".amr"}  # fmt: skip
SAME = {
    "audio": ("audio", "file", "path", "filename", "file_name", "wav"),
    "text": ("text", "transcript", "sentence", "transcription"),
    "speaker": ("speaker", "speaker_id", "client_id"),
    "language": ("language", "locale", "lang"),
    "id": ("id",),
}


def prepare_folder(source: Path, out: Path) -> list[Clip]:
    """Write the manifests of a folder's recordings or of a table's. Raises ManifestError."""
    if not source.exists():
        raise ManifestError(f"{source} does not exist: give a folder of recordings, or a table of them")
    table = source if source.is_file() else source / "metadata.csv"
    return finish(_table_rows(table) if table.exists() else _pair_files(source), out)


def _pair_files(source: Path) -> Iterator[Row | Fault]:
    """Yield a row for each recording below `source`, with the text file beside it if there is one."""
    for audio in sorted(p for p in source.rglob("*") if p.suffix.lower() in AUDIO):
        place = audio.relative_to(source)
        transcript = audio.with_suffix(".txt")
        try:
            text = " ".join(" ".join(lines(transcript)).split()) if transcript.exists() else None
        except ManifestError as error:
            yield Fault(str(place), str(error))
            continue
        speaker = place.parts[0] if len(place.parts) > 1 else None
        yield Row(place.as_posix(), audio, text, speaker, language=None)


def _table_rows(table: Path) -> Iterator[Row | Fault]:
    """Yield a row for each line of a CSV table, or the fault of that line."""
    content = lines(table)
    mark = next((mark for mark in "|\t;" if content and mark in content[0]), ",")
    quoting: Literal[0, 3] = csv.QUOTE_NONE if mark in "\t|" else csv.QUOTE_MINIMAL
    rows = list(csv.reader((line + "\n" for line in content), delimiter=mark, quoting=quoting))
    columns = _columns(rows[0]) if rows else {}
    for number, values in enumerate(rows[1:] if columns else rows, 2 if columns else 1):
        yield _row(table, number, values, columns or {"audio": 0, "text": 1})


def _columns(header: list[str]) -> dict[str, int]:
    """Column name → place; empty where the first row is no header."""
    names = [name.strip().lower() for name in header]
    places: dict[str, int] = {}
    for ours, theirs in SAME.items():
        known = [name for name in theirs if name in names]
        places |= {ours: names.index(known[0])} if known else {}
    return places if "audio" in places else {}


def _row(table: Path, number: int, values: list[str], columns: dict[str, int]) -> Row | Fault:
    """Make a row of a line's values, or say why there is none."""
    found = {name: values[place].strip() for name, place in columns.items() if place < len(values)}
    if not found.get("audio"):
        return Fault(f"{table}, row {number}", "it names no audio file")
    if "text" in columns and "text" not in found:
        return Fault(f"{table}, row {number}", "it has fewer columns than the table")
    return Row(
        id=found.get("id") or found["audio"],
        audio=table.parent / found["audio"],
        text=found.get("text"),
        speaker=found.get("speaker") or None,
        language=found.get("language") or None,
    )


if __name__ == "__main__":
    command(prepare_folder, __doc__)

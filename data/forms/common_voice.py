"""Common Voice: sentences read by volunteers in over a hundred languages, MP3 from their own devices.

By the Mozilla Foundation and its contributors; https://commonvoice.mozilla.org/datasets, a release
for each language. Rights: CC0 1.0; Mozilla asks that nobody tries to find out who the speakers are.

The splits are the published train, dev and test; where a release has none, what was validated is
split. The source may also be a single .tsv beside clips/. Old and new columns are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.reading import read_lines
from data.rows import Fault, Found, Row
from voice.errors import ManifestError

NAME = "Common Voice"
SPLITS = ("train", "dev", "test")
WHOLE = "validated"
ABOUT_THE_SPEAKER = ("gender", "age", "accents", "accent", "variant")


def recognizes(source: Path) -> bool:
    """Tell whether a table, or the first one in a folder, has the columns of the corpus."""
    table = source if source.is_file() else next(iter(_tables(source)), None)
    if table is None or table.suffix != ".tsv" or not table.is_file():
        return False
    header = next(read_lines(table), "").split("\t")
    return {"client_id", "path", "sentence"} <= set(header)


def rows(source: Path) -> Iterator[Found]:
    """Yield the rows of the tables in a folder, or of one table."""
    for table in [source] if source.is_file() else _tables(source):
        yield from _read_table(table)


def _tables(source: Path) -> list[Path]:
    named = [source / f"{split}.tsv" for split in SPLITS]
    tables = [path for path in named if path.exists()] or [source / f"{WHOLE}.tsv"]
    return tables if tables[0].exists() else []


def _read_table(table: Path) -> Iterator[Row | Fault]:
    lines = read_lines(table)
    header = next(lines, "").split("\t")  # never quoted
    if not {"path", "sentence"} <= set(header):
        raise ManifestError(f'{table} has no columns "path" and "sentence": is it of Common Voice?')
    for number, line in enumerate(lines, 2):
        values = line.split("\t")
        if len(values) != len(header):
            yield Fault(f"{table}, line {number}", f"{len(values)} fields where {len(header)} belong")
        else:
            yield _row(table, dict(zip(header, values, strict=True)))


def _row(table: Path, row: dict[str, str]) -> Row:
    audio = table.parent / "clips" / row["path"]
    audio = audio if audio.suffix else audio.with_suffix(".mp3")
    return Row(
        id=f"common_voice-{audio.stem}",
        audio=audio,
        text=row["sentence"],
        speaker=row.get("client_id") or None,
        language=row.get("locale") or None,
        split=table.stem if table.stem in SPLITS else None,
        extra={name: row[name] for name in ABOUT_THE_SPEAKER if row.get(name)},
    )

"""Hugging Face's audio folders: metadata.csv or metadata.jsonl whose "file_name" is beside it, also by split.

https://huggingface.co/docs/datasets/audio_dataset. The source is the folder, or one such file. Parquet files
are another form.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.forms.form import split_of
from data.forms.json_rows import first_text, read_rows
from data.forms.table_rows import read_table
from data.locating import Locator
from data.reading import first_object, read_lines
from data.rows import Fault, Found, Row
from voice.errors import ManifestError

NAME = "Hugging Face"
FILES = ("metadata.jsonl", "metadata.csv")
TEXTS = ("text", "transcription", "sentence", "transcript", "normalized_text", "raw_text")
SPEAKERS = ("speaker_id", "speaker", "client_id")
LANGUAGES = ("language", "locale", "lang")
_KEY = "file_name"


def recognizes(source: Path) -> bool:
    """Tell whether there is such a file, right here or in the folder of a split."""
    return bool(_lists(source))


def rows(source: Path) -> Iterator[Found]:
    """Yield the rows of all metadata; a folder called train, validation or test says the split."""
    for path in _lists(source):
        split = split_of(path.parent.name) if path.parent != source and source.is_dir() else None
        if path.suffix == ".jsonl":
            yield from read_rows(path, split, _KEY, _row)
        else:
            yield from _from_table(path, split)


def _lists(source: Path) -> list[Path]:
    if source.is_file():
        files = [source] if source.name in FILES else []
    else:
        files = [path for name in FILES for path in sorted([*source.glob(name), *source.glob(f"*/{name}")])]
    return [path for path in files if _is_one(path)]


def _is_one(path: Path) -> bool:
    try:
        if path.suffix == ".jsonl":
            return _KEY in first_object(path)
        return _KEY in [name.strip().strip('"') for name in next(read_lines(path), "").split(",")]
    except ManifestError:
        return False


def _from_table(path: Path, split: str | None) -> Iterator[Found]:
    locate = Locator(path.parent)
    for number, values in read_table(path):
        where = f"{path.name}, row {number}"
        if isinstance(values, str):
            yield Fault(where, values)
        elif not values.get(_KEY):
            yield Fault(where, f'it has no "{_KEY}", which names the recording', "column is missing")
        else:
            try:
                yield _row(values, locate(values[_KEY]), values[_KEY], split)
            except ManifestError as error:
                yield Fault(where, str(error), "recording cannot be found")


def _row(row: dict[str, Any], audio: Path, name: str, split: str | None) -> Row:
    return Row(
        row.get("id") or name,
        audio,
        first_text(row, *TEXTS),
        first_text(row, *SPEAKERS) or None,
        first_text(row, *LANGUAGES) or None,
        split_of(row["split"]) if isinstance(row.get("split"), str) else split,
    )

"""NeMo's manifests: one JSON object a line with "audio_filepath", "text", "duration" and perhaps "offset".

https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/asr/datasets.html

The source is one list, or a folder with several (train_manifest.json, …).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.forms.json_rows import first_text, listed_files, read_rows
from data.rows import Found, Row

NAME = "NeMo"
_KEY = "audio_filepath"


def recognizes(source: Path) -> bool:
    """Tell whether the first object of a list has NeMo's key for the recording."""
    return bool(listed_files(source, lambda first: _KEY in first))


def rows(source: Path) -> Iterator[Found]:
    """Yield the rows of all lists; one with an offset is a stretch of its recording."""
    for path, split in listed_files(source, lambda first: _KEY in first):
        yield from read_rows(path, split, _KEY, _row)


def _row(row: dict[str, Any], audio: Path, name: str, split: str | None) -> Row:
    start = float(row["offset"]) if row.get("offset") is not None else None
    duration = row.get("duration")
    end = start + float(duration) if start is not None and duration is not None else None
    label = f"{name}@{start:g}" if start is not None else name
    speaker = row.get("speaker")
    language = first_text(row, "lang", "language", "target_lang")
    text = first_text(row, "text", "answer")
    return Row(row.get("id") or label, audio, text, speaker, language, split, start, end)

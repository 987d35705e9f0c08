"""Our own manifests: one JSON object a line with "audio" and, where they are known, text, speaker, language.

The source is a file of them, or a folder with train.jsonl, dev.jsonl, test.jsonl. Durations and rates are
measured anew, so that rows written by hand need no more than "audio" and "text".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.forms.json_rows import listed_files, read_rows
from data.rows import Found, Row

NAME = "manifest"
_OWN = ("audio", "text", "speaker", "id", "language", "duration", "sample_rate")


def recognizes(source: Path) -> bool:
    """Tell whether the first object of a list names a recording by "audio"."""
    return bool(listed_files(source, _is_ours))


def rows(source: Path) -> Iterator[Found]:
    """Yield the rows of a manifest, or of all in a folder; further keys are kept."""
    for path, split in listed_files(source, _is_ours):
        yield from read_rows(path, split, "audio", _row)


def _is_ours(first: dict[str, Any]) -> bool:
    return isinstance(first.get("audio"), str)


def _row(row: dict[str, Any], audio: Path, name: str, split: str | None) -> Row:
    extra = {key: value for key, value in row.items() if key not in _OWN}
    return Row(
        row.get("id") or name,
        audio,
        row.get("text"),
        row.get("speaker"),
        row.get("language"),
        split,
        extra=extra,
    )

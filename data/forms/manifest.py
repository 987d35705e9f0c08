"""Our own manifests: one JSON object a line with "audio" and, where they are known, text, speaker, language.

Lists of other makes are read too, whose keys are called otherwise (path and sentence, wav and txt, source and
target): the names of columns in tables are known here as well. The source is a file of them, or a folder with
train.jsonl, dev.jsonl, test.jsonl. Durations and rates are measured anew, so that rows written by hand need
no more than "audio" and "text".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.forms.json_rows import listed_files, read_rows
from data.forms.table_columns import SAME
from data.locating import is_recording
from data.rows import Found, Row

NAME = "manifest"
_MORE = {"audio": ("source",), "text": ("txt", "target")}  # of WeNet and FunASR
_NAMES = {ours: (*theirs.split(), *_MORE.get(ours, ())) for ours, theirs in SAME.items()}
_NAMES["text"] += tuple(SAME["normalized"].split())  # where there is no other
_CUT = "recording"  # in a row whose times tell where in another recording it was cut out
_OWN = ("audio", "text", "speaker", "id", "language", "duration", "sample_rate")


def recognizes(source: Path) -> bool:
    """Tell whether the first object of a list names a recording."""
    return bool(listed_files(source, _is_one))


def rows(source: Path) -> Iterator[Found]:
    """Yield the rows of a manifest, or of all in a folder; further keys are kept."""
    for path, split in listed_files(source, _is_one):
        yield from read_rows(path, split, "audio", _row, _as_ours)


def _is_one(first: dict[str, Any]) -> bool:
    ours = _as_ours(first)
    named = isinstance(ours.get("audio"), str)
    return named and ("audio" in first or "text" in ours or is_recording(Path(ours["audio"])))


def _as_ours(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with our keys for those of other makes."""
    keys = {key.lower(): key for key in row}
    changed = dict(row)
    stretch = () if _CUT in row else ("start", "end")
    for ours in ("audio", "text", "speaker", "language", "id", *stretch):
        theirs = next((keys[name] for name in _NAMES[ours] if name in keys), None)
        if theirs is not None and ours not in row:
            changed[ours] = changed.pop(theirs)
    if isinstance(changed.get("audio"), dict) and isinstance(changed["audio"].get("path"), str):
        changed["audio"] = changed["audio"]["path"]  # of Hugging Face's features
    return changed


def _row(row: dict[str, Any], audio: Path, name: str, split: str | None) -> Row:
    start, end = (None, None) if _CUT in row else (_seconds(row, "start"), _seconds(row, "end"))
    own = _OWN if _CUT in row else (*_OWN, "start", "end")
    extra = {key: value for key, value in row.items() if key not in own}
    label = row.get("id") or (name if start is None else f"{name}@{start:g}")
    return Row(
        label, audio, row.get("text"), row.get("speaker"), row.get("language"), split, start, end, extra=extra
    )


def _seconds(row: dict[str, Any], key: str) -> float | None:
    """Return a time of a row. Raises ValueError or TypeError for what is none."""
    return None if row.get(key) is None else float(row[key])

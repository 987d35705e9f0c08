"""A table that names recordings and texts: metadata.csv and the like, with or without a header.

Columns are separated by |, commas, semicolons or tabs. A header names them as people do (audio, file, path,
wav; text, transcript, sentence; speaker; language; id; split; start, end); without one, or with names that
nobody knows, the columns are told by what is in them. LJ Speech's form, `id|text|text with numbers written
out` with the recordings in wavs/, is the case that most tools share.

The source is the table, or a folder with a metadata.csv or with train, dev and test tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from data.forms.form import split_of
from data.forms.table_columns import Columns, columns_by_content, columns_by_name
from data.forms.table_rows import SAMPLE, join_again, separators_of, split_lines
from data.locating import Locator
from data.reading import read_lines
from data.rows import Fault, Found, Remark, Row
from voice.errors import ManifestError

NAME = "table"
ENDINGS = (".csv", ".tsv", ".txt", ".psv", ".lst", ".list")
_BEFORE = re.compile(r"sep=.$|#\s", re.IGNORECASE)
_MISSING = frozenset(["NaN", "nan", "NULL", "<NA>", "#N/A"])  # as pandas and databases write no text
_USUAL = ("metadata", "transcripts", "transcript", "filelist", "list", "index", "dataset")


def recognizes(source: Path) -> bool:
    """Tell whether a file is a table of recordings, or a folder has one by a usual name."""
    return bool(_tables(source))


def rows(source: Path) -> Iterator[Found]:
    """Yield the rows of the table, or of the tables of all splits.

    Raises ManifestError for unknown columns.
    """
    tables = _tables(source) or ([source] if source.is_file() else [])
    for path in tables:
        yield from _read(path, split_of(path.stem) if len(tables) > 1 else None)


def _tables(source: Path) -> list[Path]:
    if source.is_file():
        known = source.suffix.lower() in ENDINGS[:2]
        return [source] if known or (source.suffix.lower() in ENDINGS and _names_recordings(source)) else []
    files = sorted(path for path in source.glob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    usual = [path for path in files if path.stem.lower() in _USUAL and _names_recordings(path)]
    splits = [path for path in files if split_of(path.stem) and _names_recordings(path)]
    return (
        usual[:1]
        or splits
        or [path for path in files if path.suffix.lower() in ENDINGS[:2] and _names_recordings(path)]
    )


def _names_recordings(path: Path) -> bool:
    try:
        sample = list(islice(_lines(path)[1], SAMPLE))
        return _opening(sample, Locator(path.parent)) is not None
    except ManifestError:
        return False


def _lines(path: Path) -> tuple[int, Iterator[str]]:
    """Return how many lines come before a table, and its own: Excel's "sep=;" and comments are none of it."""
    lines, skipped = read_lines(path), 0
    for line in lines:
        if not _BEFORE.match(line):
            return skipped, chain([line], lines)
        skipped += 1
    return skipped, lines


@dataclass(frozen=True)
class _Opening:
    """What the first lines of a table tell: its separator, its columns, and whether line 1 is a header."""

    mark: str
    columns: Columns
    has_header: bool


def _opening(sample: list[str], locate: Locator) -> _Opening | None:
    """Return what a table's first lines tell; None where no column names recordings."""
    found = (_opening_with(mark, sample, locate) for mark in separators_of(sample))
    return next((opening for opening in found if opening), None)


def _opening_with(mark: str, sample: list[str], locate: Locator) -> _Opening | None:
    """Return what a table's first lines tell if `mark` separates its columns."""
    first, *others = (values for _, values in split_lines(iter(sample), mark))
    header = columns_by_name(first)
    if header and (header.audio is not None or _is_audio(others, header.id, locate)):
        return _Opening(mark, header.with_audio().with_text(others), True)
    has_header = not any(locate.finds(value) for value in first)
    columns = columns_by_content(others if has_header else [first, *others], mark, locate)
    return _Opening(mark, columns, has_header and bool(others)) if columns else None


def _is_audio(rows: list[list[str]], place: int | None, locate: Locator) -> bool:
    return place is not None and any(locate.finds(row[place]) for row in rows if place < len(row))


def _read(path: Path, split: str | None) -> Iterator[Found]:
    (skipped, lines), locate = _lines(path), Locator(path.parent)
    sample = list(islice(lines, SAMPLE))
    opening = _opening(sample, locate)
    if opening is None:
        first = next(iter(sample), "")
        raise ManifestError(
            f"no column of {path} names recordings that are there; its first line is {first[:80]!r}. "
            'Name the columns in its first line ("audio,text"), with paths that count from the table'
        )
    if not opening.columns.known and (opening.has_header or opening.columns.speaker is not None):
        why = "unknown names" if opening.has_header else "no names"
        yield Remark(f"the columns of {path.name} have {why}; by what is in them: {opening.columns}")
    joined = 0
    found = split_lines(chain(sample, lines), opening.mark)
    for number, values in islice(found, int(opening.has_header), None):
        whole = _as_wide(values, opening)
        joined += len(whole) != len(values)
        yield _row(f"{path.name}, row {number + skipped}", whole, opening.columns, locate, split)
    if joined:
        yield Remark(
            f"{joined} rows of {path.name} hold {opening.mark!r} outside of quotes; "
            "it was kept as a part of the text"
        )


def _as_wide(values: list[str], opening: _Opening) -> list[str]:
    """Return the fields of a row, those that belong to the text joined again where there are too many."""
    columns = opening.columns
    if len(values) > columns.width and columns.text is not None and columns.normalized is None:
        return join_again(values, columns.text, columns.width, opening.mark)
    return values


def _row(where: str, values: list[str], columns: Columns, locate: Locator, split: str | None) -> Found:
    if len(values) < columns.least:
        return Fault(
            where,
            f"it has fewer columns than the table: {len(values)} of {columns.least}",
            "column is missing",
        )
    if len(values) > columns.width:
        return Fault(where, f"{len(values)} fields where {columns.width} belong", "too many columns")
    got = {name: values[place].strip() for name, place in columns.places() if place < len(values)}
    if not got.get("audio"):
        return Fault(where, "it names no audio file", "column is missing")
    try:
        audio = locate(got["audio"])
        start, end = (float(got[name]) if got.get(name) else None for name in ("start", "end"))
    except ManifestError as error:
        return Fault(where, str(error), "recording cannot be found")
    except ValueError as error:
        return Fault(where, f"a time is no number of seconds ({error})", "column has another type")
    label = got.get("id") or (got["audio"] if start is None else f"{got['audio']}@{start:g}")
    extra = {"text_normalized": got["normalized"]} if got.get("normalized") else {}
    text = None if got.get("text") in _MISSING else got.get("text")
    return Row(
        label, audio, text, got.get("speaker") or None, got.get("language") or None,
        (split_of(got["split"]) if got.get("split") else None) or split, start, end, extra=extra,
    )  # fmt: skip

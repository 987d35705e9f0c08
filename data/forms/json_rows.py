"""What the forms share that are JSON, an object a row: which files they are, and rows by their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from data.forms.form import split_of
from data.locating import Locator
from data.reading import first_object, read_objects
from data.rows import Fault, Found, Row
from voice.errors import ManifestError

LISTS = (".jsonl", ".json", ".ndjson", ".list")
_TEXTS = (str, type(None))


def listed_files(source: Path, is_one: Callable[[dict[str, Any]], bool]) -> list[tuple[Path, str | None]]:
    """Return the lists of one form and their splits: a file, or those in a folder that `is_one` knows.

    A file alone, or one in a folder whose name tells no split, has none.
    """
    if source.is_file():
        fits = source.suffix.lower() in LISTS and is_one(first_object(source))
        return [(source, None)] if fits else []
    names = sorted(path for path in source.glob("*") if path.suffix.lower() in LISTS and path.is_file())
    found = [path for path in names if is_one(first_object(path))]
    return [(path, split_of(path.stem)) for path in found]


MakeRow = Callable[
    [dict[str, Any], Path, str, str | None], Row
]  # the object, its recording, a name, the split


def read_rows(
    path: Path,
    split: str | None,
    key: str,
    make: MakeRow,
    translate: Callable[[dict[str, Any]], dict[str, Any]] = lambda row: row,
) -> Iterator[Found]:
    """Yield what `make` makes of each object of a list; `key` names its recording once it is translated.

    A line that is no object, or names no recording, is a fault.
    """
    locate = Locator(path.parent)
    for number, row in read_objects(path):
        where = f"{path.name}, line {number}"
        if isinstance(row, str):
            yield Fault(where, row)
            continue
        row = translate(row)
        if not isinstance(row.get(key), str) or not row[key].strip():
            yield Fault(where, f'it has no "{key}", which names the recording', "column is missing")
        elif wrong := next(
            (each for each in ("text", "speaker", "id", "language") if _is_wrong(row, each)), None
        ):
            yield Fault(
                where, f'"{wrong}" is {row[wrong]!r:.60}, which is no text', "column has another type"
            )
        else:
            try:
                yield make(row, locate(row[key]), row[key], split)
            except ManifestError as error:
                yield Fault(where, str(error), "recording cannot be found")
            except (TypeError, ValueError) as error:
                yield Fault(where, f"{error}; write the row again", "column has another type")


def _is_wrong(row: dict[str, Any], key: str) -> bool:
    return not isinstance(row.get(key), _TEXTS)


def first_text(row: dict[str, Any], *keys: str) -> str | None:
    """Return the first of some keys of an object that is a text."""
    return next((row[key] for key in keys if isinstance(row.get(key), str)), None)

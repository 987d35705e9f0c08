"""What a form of data set is: a module that recognizes its sources and reads their rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from data.rows import Found

_SPLITS = (
    ("train", "train"),
    ("dev", "dev"),
    ("valid", "dev"),
    ("val", "dev"),
    ("test", "test"),
    ("eval", "test"),
)


class Form(Protocol):
    """A module of this package. `NAME` is what messages call it.

    `recognizes(source)` tells from the names and the first lines of its files whether a source, a folder or
    a file, has this form. `rows(source)` reads it, one row at a time; it raises ManifestError for what is
    damaged as a whole and yields a Fault for what costs one row.
    """

    NAME: str

    def recognizes(self, source: Path) -> bool: ...

    def rows(self, source: Path) -> Iterator[Found]: ...


def split_of(name: str) -> str | None:
    """Return "train", "dev" or "test" for what data sets call them ("train-clean-100", "validation")."""
    first = re.split(r"[^a-z]+", name.lower())
    return next((ours for theirs, ours in _SPLITS if any(part.startswith(theirs) for part in first)), None)

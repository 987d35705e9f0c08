"""What a form of data set yields: rows to use, faults that cost a row, and remarks that cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """A recording, or the stretch from `start` to `end` seconds of one, as its data set describes it.

    `split` is None where the data set has no splits. `content` holds the bytes of the file where they are
    inside of another file; `audio` is then the name that it has there.
    """

    id: str
    audio: Path
    text: str | None
    speaker: str | None = None
    language: str | None = None
    split: str | None = None
    start: float | None = None
    end: float | None = None
    content: bytes | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_stretch(self) -> bool:
        """Tell whether the row is a part of its recording."""
        return self.start is not None or self.end is not None


@dataclass(frozen=True)
class Fault:
    """A row or a recording that cannot be used: where it is, why, and the kind of reason to count it by."""

    where: str
    reason: str
    kind: str = "row cannot be read"


@dataclass(frozen=True)
class Remark:
    """Something that the person should know about the data set, and that costs no row."""

    text: str


Found = Row | Fault | Remark

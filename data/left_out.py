"""Rows that a training leaves out: counted by reason and told; too many unopened ones are an error."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

from voice.errors import AudioError, ManifestError

Result = TypeVar("Result")

FAILING = 0.1  # share of the rows that may fail to open before a training ends
SHOWN = 3  # names given with each reason


class LeftOut:
    """What a training leaves out of `rows` rows; safe to use from threads.

    The first row that cannot be opened is told by a warning, the others are counted.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._counts: Counter[str] = Counter()
        self._names: dict[str, list[str]] = {}
        self._unopened: set[str] = set()
        self._met: set[tuple[str, str]] = set()
        self._lock = Lock()

    def add(self, name: str, reason: str) -> None:
        """Count a row that is left out."""
        self.add_all([name], reason)

    def add_once(self, name: str, reason: str) -> None:
        """Count a row that is left out, once however often it is met."""
        with self._lock:
            is_new = (name, reason) not in self._met
            self._met.add((name, reason))
        if is_new:
            self.add(name, reason)

    def add_all(self, names: Sequence[str], reason: str, count: int | None = None) -> None:
        """Count rows that are left out; `names` may be only the first few of `count`."""
        count = len(names) if count is None else count
        if not count:
            return
        with self._lock:
            self._counts[reason] += count
            known = self._names.setdefault(reason, [])
            known += names[: SHOWN - len(known)]

    def add_unopened(self, name: str, error: AudioError) -> None:
        """Count a row whose recording cannot be opened, once however often it is met.

        Raises ManifestError where that is more than a tenth of all rows.
        """
        with self._lock:
            is_new, is_first = name not in self._unopened, not self._unopened
            self._unopened.add(name)
        if is_first:
            warnings.warn(f"{name} is left out: {error}; others like it are only counted", stacklevel=3)
        if is_new:
            self.add(name, "cannot be opened")
        if len(self._unopened) > FAILING * self._rows:
            raise ManifestError(
                f"{len(self._unopened)} of {self._rows} recordings cannot be opened, such as {name}: {error};"
                " run `voice data check` on the manifest"
            )

    def open(self, name: str, read: Callable[[], Result]) -> Result | None:
        """Return what `read` returns; None where the row `name` cannot be opened, which is counted."""
        try:
            return read()
        except AudioError as error:
            self.add_unopened(name, error)
            return None

    @classmethod
    def merge(cls, parts: Sequence[LeftOut]) -> LeftOut:
        """Return what several data sets leave out, as one."""
        whole = cls(sum(part._rows for part in parts))
        for part in parts:
            for reason, count in part._counts.items():
                whole.add_all(part._names[reason], reason, count)
        return whole

    def __len__(self) -> int:
        return sum(self._counts.values())

    def __str__(self) -> str:
        """Say how many rows are left out, why, and which are the first of each reason."""
        parts = []
        for reason, count in self._counts.most_common():
            names = ", ".join(self._names[reason]) + ", …" * (count > SHOWN)
            parts.append(f"{count} {reason} ({names})")
        return f"left out {len(self)} of {self._rows} rows: " + "; ".join(parts)

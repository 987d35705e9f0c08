"""Which ids a source has had, in a database on disk: a million of them take no memory."""

from __future__ import annotations

import sqlite3
from types import TracebackType

KEPT = 4_000  # kB of the database that stay in memory


class SeenIds:
    """The first 64 bits of each id's hash with those of what it names; a context manager.

    The file is nameless and goes with the process.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect(
            "", isolation_level=None, check_same_thread=False
        )  # "": a temporary file
        for line in (f"PRAGMA cache_size = -{KEPT}", "PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF"):
            self._database.execute(line)
        self._database.execute("CREATE TABLE seen (id INTEGER PRIMARY KEY, what INTEGER) WITHOUT ROWID")

    def add(self, name: int, what: int) -> int:
        """Return what `name` stands for: what it stood for already, or else `what` from now on."""
        found = self._database.execute("SELECT what FROM seen WHERE id = ?", (name,)).fetchone()
        if found is not None:
            return int(found[0])
        self._database.execute("INSERT INTO seen VALUES (?, ?)", (name, what))
        return what

    def get(self, name: int) -> int | None:
        """Return what `name` stands for, None for nothing."""
        found = self._database.execute("SELECT what FROM seen WHERE id = ?", (name,)).fetchone()
        return None if found is None else int(found[0])

    def __enter__(self) -> SeenIds:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

"""Who is served when: so many at a time, the others in the order in which they came."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

POLL = 0.5  # seconds between two looks whether it is one's turn


class WorkQueue:
    """`places` for work; whoever comes when they are taken waits. Safe between threads."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._line: list[object] = []  # all who work or wait, the first to come first
        self._changed = threading.Condition()

    @contextmanager
    def taken(self) -> Iterator[Iterator[int]]:
        """A turn, to be waited for: how many are ahead, again and again until nobody is too many."""
        me = object()
        with self._changed:
            self._line.append(me)
        try:
            yield self._waiting(me)
        finally:
            with self._changed:
                self._line.remove(me)
                self._changed.notify_all()

    def _waiting(self, me: object) -> Iterator[int]:
        while (ahead := self._ahead(me)) >= 0:
            yield ahead
            with self._changed:
                self._changed.wait_for(lambda: self._ahead(me) != ahead, POLL)

    def _ahead(self, me: object) -> int:
        """How many have to be served before `me` may begin, besides those who work; -1 where it may."""
        return self._line.index(me) - self._places

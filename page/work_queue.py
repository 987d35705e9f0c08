"""A queue for the work of the page: so many jobs at a time, the others in the order in which they came."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

POLL = 0.5  # seconds between two looks at the queue


class WorkQueue:
    """A fixed number of `slots` for work, and the jobs that wait for one. Safe between threads."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._jobs: list[object] = []  # all that run or wait, in the order in which they came
        self._changed = threading.Condition()

    @contextmanager
    def position(self) -> Iterator[Iterator[int]]:
        """Take a position; iterate over how many jobs are ahead of it, until it may begin."""
        job = object()
        with self._changed:
            self._jobs.append(job)
        try:
            yield self._waiting(job)
        finally:
            with self._changed:
                self._jobs.remove(job)
                self._changed.notify_all()

    def _waiting(self, job: object) -> Iterator[int]:
        """Yield how many jobs are ahead, at each change, until none is."""
        while (ahead := self._ahead(job)) >= 0:
            yield ahead
            with self._changed:
                self._changed.wait_for(lambda: self._ahead(job) != ahead, POLL)

    def _ahead(self, job: object) -> int:
        """Return how many waiting jobs are before `job`; -1 where it may begin."""
        return self._jobs.index(job) - self._slots

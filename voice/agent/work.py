"""Where the heavy work of a conversation runs: inline, which replays exactly, or in threads.

A lane does its jobs in order. Inline, a job is done when `start` returns; in threads, its result is
there some frames later, and hearing never waits for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Task(Generic[T]):
    """One job: `done` once it has run, `result` what it returned; it raises what the job raised.

    `took` are the seconds that it ran, `ready` the conversation's time at which it was done or, inline,
    would have been done beside the listening.
    """

    def __init__(self, job: Callable[[], T], stopwatch: Callable[[], float]) -> None:
        self._job: Callable[[], T] | None = job
        self._stopwatch = stopwatch
        self._value: T | None = None
        self._error: BaseException | None = None
        self.took = self.ready = 0.0
        self._over = threading.Event()

    @property
    def done(self) -> bool:
        return self._over.is_set()

    def run(self) -> None:
        begun = self._stopwatch()
        try:
            job, self._job = self._job, None  # what it holds is held no longer than it runs
            self._value = job()
        except BaseException as error:  # raised again where the result is asked for
            self._error = error
        self.took = self._stopwatch() - begun
        self._over.set()

    @property
    def failed(self) -> bool:
        return self._error is not None

    def wait(self) -> None:
        """Until it is done, in whichever thread it runs."""
        self._over.wait()

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value


class Lane(Protocol):
    """Jobs, one after the other."""

    def start(self, job: Callable[[], T], now: float) -> Task[T]: ...


class Work(Protocol):
    """Where lanes come from; shared by any number of conversations."""

    def lane(self, stopwatch: Callable[[], float]) -> Lane: ...


class Inline:
    """Jobs run at once, in the caller's thread."""

    def lane(self, stopwatch: Callable[[], float] = time.perf_counter) -> Lane:
        return _InlineLane(stopwatch)


class Threads:
    """Each lane has a thread of its own while it has jobs, and none when it has not.

    `told` is called in that thread after each job, for a host that can collect what it brought.
    """

    def __init__(self, told: Callable[[], None] = lambda: None) -> None:
        self._told = told

    def lane(self, stopwatch: Callable[[], float] = time.perf_counter) -> Lane:
        return _ThreadLane(stopwatch, self._told)


INLINE, THREADS = Inline(), Threads()


class _InlineLane:
    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch, self._free = stopwatch, 0.0

    def start(self, job: Callable[[], T], now: float) -> Task[T]:
        task = Task(job, self._stopwatch)
        task.run()
        self._free = task.ready = max(now, self._free) + task.took
        return task


class _ThreadLane:
    def __init__(self, stopwatch: Callable[[], float], told: Callable[[], None]) -> None:
        self._stopwatch, self._told = stopwatch, told
        self._waiting: deque[Task] = deque()
        self._lock = threading.Lock()
        self._running = False

    def start(self, job: Callable[[], T], now: float) -> Task[T]:
        task = Task(job, self._stopwatch)
        with self._lock:
            self._waiting.append(task)
            begin, self._running = not self._running, True
        if begin:
            threading.Thread(target=self._run, daemon=True).start()
        return task

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running = False
                    return
                task = self._waiting.popleft()
            task.run()
            self._told()

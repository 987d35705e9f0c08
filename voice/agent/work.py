"""Where the heavy work of a conversation runs: inline, which replays exactly, or in threads.

A lane is a serial executor: it does its jobs in order. Inline, a job is done when `start` returns; in
threads, its result is there some frames later, and hearing never waits for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Task(Generic[T_co]):
    """One job: `done` once it has run, `result` what it returned; it raises what the job raised.

    `took` are the seconds that it ran, `ready` the conversation's time at which it was done or, inline,
    would have been done beside the listening.
    """

    def __init__(self, job: Callable[[], T_co], stopwatch: Callable[[], float]) -> None:
        self._job: Callable[[], T_co] | None = job
        self._stopwatch = stopwatch
        self._values: list[T_co] = []  # what the job returned, once it has
        self._error: BaseException | None = None
        self.took = self.ready = 0.0
        self._over = threading.Event()

    @property
    def done(self) -> bool:
        """Whether the job has run."""
        return self._over.is_set()

    @property
    def failed(self) -> bool:
        """Whether the job has raised an error."""
        return self._error is not None

    def run(self) -> None:
        """Do the job in this thread, once."""
        begun = self._stopwatch()
        job, self._job = self._job, None  # what it holds is held no longer than it runs
        try:
            if job:
                self._values.append(job())
        except BaseException as error:  # raised again where the result is asked for
            self._error = error
        self.took = self._stopwatch() - begun
        self._over.set()

    def wait(self) -> None:
        """Wait until it is done, in whichever thread it runs."""
        self._over.wait()

    def result(self) -> T_co:
        """Return what the job returned, or raise what it raised; it has to be done."""
        if self._error is not None:
            raise self._error
        return self._values[0]


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

    `notify` is called in that thread after each job, for a host that can collect what it brought.
    """

    def __init__(self, notify: Callable[[], None] = lambda: None) -> None:
        self._notify = notify

    def lane(self, stopwatch: Callable[[], float] = time.perf_counter) -> Lane:
        return _ThreadLane(stopwatch, self._notify)


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
    def __init__(self, stopwatch: Callable[[], float], notify: Callable[[], None]) -> None:
        self._stopwatch, self._notify = stopwatch, notify
        self._waiting: deque[Task[Any]] = deque()
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
            self._notify()

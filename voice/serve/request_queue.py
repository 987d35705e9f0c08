"""The bounded queue in which requests wait for a slot, first come, first served."""

from __future__ import annotations

import asyncio
import time

from voice.serve.slots import MAX_RETRY, MIN_RETRY, Busy

_RECENT_WEIGHT = 0.2  # how much the latest request counts in the mean of their durations


class RequestQueue:
    """A fixed `number` of slots for `what`, and a queue of at most `queue` requests before them.

    All of it belongs to one event loop; any thread may read `used_slots` and `waiting`.
    """

    def __init__(self, what: str, number: int, queue: int, wait: float) -> None:
        """Let a request wait for `wait` seconds at most."""
        self.what, self.number, self.queue, self.wait = what, number, queue, wait
        self._slots = asyncio.Semaphore(number)  # which wakes waiting requests in their order
        self._started: dict[QueuePosition, float] = {}  # since when each slot is held
        self._inside = 0
        self._mean = 0.0  # seconds that a slot is held

    @property
    def used_slots(self) -> int:
        """The number of requests that hold a slot."""
        return len(self._started)

    @property
    def waiting(self) -> int:
        """The number of requests that hold no slot yet; the bodies of some are still being sent."""
        return self._inside - self.used_slots

    @property
    def retry_after(self) -> float:
        """Estimate in how many seconds a new request could get a slot, from the durations so far."""
        now = time.monotonic()
        ages = [now - started for started in self._started.values()]
        duration = max(self._mean, sum(ages) / len(ages) if ages else 0.0)
        return duration * (self.waiting + 1) / self.number

    def enter(self) -> QueuePosition:
        """Take a position, to be left again. Raises Busy at once where the queue is full."""
        if self._inside >= self.number + self.queue:
            waiting = f" and {self.queue} are waiting" if self.queue else ""
            raise self._busy(f"all {self.number} {self.what} are taken{waiting}")
        self._inside += 1
        return QueuePosition(self)

    async def _take_slot(self, position: QueuePosition) -> None:
        try:
            async with asyncio.timeout(self.wait):
                await self._slots.acquire()
        except TimeoutError:
            raise self._busy(f"all {self.number} {self.what} were taken for {self.wait:g} s") from None
        self._started[position] = time.monotonic()

    def _leave(self, position: QueuePosition) -> None:
        self._inside -= 1
        started = self._started.pop(position, None)
        if started is not None:
            duration = time.monotonic() - started
            self._mean += (duration - self._mean) * (_RECENT_WEIGHT if self._mean else 1.0)
            self._slots.release()

    def _busy(self, reason: str) -> Busy:
        after = self.retry_after
        return Busy(f"{reason}; try again in {min(MAX_RETRY, max(MIN_RETRY, after)):.0f} s", after)


class QueuePosition:
    """The position of one request in a queue, from `enter` to the end of a `with`."""

    def __init__(self, queue: RequestQueue) -> None:
        self._queue = queue
        self.has_slot = False

    async def wait_for_slot(self) -> None:
        """Return once the request has a slot. Raises Busy where that took too long."""
        if not self.has_slot:
            await self._queue._take_slot(self)
            self.has_slot = True

    def __enter__(self) -> QueuePosition:
        return self

    def __exit__(self, *_: object) -> None:
        self._queue._leave(self)

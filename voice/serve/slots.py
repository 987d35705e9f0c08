"""Places for those who are served at a time, and the line before them.

Live sessions are refused at once where all places are taken; requests wait their turn in a bounded line.
"""

from __future__ import annotations

import asyncio
import threading
import time

from voice.errors import VoiceError

SOON, LATE = 1.0, 60.0  # seconds that a refused client is told to wait, at least and at most
SESSION = 10.0  # seconds after which a place for a conversation may have come free
_RECENT = 0.2  # how much the latest request counts in the mean of their durations


class Busy(VoiceError):
    """All places are taken; `after` is in how many seconds to try again."""

    def __init__(self, message: str, after: float = SESSION) -> None:
        super().__init__(message)
        self.after = min(LATE, max(SOON, after))


class Slots:
    """`number` places for `what` ("live sessions"). Safe between threads."""

    def __init__(self, what: str, number: int) -> None:
        self.what, self.number = what, number
        self._lock = threading.Lock()
        self._used = 0

    @property
    def used(self) -> int:
        return self._used

    def take(self) -> Slot:
        """A place, to be given back. Raises Busy at once where there is none."""
        with self._lock:
            if self._used >= self.number:
                raise Busy(f"all {self.number} {self.what} are taken; try again in a moment")
            self._used += 1
        return Slot(self)

    def _give_back(self) -> None:
        with self._lock:
            self._used -= 1


class Slot:
    """A place that is held until `release` or the end of a `with`; giving it back twice does no harm."""

    def __init__(self, slots: Slots) -> None:
        self._slots: Slots | None = slots

    def release(self) -> None:
        slots, self._slots = self._slots, None
        if slots:
            slots._give_back()

    def __enter__(self) -> Slot:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Line:
    """`number` places for `what`, and a line of at most `queue` before them: first come, first served.

    All of it belongs to one event loop; any thread may read `used` and `waiting`.
    """

    def __init__(self, what: str, number: int, queue: int, wait: float) -> None:
        """`wait` is for how many seconds somebody stands in the line at most."""
        self.what, self.number, self.queue, self.wait = what, number, queue, wait
        self._places = asyncio.Semaphore(number)  # which wakes those who wait in their order
        self._begun: dict[Turn, float] = {}  # since when each place is held
        self._inside = 0
        self._mean = 0.0  # seconds that a place is held

    @property
    def used(self) -> int:
        """How many hold a place."""
        return len(self._begun)

    @property
    def waiting(self) -> int:
        """How many have come in and hold none yet; some of them are still sending."""
        return self._inside - self.used

    @property
    def retry_after(self) -> float:
        """In how many seconds somebody who comes now could have a place, by what the work takes."""
        now = time.monotonic()
        ages = [now - begun for begun in self._begun.values()]
        takes = max(self._mean, sum(ages) / len(ages) if ages else 0.0)
        return takes * (self.waiting + 1) / self.number

    def enter(self) -> Turn:
        """A turn, to be left again. Raises Busy at once where the line is full."""
        if self._inside >= self.number + self.queue:
            line = f" and {self.queue} are waiting" if self.queue else ""
            raise self._busy(f"all {self.number} {self.what} are taken{line}")
        self._inside += 1
        return Turn(self)

    async def _take(self, turn: Turn) -> None:
        try:
            async with asyncio.timeout(self.wait):
                await self._places.acquire()
        except TimeoutError:
            raise self._busy(f"all {self.number} {self.what} were taken for {self.wait:g} s") from None
        self._begun[turn] = time.monotonic()

    def _leave(self, turn: Turn) -> None:
        self._inside -= 1
        begun = self._begun.pop(turn, None)
        if begun is not None:
            took = time.monotonic() - begun
            self._mean += (took - self._mean) * (_RECENT if self._mean else 1.0)
            self._places.release()

    def _busy(self, reason: str) -> Busy:
        after = self.retry_after
        return Busy(f"{reason}; try again in {min(LATE, max(SOON, after)):.0f} s", after)


class Turn:
    """Somebody's turn in a line, from coming in to the end of a `with`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.placed = False

    async def place(self) -> None:
        """Return when there is a place. Raises Busy where that took too long."""
        if not self.placed:
            await self._line._take(self)
            self.placed = True

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, *_: object) -> None:
        self._line._leave(self)

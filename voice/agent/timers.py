"""Timers that count in the conversation's own time, so that a recording replays them exactly."""

from __future__ import annotations

import threading
from dataclasses import dataclass

LONGEST = 24 * 3600.0  # seconds
MOST = 20


@dataclass(frozen=True)
class Timer:
    """`length` seconds, set so that it rings at `due`; `label` is what the user called it, or ""."""

    label: str
    length: float
    due: float


class Timers:
    """The timers of one conversation; `now` is that conversation's time in seconds.

    Skills set them from threads of their own while the conversation hears.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._pending: list[Timer] = []
        self._lock = threading.Lock()

    @property
    def pending(self) -> tuple[Timer, ...]:
        """Those still running, the next one to ring first."""
        return tuple(self._pending)

    def set(self, seconds: float, label: str = "") -> Timer:
        """Starts a timer. Raises ValueError where it is too long or there are too many."""
        if not 0 < seconds <= LONGEST:
            raise ValueError("A timer can run for up to 24 hours.")
        with self._lock:
            if len(self._pending) >= MOST:
                raise ValueError(f"There are {MOST} timers already. Cancel one first.")
            timer = Timer(label, seconds, self.now + seconds)
            self._pending = sorted([*self._pending, timer], key=lambda each: each.due)
        return timer

    def cancel(self, label: str = "") -> tuple[Timer, ...]:
        """Stops those of that label, or all of them; says which they were."""
        with self._lock:
            gone = tuple(timer for timer in self._pending if not label or timer.label == label)
            self._pending = [timer for timer in self._pending if timer not in gone]
        return gone

    def ring(self, now: float) -> tuple[Timer, ...]:
        """Moves the time on; those that have become due ring, once."""
        self.now = now
        with self._lock:
            due = tuple(timer for timer in self._pending if timer.due <= now)
            if due:
                self._pending = self._pending[len(due) :]
        return due

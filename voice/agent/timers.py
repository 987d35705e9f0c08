"""Timers that count in the conversation's own time, so that a recording replays them exactly."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from voice.agent.language.wording import capitalize_first, duration_in_words

LONGEST_TIMER = 24 * 3600.0  # seconds
MOST_TIMERS = 20


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
        """The timers still running, the next one to ring first."""
        return tuple(self._pending)

    def set(self, seconds: float, label: str = "") -> Timer:
        """Start a timer. Raises ValueError where it is too long or there are too many."""
        if not 0 < seconds <= LONGEST_TIMER:
            raise ValueError("A timer can run for up to 24 hours.")
        with self._lock:
            if len(self._pending) >= MOST_TIMERS:
                raise ValueError(f"There are {MOST_TIMERS} timers already. Cancel one first.")
            timer = Timer(label, seconds, self.now + seconds)
            self._pending = sorted([*self._pending, timer], key=lambda each: each.due)
        return timer

    def cancel(self, label: str = "") -> tuple[Timer, ...]:
        """Stop the timers of that label, or all of them; return those that were stopped."""
        with self._lock:
            gone = tuple(timer for timer in self._pending if not label or timer.label == label)
            self._pending = [timer for timer in self._pending if timer not in gone]
        return gone

    def ring(self, now: float) -> tuple[Timer, ...]:
        """Move the time on to `now`; return the timers that have become due since, once."""
        self.now = now
        with self._lock:
            due = tuple(timer for timer in self._pending if timer.due <= now)
            if due:
                self._pending = self._pending[len(due) :]
        return due


def ring_text(timer: Timer) -> str:
    """Return what the agent says when a timer rings."""
    name = timer_name(timer)
    return f"Here is {name}." if timer.label.startswith("to ") else f"{capitalize_first(name)} is done."


def timer_name(timer: Timer) -> str:
    """Return what the agent calls a timer: "your tea timer for 3 minutes"."""
    if timer.label.startswith("to "):
        return f"your reminder {timer.label}"
    label = f"{timer.label} timer" if timer.label else "timer"
    return f"your {label} for {duration_in_words(timer.length)}"

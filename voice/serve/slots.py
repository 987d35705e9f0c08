"""Slots for live sessions: a session takes one at once or is refused."""

from __future__ import annotations

import threading

from voice.errors import VoiceError

MIN_RETRY, MAX_RETRY = 1.0, 60.0  # seconds that a refused client is told to wait, at least and at most
SESSION_RETRY = 10.0  # seconds after which a slot for a conversation may be free again


class Busy(VoiceError):
    """All slots are taken; `after` is in how many seconds the client can try again."""

    def __init__(self, message: str, after: float = SESSION_RETRY) -> None:
        super().__init__(message)
        self.after = min(MAX_RETRY, max(MIN_RETRY, after))


class Slots:
    """A fixed `number` of slots for `what` ("live sessions"). Safe between threads."""

    def __init__(self, what: str, number: int) -> None:
        self.what, self.number = what, number
        self._lock = threading.Lock()
        self._used = 0

    @property
    def used_slots(self) -> int:
        """The number of slots that are taken."""
        return self._used

    def take(self) -> SlotLease:
        """Take a slot, to be released later. Raises Busy at once where all are taken."""
        with self._lock:
            if self._used >= self.number:
                raise Busy(f"all {self.number} {self.what} are taken; try again in a moment")
            self._used += 1
        return SlotLease(self)

    def _give_back(self) -> None:
        with self._lock:
            self._used -= 1


class SlotLease:
    """A slot that is held until `release` or the end of a `with`; releasing it twice does no harm."""

    def __init__(self, slots: Slots) -> None:
        self._slots: Slots | None = slots

    def release(self) -> None:
        """Give the slot back."""
        slots, self._slots = self._slots, None
        if slots:
            slots._give_back()

    def __enter__(self) -> SlotLease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

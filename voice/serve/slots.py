"""Places for those who are served at a time: the next one is refused with a reason, never kept waiting."""

from __future__ import annotations

import threading

from voice.errors import VoiceError


class Busy(VoiceError):
    """All places are taken."""


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

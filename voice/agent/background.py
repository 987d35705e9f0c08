"""Work in a thread of its own, so that nobody need wait longer for it than they like."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
AHEAD = 4096  # items that are made before they are asked for
_END = object()


class Dropped(BaseException):
    """Nobody wants the result any more."""


class BackgroundIterator(Generic[T]):
    """The items of an iterator that runs in its own thread, from now on."""

    def __init__(self, items: Iterator[T]) -> None:
        self._mail: queue.Queue = queue.Queue(AHEAD)
        self._closed = threading.Event()
        threading.Thread(target=self._work, args=(items,), daemon=True, name="aside").start()

    def next(self, seconds: float) -> T | None:
        """The next item; None after the last.

        Raises TimeoutError after `seconds` (asking again goes on waiting), Dropped once closed, and
        what the iterator raises.
        """
        try:
            item = self._mail.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise TimeoutError from None
        if self._closed.is_set():
            raise Dropped
        if isinstance(item, _Raised):
            raise item.error
        return None if item is _END else item

    def close(self) -> None:
        """Wakes who waits; the iterator is closed at its next item. May be called from any thread."""
        self._closed.set()
        with suppress(queue.Empty):  # room for one that waits to put an item
            while True:
                self._mail.get_nowait()
        with suppress(queue.Full):
            self._mail.put_nowait(_END)

    def _work(self, items: Iterator[T]) -> None:
        try:
            for item in items:
                if self._closed.is_set():
                    break
                self._mail.put(item)
            self._mail.put(_END)
        except BaseException as error:  # passed on to who waits
            self._mail.put(_Raised(error))
        finally:
            close = getattr(items, "close", None)
            if close:
                with suppress(Exception):
                    close()


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error

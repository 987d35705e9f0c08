"""An iterator in a thread of its own, so that nobody waits longer for an item than they like."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")
AHEAD = 4096  # items that are made before they are asked for
_END = object()


class Dropped(BaseException):
    """Raised where nobody wants the items any more."""


class BackgroundIterator(Generic[T]):
    """The items of an iterator that runs in its own thread, from now on."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items: queue.Queue[Any] = queue.Queue(AHEAD)  # items, then _END or a _Raised
        self._closed = threading.Event()
        threading.Thread(target=self._work, args=(items,), daemon=True, name="background-iterator").start()

    def next(self, seconds: float) -> T | None:
        """Return the next item; None after the last.

        Raises TimeoutError after `seconds` (asking again goes on waiting), Dropped once closed, and
        what the iterator raises.
        """
        try:
            item = self._items.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise TimeoutError from None
        if self._closed.is_set():
            raise Dropped
        if isinstance(item, _Raised):
            raise item.error
        return None if item is _END else item

    def close(self) -> None:
        """Wake who waits; the iterator is closed at its next item. May be called from any thread."""
        self._closed.set()
        with suppress(queue.Empty):  # room for one that waits to put an item
            while True:
                self._items.get_nowait()
        with suppress(queue.Full):
            self._items.put_nowait(_END)

    def _work(self, items: Iterator[T]) -> None:
        """Make the items; runs in the thread."""
        try:
            for item in items:
                if self._closed.is_set():
                    break
                self._items.put(item)
            self._items.put(_END)
        except BaseException as error:  # passed on to who waits
            self._items.put(_Raised(error))
        finally:
            close = getattr(items, "close", None)
            if close:
                with suppress(Exception):
                    close()


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error

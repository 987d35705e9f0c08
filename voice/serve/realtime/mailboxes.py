"""The bounded queues between a client's socket, on the event loop, and its session, in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

from voice.errors import VoiceError

MAX_WAITING = 32 << 20  # characters of events that wait for a session; then the client waits
MAX_UNSENT = 4 << 20  # characters that wait for a client; the agent's speech takes 64,000 a second


class ClientTooSlow(VoiceError):
    """The client reads too little of what it is sent."""


class Inbox:
    """Texts on their way to the session, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._has_space = loop, asyncio.Event()
        self._has_space.set()
        self._texts: deque[str] = deque()
        self._size, self._closed, self._woken = 0, False, False
        self._changed = threading.Condition()

    async def put(self, text: str) -> None:
        """Add a text, from the event loop, once there is space."""
        await self._has_space.wait()
        with self._changed:
            self._texts.append(text)
            self._size += len(text)
            if self._size > MAX_WAITING:
                self._has_space.clear()
            self._changed.notify()

    def get(self, timeout: float | None) -> str | None:
        """Take the next text, from the session's thread.

        Return None after `timeout` seconds without a text, by `wake`, or once closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._texts) or self._closed or self._woken, timeout)
            if self._closed or not self._texts:
                self._woken = False
                return None
            text = self._texts.popleft()
            self._size -= len(text)
        if not self._has_space.is_set() and self._size <= MAX_WAITING // 2:
            self._loop.call_soon_threadsafe(self._has_space.set)
        return text

    def wake(self) -> None:
        """Let `get` return, from any thread: there is something to do, though no text for it."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    @property
    def closed(self) -> bool:
        """Whether nothing more is to be done."""
        return self._closed

    def close(self) -> None:
        """Close, and drop what still waits."""
        with self._changed:
            self._closed = True
            self._texts.clear()
            self._changed.notify()


class Outbox:
    """Texts on their way to the client, in order, of which sound can be taken back."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._ready = loop, asyncio.Event()
        self._texts: deque[tuple[str, bool]] = deque()
        self._size, self._closed = 0, False
        self._lock = threading.Lock()

    def put(self, text: str, sound: bool = False) -> None:
        """Add a text, from any thread. What comes after `close` is dropped."""
        with self._lock:
            if self._closed:
                return
            self._texts.append((text, sound))
            self._size += len(text)
        self._wake()

    def discard_audio(self) -> None:
        """Drop the sound that has not left yet."""
        with self._lock:
            self._texts = deque(each for each in self._texts if not each[1])
            self._size = sum(len(text) for text, _ in self._texts)

    def close(self) -> None:
        """Close: what was put still goes out, then `get` returns None."""
        with self._lock:
            self._closed = True
        self._wake()

    async def get(self) -> str | None:
        """Take the next text; None at the end. Raises ClientTooSlow where too much has piled up."""
        while True:
            with self._lock:
                if self._size > MAX_UNSENT:
                    raise ClientTooSlow("the client takes its events too slowly; it may connect again")
                if self._texts:
                    text, _ = self._texts.popleft()
                    self._size -= len(text)
                    return text
                if self._closed:
                    return None
                self._ready.clear()
            await self._ready.wait()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:  # the server has been stopped
            pass

"""What lies between a client's socket, on the event loop, and its session, in a thread: both ways bounded."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

from voice.errors import VoiceError

MAX_WAITING = 32 << 20  # characters of events that wait for a session; then the client has to
MAX_UNSENT = 4 << 20  # characters that wait for a client; the agent's speech takes 64,000 a second


class ClientTooSlow(VoiceError):
    """The client takes too little of what it is sent."""


class Inbox:
    """Texts on their way to the session, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._room = loop, asyncio.Event()
        self._room.set()
        self._texts: deque[str] = deque()
        self._size, self._closed, self._woken = 0, False, False
        self._changed = threading.Condition()

    async def put(self, text: str) -> None:
        """From the event loop; waits until there is room."""
        await self._room.wait()
        with self._changed:
            self._texts.append(text)
            self._size += len(text)
            if self._size > MAX_WAITING:
                self._room.clear()
            self._changed.notify()

    def get(self, patience: float | None) -> str | None:
        """From the session's thread; None by `wake`, after `patience` seconds without a text, once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._texts or self._closed or self._woken, patience)
            if self._closed or not self._texts:
                self._woken = False
                return None
            text = self._texts.popleft()
            self._size -= len(text)
        if not self._room.is_set() and self._size <= MAX_WAITING // 2:
            self._loop.call_soon_threadsafe(self._room.set)
        return text

    def wake(self) -> None:
        """From any thread: there is something to do, though no text for it."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """No more is to be done; what still waits is dropped."""
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
        """From any thread. What comes after `close` is dropped, and so is all that a slow client leaves."""
        with self._lock:
            if self._closed:
                return
            self._texts.append((text, sound))
            self._size += len(text)
        self._wake()

    def cut(self) -> None:
        """Takes back the sound that has not left yet."""
        with self._lock:
            self._texts = deque(each for each in self._texts if not each[1])
            self._size = sum(len(text) for text, _ in self._texts)

    def close(self) -> None:
        """What was put still goes out; then `get` gives None."""
        with self._lock:
            self._closed = True
        self._wake()

    async def get(self) -> str | None:
        """The next text; None at the end. Raises Slow where too much has piled up."""
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

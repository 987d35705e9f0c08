"""Heavy work beside the event loop: in threads, a step at a time, and given up when the client has gone."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from starlette.types import Message, Receive, Scope, Send

from voice.errors import VoiceError
from voice.serve.errors import ClientGone

T = TypeVar("T")
_END = object()
_AS_IT_COMES = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # no proxy is to collect it
_LOG = logging.getLogger("uvicorn.error")


class StopSignal:
    """Whether to go on: set on the event loop, looked at by the threads that work."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raise ClientGone if nobody waits for the result any more."""
        if self._event.is_set():
            raise ClientGone("the client went away before its answer was made")


async def run_in_thread(request: Request, work: Callable[[StopSignal], T]) -> T:
    """Return what `work` returns in a thread; it is told to stop when the client goes away."""
    async with _watch_connection(request.receive) as stop:
        return await run_in_threadpool(work, stop)


@asynccontextmanager
async def _watch_connection(receive: Receive) -> AsyncIterator[StopSignal]:
    stop = StopSignal()

    async def watch() -> None:
        with suppress(VoiceError):  # it still sends, too much or too slowly: as good as gone
            while (await receive())["type"] != "http.disconnect":
                pass
        stop.set()

    watcher = asyncio.create_task(watch())
    try:
        yield stop
    finally:
        stop.set()
        watcher.cancel()


class StreamedResponse(Response):
    """The pieces that `make(stop)` yields, sent as they are made, each step of it in a thread.

    The next piece is not made before the client has taken the one before. The first one is made before
    anything is sent: what is wrong from the start is an ordinary error. A client that takes nothing for
    `idle` seconds counts as gone. Whatever happens, the generator is closed before the answer ends.
    """

    def __init__(
        self, make: Callable[[StopSignal], Generator[bytes, None, None]], media_type: str, idle: float
    ) -> None:
        super().__init__(media_type=media_type, headers=_AS_IT_COMES)
        del self.headers["content-length"]
        self._make, self._idle = make, idle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with _watch_connection(receive) as stop:
            pieces = await run_in_threadpool(self._make, stop)
            try:
                await self._send_all(pieces, stop, send)
            finally:
                await run_in_threadpool(pieces.close)

    async def _send_all(self, pieces: Generator[bytes, None, None], stop: StopSignal, send: Send) -> None:
        piece = await run_in_threadpool(next, pieces, _END)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            while piece is not _END:
                await self._send(send, {"type": "http.response.body", "body": piece, "more_body": True})
                stop.check()
                piece = await run_in_threadpool(next, pieces, _END)
            await self._send(send, {"type": "http.response.body", "body": b""})
        except VoiceError as error:  # too late to say so: an answer that breaks off is no whole one
            _LOG.info("an answer broke off: %s", error)

    async def _send(self, send: Send, message: Message) -> None:
        try:
            async with asyncio.timeout(self._idle):
                await send(message)
        except TimeoutError:
            raise ClientGone("the client takes nothing") from None

"""Limits of requests: how large they are, how slowly they come, and when they get a slot.

What is too large is refused by its announced length, or else as soon as it has come. A request that has
been sent waits in line for a place, which it holds until the work has ended, not until the client has
gone. Somebody who is still sending holds none, unless it is a large recording: no more than HELD bytes
of each are kept on the disk while it waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voice.errors import VoiceError
from voice.serve import errors
from voice.serve.errors import BodyEncoded, ClientGone, ServerStopping, TooLarge, TooSlow
from voice.serve.request_queue import QueuePosition
from voice.serve.services import Services
from voice.serve.slots import Busy

LINGER_SECONDS = 5.0  # seconds in which a refused client may finish sending, so that it gets to read why
MIN_BYTES_PER_SECOND = 1000  # that a client has to send, on the average of VOICE_IDLE seconds
MAX_BYTES_BEFORE_SLOT = 4_000_000  # of a request that are read before it has a slot
_WORKING_PATHS = ("/v1/", "/dev/")
_JSON_OVERHEAD = 65_536  # bytes of a request besides its text, each character of which may take twelve


class LimitsMiddleware:
    """ASGI middleware around the requests that make the server work."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "POST" and scope["path"].startswith(_WORKING_PATHS):
            await self._in_turn(scope, receive, send)
        else:
            await self._in_time(scope, receive, send)

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by others on this port, such as the page; refuse a client that sends too slowly."""
        paced = PacedRequest(receive, self._services.settings.idle)
        answer = LingeringResponse(send, RequestBody(paced, 0), lingers=False)

        async def send_in_time(message: Message) -> None:
            if not paced.late:
                await answer.send(message)

        try:
            await self._app(scope, paced.receive, send_in_time)
        except Exception:
            if not paced.late:
                raise
        if paced.late and not answer.begun:
            await errors.response_to(paced.late)(scope, receive, send)

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        paced = PacedRequest(receive, self._services.settings.idle)
        body = RequestBody(paced, self._limit(headers))
        answer = LingeringResponse(send, body, lingers="expect" not in headers)
        try:
            if self._services.draining.begun:
                raise ServerStopping("the server is about to stop; send the request again in a moment")
            if (encoding := headers.get("content-encoding", "identity").lower()) != "identity":
                raise BodyEncoded(f"the body is encoded as {encoding[:20]}; send it as it is")
            body.check(headers.get("content-length", ""))
            with self._services.queue_for(scope["path"]).enter() as body.position:
                await self._unless_over(self._app(scope, body.receive, answer.send))
        except (Busy, TooLarge, ServerStopping, BodyEncoded) as error:
            if not answer.begun:
                await errors.response_to(error)(scope, receive, answer.send)
        finally:
            if answer.status == 429:
                self._services.metrics.refused.labels("requests").inc()

    async def _unless_over(self, work: Awaitable[None]) -> None:
        """Await `work`. Raises Ending where the server stops before it is done."""
        working = asyncio.ensure_future(work)
        over = asyncio.create_task(self._services.draining.wait_over())
        try:
            await asyncio.wait({working, over}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ServerStopping("the server stopped before this was done; send the request again")
            working.result()
        finally:
            over.cancel()
            if not working.done():
                working.cancel()
                await asyncio.wait({working}, timeout=LINGER_SECONDS)
            if working.done() and not working.cancelled():
                working.exception()  # of what was given up, nobody is told

    def _limit(self, headers: Headers) -> int:
        """Return the limit of the body in bytes. Parts of a form go to the disk, all else is in memory."""
        settings = self._services.settings
        if headers.get("content-type", "").lower().startswith("multipart/form-data"):
            return settings.upload
        return min(settings.upload, _JSON_OVERHEAD + 12 * settings.characters)


class PacedRequest:
    """A request as it is read, by a client that may stop for `idle` seconds or send PACE bytes a second.

    `spare` is how long it may still send nothing: time uses it up, and what comes restores it.
    """

    def __init__(self, inner: Receive, idle: float) -> None:
        self.inner, self.idle, self.spare = inner, idle, idle
        self.ended = False
        self.late: TooSlow | None = None  # what was raised

    async def receive(self) -> Message:
        """Return the next message. Raises TooSlow."""
        if self.ended:
            return await self.inner()
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.spare):
                message = await self.inner()
        except TimeoutError:
            self.ended = True
            self.late = TooSlow(f"too little came in {self.idle:g} s; send the request again")
            raise self.late from None
        came = len(message.get("body", b"")) / MIN_BYTES_PER_SECOND
        self.spare = min(self.idle, self.spare - (time.monotonic() - begun) + came)
        self.ended = not message.get("more_body", False)
        return message


@dataclass
class RequestBody:
    """The body of a request: at most `limit` bytes; its end, or what is beyond HELD, waits for a place."""

    inner: PacedRequest
    limit: int
    position: QueuePosition | None = None
    read: int = 0
    _next: list[Message] = field(default_factory=list)  # read while the request waited

    @property
    def ended(self) -> bool:
        return self.inner.ended

    def check(self, announced: str) -> None:
        """Check the announced length. Raises TooLarge."""
        if announced.isdecimal() and int(announced) > self.limit:
            raise self._too_much()

    async def receive(self) -> Message:
        """Return the next message. Raises TooLarge, TooSlow, Busy or ClientGone."""
        if self.ended and not self._next:
            return await self.inner.receive()
        message = self._next.pop() if self._next else await self.inner.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone("the client went away while it was sending")
        self.read += len(message.get("body", b""))
        if self.read > self.limit:
            raise self._too_much()
        if self.position and not self.position.has_slot and (self.ended or self.read > MAX_BYTES_BEFORE_SLOT):
            await self._wait_for_slot(self.position)
        return message

    async def _wait_for_slot(self, position: QueuePosition) -> None:
        """Wait for a slot, as long as the client does. Raises Busy, or ClientGone where it goes away."""
        slot = asyncio.create_task(position.wait_for_slot())
        gone = asyncio.create_task(self._wait_until_gone())
        try:
            await asyncio.wait({slot, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not slot.done():
                gone.result()
                raise ClientGone("the client went away while it waited")
            slot.result()
        finally:
            for task in (slot, gone):
                task.cancel()
            await asyncio.wait({slot, gone})

    async def _wait_until_gone(self) -> None:
        """Return when the client has gone. One that is not done sending is read once more, no further."""
        if not self.ended:
            self._next.append(await self.inner.receive())
            if not self.ended:
                await asyncio.Event().wait()
        while (await self.inner.inner())["type"] != "http.disconnect":
            pass

    async def drain(self) -> None:
        """Let the rest go by, for a while."""
        with suppress(TimeoutError, VoiceError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.ended:
                    await self.inner.receive()

    def _too_much(self) -> TooLarge:
        return TooLarge(f"the request is larger than the {self.limit / 1e6:g} MB that this server takes")


@dataclass
class LingeringResponse:
    """The answer on its way: one that comes before the whole request was read waits for the rest of it.

    A connection that is closed while the client still sends is reset, and the answer lost with it.
    """

    inner: Send
    body: RequestBody
    lingers: bool
    status: int = 0

    @property
    def begun(self) -> bool:
        return self.status > 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and self.lingers and not self.body.ended:
            await self.inner({**message, "more_body": True})
            await self.body.drain()
            message = {"type": "http.response.body", "body": b""}
        await self.inner(message)

"""How much a request may bring, how slowly, and how many are worked on at a time.

What is too large is refused by its announced length, or else as soon as it has come; the next
request over the number of places is refused at once. The place is held until the work has ended,
not until the client has gone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voice.serve import errors
from voice.serve.errors import TooMuch, TooSlow, Vanished
from voice.serve.services import Services
from voice.serve.slots import Busy

LINGER = 5.0  # seconds in which a refused client may finish sending, so that it gets to read why
_TEXT = 65_536  # bytes of a request besides its text, each character of which may take twelve in JSON


class Limits:
    """ASGI middleware around the requests that make the server work."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body = Body(receive, self._limit(headers), self._services.settings.idle)
        answer = Answer(send, body, patient="expect" not in headers)
        try:
            body.check(headers.get("content-length", ""))
            with self._services.requests.take():
                await self._app(scope, body.receive, answer.send)
        except (Busy, TooMuch) as error:
            if isinstance(error, Busy):
                self._services.metrics.refused.labels("requests").inc()
            await errors.of(error)(scope, receive, answer.send)

    def _limit(self, headers: Headers) -> int:
        """Bytes that the body may have. Only parts of a form go to the disk, the rest is held in memory."""
        settings = self._services.settings
        if headers.get("content-type", "").lower().startswith("multipart/form-data"):
            return settings.upload
        return min(settings.upload, _TEXT + 12 * settings.characters)


@dataclass
class Body:
    """The body of a request as it is read: at most `limit` bytes, each piece within `idle` seconds."""

    inner: Receive
    limit: int
    idle: float
    read: int = 0
    ended: bool = False

    def check(self, announced: str) -> None:
        """Raises TooMuch for what says that it is too long."""
        if announced.isdecimal() and int(announced) > self.limit:
            raise self._too_much()

    async def receive(self) -> Message:
        """The next message. Raises TooMuch, TooSlow, or Vanished where the client goes away."""
        if self.ended:
            return await self.inner()
        try:
            async with asyncio.timeout(self.idle):
                message = await self.inner()
        except TimeoutError:
            self.ended = True
            raise TooSlow(f"nothing came for {self.idle:g} s; send the request again") from None
        if message["type"] == "http.disconnect":
            self.ended = True
            raise Vanished("the client went away while it was sending")
        self.read += len(message.get("body", b""))
        self.ended = not message.get("more_body", False)
        if self.read > self.limit:
            raise self._too_much()
        return message

    async def drain(self) -> None:
        """Let the rest go by, for a while."""
        try:
            async with asyncio.timeout(LINGER):
                while not self.ended:
                    message = await self.inner()
                    self.ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
        except TimeoutError:
            pass

    def _too_much(self) -> TooMuch:
        return TooMuch(f"the request is larger than the {self.limit / 1e6:g} MB that this server takes")


@dataclass
class Answer:
    """The answer on its way: one that comes before the whole request was read waits for the rest of it.

    A connection that is closed while the client still sends is reset, and the answer lost with it.
    """

    inner: Send
    body: Body
    patient: bool

    async def send(self, message: Message) -> None:
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and self.patient and not self.body.ended:
            await self.inner({**message, "more_body": True})
            await self.body.drain()
            message = {"type": "http.response.body", "body": b""}
        await self.inner(message)

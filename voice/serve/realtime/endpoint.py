"""The WebSocket itself: who gets a slot, how much may be sent, when a connection ends."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from voice.errors import ModelMissing
from voice.serve import errors
from voice.serve.draining import Draining
from voice.serve.realtime.mailboxes import ClientTooSlow, Inbox, Outbox
from voice.serve.realtime.protocol.configuration import Configuration, InputTranscription
from voice.serve.realtime.protocol.items import new_id
from voice.serve.realtime.session_agent import open_agent as open_session_agent
from voice.serve.realtime.session_thread import AgentOpener, start_session_thread
from voice.serve.services import Services
from voice.serve.settings import LOOPBACK, Settings
from voice.serve.slots import Busy, SlotLease

MAX_FRAME = 16 << 20  # characters: three minutes of PCM in base64
MAX_FRAMES_PER_SECOND = 1000  # a second, of which a second's worth may come at once; then the client waits
SUBPROTOCOL, BETA_SUBPROTOCOL = "realtime", "openai-beta.realtime-v1"  # subprotocols that browsers offer
CLOSE_TIMEOUT = 5.0  # seconds for a client to take leave
ASKS_FOR_STATUS = "x-voice-refuse"  # a header by which proxies do: see deploy/nginx.conf
# Close codes. Clients take 1000 for an end that both sides wanted, and do not connect again.
TOO_LARGE, NOT_TEXT, TOO_SLOW, TRY_LATER, IDLE, RESTART = 1009, 1003, 1008, 1013, 1001, 1012

_MAX_NAME = 200  # characters of a model's name that are repeated to the client
_FORWARDED = frozenset(["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"])
_LOG = logging.getLogger("uvicorn.error")


class ConnectionEnded(Exception):
    """The connection ends, for the reason given."""

    def __init__(self, code: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.code, self.kind = code, kind


def _stopping() -> ConnectionEnded:
    return ConnectionEnded(RESTART, "draining", "the server is stopping; connect again in a moment")


@dataclass
class Activity:
    """When something was last sent or received, in seconds of the monotonic clock."""

    last: float

    def note(self) -> None:
        self.last = time.monotonic()

    def seconds_left(self, idle: float) -> float:
        return self.last + idle - time.monotonic()


def add_realtime(app: FastAPI, services: Services, open_agent: AgentOpener = open_session_agent) -> None:
    """Serve live sessions at `/v1/realtime`; `open_agent` opens the agent of each."""

    @app.websocket("/v1/realtime")
    async def realtime(socket: WebSocket) -> None:
        if services.draining.begun:
            await _refuse(socket, _stopping(), 503)
            return
        try:
            slot = services.sessions.take()
        except Busy as busy:
            services.metrics.refused.labels("sessions").inc()
            await _refuse(socket, ConnectionEnded(TRY_LATER, "busy", str(busy)), 429)
            return
        services.metrics.sessions.inc()
        await _serve(socket, services, slot, open_agent)

    services.metrics.gauge("sessions_open", "Live sessions now", lambda: services.sessions.used_slots)


async def _refuse(socket: WebSocket, reason: ConnectionEnded, status: int) -> None:
    """Answer with an HTTP status; a browser, which shows its page none, with an event and a close code.

    A proxy sees neither of those: it asks for the status, so that it can try the next replica.
    """
    if "origin" not in socket.headers or socket.headers.get(ASKS_FOR_STATUS) == "status":
        await socket.send_denial_response(errors.error_response(status, str(reason), code=reason.kind))
        return
    await socket.accept(_subprotocol(socket))
    await _close(socket, reason)


async def _serve(socket: WebSocket, services: Services, slot: SlotLease, open_agent: AgentOpener) -> None:
    loop = asyncio.get_running_loop()
    inbox, outbox = Inbox(loop), Outbox(loop)
    try:
        await socket.accept(_subprotocol(socket))
        settings = _initial_configuration(socket, services)
        ended = start_session_thread(
            services, settings, inbox, outbox, open_agent, _speaks_beta(socket), slot
        )
    except BaseException:
        slot.release()
        raise
    activity = Activity(time.monotonic())
    work = [
        asyncio.create_task(_receive(socket, inbox, activity)),
        asyncio.create_task(_send(socket, outbox, activity, services.settings.idle)),
        asyncio.create_task(_watch(activity, services.settings.live_idle)),
        asyncio.create_task(_end_in_time(services.draining, outbox)),
    ]
    try:
        done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        reason = _reason([error for task in done if (error := task.exception())])
    finally:
        inbox.close()
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    await _close(socket, reason)
    await ended.wait()


def _reason(errors: Sequence[BaseException]) -> ConnectionEnded | None:
    """Return why the connection ends, if not by the client; unforeseen errors go to the log."""
    for error in errors:
        if not isinstance(error, ConnectionEnded):
            _LOG.error("a live line failed", exc_info=error)
    return next((error for error in errors if isinstance(error, ConnectionEnded)), None)


async def _receive(socket: WebSocket, inbox: Inbox, activity: Activity) -> None:
    """Pass frames to the session. Raises ConnectionEnded for one that is too large or no text."""
    allowed, refilled = float(MAX_FRAMES_PER_SECOND), time.monotonic()
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            raise ConnectionEnded(
                NOT_TEXT, "not_text", "an event is JSON in a text frame; sound is base64 in it"
            )
        if len(text) > MAX_FRAME:
            raise ConnectionEnded(TOO_LARGE, "too_large", f"an event is longer than {MAX_FRAME >> 20} MiB")
        activity.note()
        now = activity.last
        allowed = min(MAX_FRAMES_PER_SECOND, allowed + (now - refilled) * MAX_FRAMES_PER_SECOND) - 1
        refilled = now
        if allowed < 0:
            await asyncio.sleep(-allowed / MAX_FRAMES_PER_SECOND)
        await inbox.put(text)


async def _send(socket: WebSocket, outbox: Outbox, activity: Activity, idle: float) -> None:
    """Send what the session says, to its end. Raises ConnectionEnded where the client does not read it."""
    try:
        while (text := await outbox.get()) is not None:
            async with asyncio.timeout(idle):
                await socket.send_text(text)
            activity.note()
    except (ClientTooSlow, TimeoutError):
        raise ConnectionEnded(TOO_SLOW, "too_slow", "events were not taken in time; connect again") from None
    except (WebSocketDisconnect, RuntimeError):  # the client has gone; starlette says it either way
        return


async def _watch(activity: Activity, idle: float) -> None:
    """Raise ConnectionEnded once nothing has come or gone for `idle` seconds."""
    while (left := activity.seconds_left(idle)) > 0:
        await asyncio.sleep(left)
    raise ConnectionEnded(
        IDLE, "idle_timeout", f"nothing was said for {idle:g} seconds; connect again to go on"
    )


async def _end_in_time(draining: Draining, outbox: Outbox) -> None:
    """Tell the client when the server has been told to stop. Raises ConnectionEnded when its time is up."""
    await draining.wait()
    left = round(draining.seconds_left, 1)
    notice = {"type": "session.ending", "event_id": new_id("event"), "seconds": left}
    outbox.put(json.dumps(notice))
    with suppress(TimeoutError):
        async with asyncio.timeout(draining.seconds_left):
            await draining.wait_over()
    raise _stopping()


async def _close(socket: WebSocket, reason: ConnectionEnded | None) -> None:
    """Tell why, and close; do not wait for a client that has gone."""
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError, OSError):
        async with asyncio.timeout(CLOSE_TIMEOUT):
            if reason:
                await socket.send_text(_error_event(reason.kind, str(reason)))
            await socket.close(reason.code if reason else 1000, str(reason)[:100] if reason else None)


def _error_event(code: str, message: str) -> str:
    kind = "rate_limit_error" if code == "busy" else "invalid_request_error"
    about = {"type": kind, "code": code, "message": message, "param": None, "event_id": None}
    return json.dumps({"type": "error", "event_id": new_id("event"), "error": about})


def _subprotocol(socket: WebSocket) -> str | None:
    """Choose what to confirm to a browser, which offers names beside its key; None without such."""
    offered = socket.scope.get("subprotocols", ())
    return next((each for each in (SUBPROTOCOL, BETA_SUBPROTOCOL) if each in offered), None)


def _speaks_beta(socket: WebSocket) -> bool:
    """Tell whether the client speaks the beta: it says so in a header or, in a browser, a subprotocol."""
    asked = "realtime=v1" in socket.headers.get("openai-beta", "")
    return asked or BETA_SUBPROTOCOL in socket.scope.get("subprotocols", ())


def _is_owner(socket: WebSocket, settings: Settings) -> bool:
    """Tell whether the client is this server's own page in a browser of the one machine that can reach it.

    Who has a token, or comes by a proxy, may be one of many.
    """
    if not settings.local or settings.token or _FORWARDED & {*socket.headers}:
        return False
    page = urlsplit(socket.headers.get("origin", ""))
    return page.netloc == socket.headers.get("host") and page.hostname in LOOPBACK


def _initial_configuration(socket: WebSocket, services: Services) -> Configuration:
    """Return the first settings of a session, by its address and the settings of the server."""
    wanted, recognizer = socket.query_params.get("model", "")[:_MAX_NAME], ""
    with suppress(ModelMissing):  # a name of nothing here is no reason to turn a live client away
        recognizer = services.live_name(wanted)
    first = Configuration(
        wanted or "default",
        recognizer,
        services.names("voice")[0],
        transcription=InputTranscription(recognizer),
        owner=_is_owner(socket, services.settings),
    )
    if socket.query_params.get("intent") == "transcription":
        return replace(first, kind="transcription")
    return first


__all__ = ["add_realtime"]

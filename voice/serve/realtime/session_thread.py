"""The thread of one session: it takes texts from the inbox, one after the other, and lets time pass."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from contextlib import closing
from functools import partial
from typing import Any, Protocol

from voice.agent.work import Threads, Work
from voice.errors import VoiceError
from voice.serve.realtime.event_sender import EventSender
from voice.serve.realtime.mailboxes import Inbox, Outbox
from voice.serve.realtime.protocol.beta import to_beta
from voice.serve.realtime.protocol.client_events import parse
from voice.serve.realtime.protocol.configuration import Configuration
from voice.serve.realtime.protocol.fields import ProtocolError
from voice.serve.realtime.protocol.items import new_id
from voice.serve.realtime.session import Session
from voice.serve.realtime.session_agent import SessionAgent
from voice.serve.services import Services
from voice.serve.slots import SlotLease

MAX_MISTAKES = 50  # malformed events in a row; then the session ends


class AgentOpener(Protocol):
    """A function that opens the agent of a session, which works in the threads of `work`."""

    def __call__(self, services: Services, settings: Configuration, /, *, work: Work) -> SessionAgent: ...


_LOG = logging.getLogger("uvicorn.error")
_SOUND = frozenset(["response.output_audio.delta", "response.audio.delta"])


def start_session_thread(
    services: Services,
    settings: Configuration,
    inbox: Inbox,
    outbox: Outbox,
    open_agent: AgentOpener,
    beta: bool,
    slot: SlotLease,
) -> asyncio.Event:
    """Start a session's thread, which ends when the inbox is closed, and then releases its slot.

    The event that is returned is set once the thread has ended.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def live() -> None:
        try:
            _run_session(services, settings, inbox, outbox, open_agent, beta)
        finally:
            outbox.close()
            slot.release()
            _set_from_thread(loop, ended)

    threading.Thread(target=live, name="realtime", daemon=True).start()
    return ended


def _set_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(event.set)
    except RuntimeError:  # the server has been stopped
        pass


def _run_session(
    services: Services,
    settings: Configuration,
    inbox: Inbox,
    outbox: Outbox,
    open_agent: AgentOpener,
    beta: bool,
) -> None:
    def send(event: dict[str, Any]) -> None:
        shown = to_beta(event) if beta else event
        if shown is not None:
            text = json.dumps({"event_id": new_id("event")} | shown)
            outbox.put(text, sound=shown["type"] in _SOUND)

    latency = services.metrics.turn
    sender = EventSender(send, settings, discard_audio=outbox.discard_audio, observe_latency=latency.observe)
    try:
        agent = open_agent(services, settings, work=Threads(inbox.wake))
        session = Session(agent, sender, find_voice=partial(services.resolve, kind="voice"), beta=beta)
        with closing(session):
            session.start()
            _handle_events(session, inbox)
    except VoiceError as error:
        send(_failure_event(str(error)))
    except Exception:
        _LOG.exception("a live session failed")
        send(_failure_event("the server failed; its log says more. Connect again"))


def _handle_events(session: Session, inbox: Inbox) -> None:
    mistakes = 0
    while not inbox.closed and mistakes < MAX_MISTAKES:
        text = inbox.get(session.patience)
        if text is None:
            session.tick()
            continue
        try:
            event = parse(text)
        except ProtocolError as error:
            mistakes += 1
            session.refuse(error)
            continue
        mistakes = 0
        session.take(event)


def _failure_event(message: str) -> dict[str, Any]:
    about = {"type": "server_error", "code": "failed", "message": message, "param": None, "event_id": None}
    return {"type": "error", "error": about}

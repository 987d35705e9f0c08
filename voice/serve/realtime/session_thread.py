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
from voice.serve.realtime import beta as dialect
from voice.serve.realtime.client_events import parse
from voice.serve.realtime.configuration import Configuration
from voice.serve.realtime.event_sender import EventSender
from voice.serve.realtime.fields import ProtocolError
from voice.serve.realtime.items import new_id
from voice.serve.realtime.mailboxes import Inbox, Outbox
from voice.serve.realtime.session import Session
from voice.serve.realtime.session_agent import Agent
from voice.serve.services import Services
from voice.serve.slots import SlotLease

MAX_MISTAKES = 50  # events in a row that make no sense; a client that goes on so is let go


class AgentOpener(Protocol):
    """Makes the agent of a session, which works as `work` has it."""

    def __call__(self, services: Services, settings: Configuration, /, *, work: Work) -> Agent: ...


_LOG = logging.getLogger("uvicorn.error")
_SOUND = frozenset(["response.output_audio.delta", "response.audio.delta"])


def start_session_thread(
    services: Services,
    settings: Configuration,
    inbox: Inbox,
    outbox: Outbox,
    opening: AgentOpener,
    beta: bool,
    slot: SlotLease,
) -> asyncio.Event:
    """Starts a session's thread, which ends when the inbox is closed, and then gives back its place.

    The event that is returned is set once it has ended.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def live() -> None:
        try:
            _run_session(services, settings, inbox, outbox, opening, beta)
        finally:
            outbox.close()
            slot.release()
            _notify(loop, ended)

    threading.Thread(target=live, name="realtime", daemon=True).start()
    return ended


def _notify(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(ended.set)
    except RuntimeError:  # the server has been stopped
        pass


def _run_session(services, settings, inbox, outbox, opening, beta) -> None:
    def send(event: dict[str, Any]) -> None:
        told = dialect.to_beta(event) if beta else event
        if told is not None:
            text = json.dumps({"event_id": new_id("event")} | told)
            outbox.put(text, sound=told["type"] in _SOUND)

    line = EventSender(send, settings, cut=outbox.cut, answered=services.metrics.turn.observe)
    try:
        agent = opening(services, settings, work=Threads(inbox.wake))
        session = Session(agent, line, voices=partial(services.resolve, kind="voice"), beta=beta)
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
            command = parse(text)
        except ProtocolError as error:
            mistakes += 1
            session.refuse(error)
            continue
        mistakes = 0
        session.take(command)


def _failure_event(message: str) -> dict[str, Any]:
    about = {"type": "server_error", "code": "failed", "message": message, "param": None, "event_id": None}
    return {"type": "error", "error": about}

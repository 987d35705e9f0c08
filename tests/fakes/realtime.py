"""Sessions of the Realtime protocol in the fakes' world, with and without a server around them."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import uvicorn
from fakes.agent import EvenVoice, LoudIsSpeech, Phrasebook, Script
from fakes.listener import listener

from voice.agent.listening.endpointing import SilenceEndpointer
from voice.agent.listening.recognition import WholeTurn
from voice.agent.work import INLINE, Work
from voice.serve.realtime.event_sender import EventSender
from voice.serve.realtime.protocol.client_events import parse
from voice.serve.realtime.protocol.configuration import Configuration
from voice.serve.realtime.protocol.fields import ProtocolError
from voice.serve.realtime.session import Session
from voice.serve.realtime.session_agent import open_agent
from voice.serve.services import Services
from voice.serve.settings import Settings
from voice.serve.slots import SlotLease, Slots

RATE = 24_000
PATIENCE = 20.0  # seconds after which a test is stuck


class LoudAtOurRate:
    """The fakes' detector at the protocol's rate, so that no resampling blurs their levels."""

    rate, hop = RATE, 768
    stream = LoudIsSpeech.stream


def services(book: Phrasebook, voice: EvenVoice | None = None, settings: Settings = Settings()) -> Services:
    models = {"recognizer": book, "voice": voice or EvenVoice()}
    book.rate = RATE
    return Services(
        settings,
        loader=lambda name, kind: models[kind],
        detector=LoudAtOurRate,
        turn_detector=lambda recognizer: SilenceEndpointer(),
    )


class Places:
    """Places of which one can wait until they are free."""

    def __init__(self, slots: Slots) -> None:
        self._slots, self._changed = slots, threading.Condition()

    @property
    def used(self) -> int:
        return self._slots.used_slots

    def take(self) -> _Place:
        return _Place(self._slots.take(), self._changed)

    def free(self, number: int = 0) -> bool:
        """Whether no more than `number` are in use, before patience runs out."""
        with self._changed:
            return self._changed.wait_for(lambda: self.used <= number, PATIENCE)


class _Place:
    def __init__(self, slot: SlotLease, changed: threading.Condition) -> None:
        self._slot, self._changed = slot, changed

    def release(self) -> None:
        with self._changed:
            self._slot.release()
            self._changed.notify_all()


@contextmanager
def running_app(app: Any) -> Iterator[int]:
    """The port of this machine at which an ASGI application is served."""
    listening = listener()
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


class Client:
    """A client whose frames come in time: what it sends moves the clock, what it is told is kept."""

    def __init__(
        self, book: Phrasebook, brain: Script, first: Configuration = Configuration(), work: Work = INLINE
    ) -> None:
        self.told: list[dict[str, Any]] = []
        self.now = 100.0
        self.cuts = 0
        host = services(book)
        agent = open_agent(host, first, brain, work, WholeTurn, stopwatch=lambda: 0.0)
        sender = EventSender(self.told.append, first, discard_audio=self._discard_audio)
        find_voice = partial(host.resolve, kind="voice")
        self.session = Session(agent, sender, find_voice=find_voice, clock=lambda: self.now)
        self.session.start()

    def _discard_audio(self) -> None:
        self.cuts += 1

    def send(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Sends an event; what it is told in return."""
        return self.raw(json.dumps({"type": kind} | fields))

    def raw(self, text: str) -> list[dict[str, Any]]:
        before = len(self.told)
        try:
            self.session.take(parse(text))
        except ProtocolError as error:
            self.session.refuse(error)
        return self.told[before:]

    def play(self, *sounds: np.ndarray, frame: float = 0.02) -> list[dict[str, Any]]:
        """Sends 16 kHz sounds in frames at the pace of the clock."""
        before = len(self.told)
        samples = at_24k(np.concatenate(sounds))
        size = round(frame * RATE)
        for at in range(0, len(samples), size):
            piece = samples[at : at + size]
            self.now += len(piece) / RATE
            self.send("input_audio_buffer.append", audio=encode_pcm16(piece))
        return self.told[before:]

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Sends nothing for a while."""
        before, end = len(self.told), self.now + seconds
        while self.now < end:
            patience = self.session.patience
            self.now = min(end, self.now + (seconds if patience is None else patience))
            self.session.tick()
        return self.told[before:]


def at_24k(samples: np.ndarray) -> np.ndarray:
    """The fakes' speech, which is constant in level, at the protocol's rate."""
    return samples[np.arange(len(samples) * 3 // 2) * 2 // 3]


def encode_pcm16(samples: np.ndarray) -> str:
    return base64.b64encode(np.round(samples * 32768).clip(-32768, 32767).astype("<i2").tobytes()).decode()


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """Their types, each run of equal ones once."""
    return list(_runs(event["type"] for event in events))


def _runs(names: Iterator[str]) -> Iterator[str]:
    last = None
    for name in names:
        if name != last:
            yield name
        last = name


def sound(events: list[dict[str, Any]]) -> np.ndarray:
    """The speech in some events, (T,) float32 at 24 kHz."""
    deltas = [each["delta"] for each in events if each["type"] == "response.output_audio.delta"]
    return np.frombuffer(b"".join(map(base64.b64decode, deltas)), "<i2").astype(np.float32) / 32768

"""A server on this machine with models that are made up, and clients that misbehave."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from fakes.agent import RATE, EvenVoice, LoudIsSpeech
from fakes.realtime import running_app
from openai import OpenAI

from voice import audio
from voice.abilities import Traits
from voice.asr.diarization.speakers import SpeakerTurn
from voice.serve import Services, Settings, build
from voice.types import Audio, Controls, Segment, Speech, Transcript, Word

PATIENCE = 20.0  # seconds after which a test is stuck


class Counting:
    """Recognizes each window as the next number. `gate` holds it up, `begun` tells that it has begun."""

    rate, traits = RATE, Traits()
    NUMBERS = ("one", "two", "three", "four", "five", "six")

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, tuple[str, ...], str]] = []
        self.begun, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]:
        self.begun.set()
        assert self.gate.wait(PATIENCE)
        return [self._transcript(speech, language, hotwords, task) for speech in speeches]

    def _transcript(self, speech, language, hotwords, task) -> Transcript:
        text = self.NUMBERS[len(self.asked) % len(self.NUMBERS)]
        self.asked.append((language, tuple(hotwords), task))
        word = Word(text, 0.1, 0.4, 0.9)
        return Transcript((Segment(text, 0.1, 0.4, (word,)),), language or "en", speech.duration)


class Sentences:
    """A voice that speaks a sentence for each full stop; all but the first wait for `gate`."""

    rate = 24_000

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.speeds: list[float] = []
        self.begun, self.gate, self.closed = threading.Event(), threading.Event(), threading.Event()
        self.gate.set()
        self._even = EvenVoice(level=0.02)

    def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
        self.speeds.append(controls.speed)
        try:
            for number, sentence in enumerate(each.strip() for each in text.split(".") if each.strip()):
                self.begun.set()
                assert number == 0 or self.gate.wait(PATIENCE)
                self.spoken.append(sentence)
                yield from self._even.speak(sentence, controls)
        finally:
            self.closed.set()


class InTurns:
    """Tells speakers apart by the clock: every twenty seconds it is the other one's turn."""

    def stream(self) -> InTurns:
        return InTurns()

    def through(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        self._blocks = 0
        for block in blocks:
            self._blocks += 1
            yield block

    def turns(self, count: int | None) -> tuple[SpeakerTurn, ...]:
        assert self._blocks, "who speaks is asked before anything was heard"
        people = count or 2
        return tuple(SpeakerTurn(n % people, n * 20.0, n * 20.0 + 20.0) for n in range(4))


class Places:
    """The places for requests, which one can wait for until all are free."""

    def __init__(self, services: Services) -> None:
        self._lines = services.transcription_queue, services.speech_queue

    @property
    def used(self) -> int:
        return sum(line.used_slots for line in self._lines)

    @property
    def waiting(self) -> int:
        return sum(line.waiting for line in self._lines)

    def free(self) -> bool:
        """Whether nobody holds or awaits a place before patience has run out."""
        return until(lambda: self.used + self.waiting == 0)


def until(true: Callable[[], bool]) -> bool:
    """Whether something becomes true before patience has run out."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


class World:
    """A running server, its models and its address."""

    def __init__(self, settings: Settings) -> None:
        self.recognizer, self.voice = Counting(), Sentences()
        made = {"recognizer": self.recognizer, "voice": self.voice, "speakers": InTurns()}
        self.services = Services(settings, loader=lambda name, kind: made[kind], detector=LoudIsSpeech)
        self.slots = Places(self.services)
        self.port = 0
        self._clients: dict[str, OpenAI] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str = "none") -> OpenAI:
        if token not in self._clients:  # making one takes longer than a request
            self._clients[token] = OpenAI(
                base_url=f"{self.url}/v1", api_key=token, max_retries=0, timeout=PATIENCE
            )
        return self._clients[token]

    def connect(self, head: str, body: bytes = b"") -> socket.socket:
        """A connection over which a request, or a part of one, has been sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        return connection


@contextmanager
def serving(settings: Settings = Settings()) -> Iterator[World]:
    """A server with fake models on a free port of this machine."""
    world = World(settings)
    with running_app(build(world.services)) as world.port:
        yield world


def recording(*seconds: float, gap: float = 3.0, form: str = "wav") -> bytes:
    """A file with stretches of sound that count as speech, silence between them."""
    parts = [np.zeros(RATE // 2, np.float32)]
    for length in seconds:
        parts += [np.full(round(length * RATE), 0.2, np.float32), np.zeros(round(gap * RATE), np.float32)]
    held = io.BytesIO()
    encoder = audio.Encoder(held, form, RATE)
    encoder.write(np.concatenate(parts))
    encoder.close()
    return held.getvalue()


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))

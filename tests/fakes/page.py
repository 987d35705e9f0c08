"""Servers for tests of the page: the page with models that are made up, and a Talk that does as it is told.

To the latter loud frames are speech, and its answers are a tone.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import uvicorn
from fakes.agent import EvenVoice, LoudIsSpeech, Phrasebook
from fakes.listener import listener
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from page import temporary_files
from voice.abilities import Traits
from voice.asr.diarization.speakers import SpeakerTurn
from voice.serve import Services, Settings
from voice.types import Audio, Segment, Transcript, Word

RATE = 24_000
LOUD = 0.02  # RMS of a frame that is speech
PAUSE = 15  # quiet frames after which a turn is over
BARGE = 8  # loud frames over an answer that stop it


@dataclass
class Scene:
    """What all connections share: what is said and answered, and what came from the page."""

    heard: Sequence[str] = ("What is twelve times seven?",)
    answers: Sequence[str] = ("Twelve times seven is eighty-four.",)
    seconds: float = 1.2  # that an answer lasts
    chunk: float = 0.02  # of each delta
    late: Sequence[float] = (0.0,)  # seconds that deltas are held back, in turn; in real time if not zero
    slow: float = 0.0  # seconds until the session is there
    refuse: tuple[int, str] | None = None  # code and reason with which every connection is closed
    received: list[dict] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    turns: int = 0
    loop: asyncio.AbstractEventLoop | None = None  # of the server

    def of(self, kind: str) -> list[dict]:
        """The events of a type that came from the page."""
        return [event for event in list(self.received) if event["type"] == kind]


def scene_server(scene: Scene) -> FastAPI:
    """A server whose /v1/realtime plays the scene."""
    server = FastAPI()
    voices = [{"id": name, "kind": "voice"} for name in ("heart", "kathleen")]
    server.get("/v1/models")(lambda: {"data": voices})

    @server.websocket("/v1/realtime")
    async def talk(socket: WebSocket) -> None:
        await socket.accept(subprotocol="realtime")
        if scene.refuse:
            await socket.close(*scene.refuse)
            return
        scene.sockets.append(socket)
        scene.loop = asyncio.get_running_loop()
        session = Played(scene, socket)
        await asyncio.sleep(scene.slow)
        await session.send("session.created", session={"type": "realtime"})
        try:
            while True:
                await session.take(json.loads(await socket.receive_text()))
        except WebSocketDisconnect:
            session.cancel()

    return server


class Played:
    """One connection."""

    def __init__(self, scene: Scene, socket: WebSocket) -> None:
        self.scene, self.socket = scene, socket
        self.frames = self.loud = self.quiet = 0
        self.item = ""
        self.answer: asyncio.Task | None = None

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send_text(json.dumps({"type": kind, **fields}))

    async def take(self, event: dict) -> None:
        if event["type"] != "input_audio_buffer.append":
            self.scene.received.append(event)
            if event["type"] == "response.cancel":
                await self.interrupt()
            return
        pcm = np.frombuffer(base64.b64decode(event["audio"]), "<i2") / 32768
        assert len(pcm) == 480, "a frame is 20 ms"
        self.scene.received.append({"type": "frame", "level": float(np.sqrt(np.mean(pcm**2)))})
        self.frames += 1
        await self.hear(np.sqrt(np.mean(pcm**2)) > LOUD)

    async def hear(self, loud: bool) -> None:
        self.loud, self.quiet = (self.loud + 1, 0) if loud else (self.loud, self.quiet + 1)
        speaking = self.answer is not None and not self.answer.done()
        if not self.item and self.loud >= (BARGE if speaking else 2):
            await self.begin()
        elif self.item and self.loud % 10 == 5 and loud:
            words = self.words().split()
            known = min(len(words) - 1, self.loud // 10)
            stable, tail = " ".join(words[:known]), " ".join(words[known : known + 2])
            await self.send("voice.partial", item_id=self.item, stable=stable, tail=tail)
        elif self.item and self.quiet >= PAUSE:
            await self.end()
        if not self.item and self.quiet >= PAUSE:
            self.loud = 0

    def words(self) -> str:
        return self.scene.heard[self.scene.turns % len(self.scene.heard)]

    async def begin(self) -> None:
        await self.interrupt()
        self.item = f"person_{self.scene.turns}"
        start = 20 * self.frames
        await self.send("input_audio_buffer.speech_started", item_id=self.item, audio_start_ms=start)

    async def end(self) -> None:
        at = 20 * (self.frames - self.quiet)
        await self.send("input_audio_buffer.speech_stopped", item_id=self.item, audio_end_ms=at)
        await self.send("input_audio_buffer.committed", item_id=self.item)
        done = "conversation.item.input_audio_transcription.completed"
        await self.send(done, item_id=self.item, content_index=0, transcript=self.words())
        self.answer = asyncio.create_task(self.speak(self.scene.turns))
        self.item, self.loud = "", 0
        self.scene.turns += 1

    async def speak(self, turn: int) -> None:
        answers, where = self.scene.answers, {"item_id": f"agent_{turn}", "response_id": f"response_{turn}"}
        await self.send("response.created", response={"id": f"response_{turn}", "status": "in_progress"})
        text = answers[turn % len(answers)]
        await self.send("response.output_audio_transcript.delta", delta=text, **where)
        for number, chunk in enumerate(tone(self.scene.seconds, self.scene.chunk)):
            if any(self.scene.late):
                late = self.scene.late[number % len(self.scene.late)]
                await asyncio.sleep(max(0.0, self.due(number) + late - asyncio.get_running_loop().time()))
            await self.send("response.output_audio.delta", delta=chunk, **where)
        await self.send("response.output_audio.done", **where)
        await self.send("voice.latency", turn_end_ms=300, first_words_ms=310, first_audio_ms=400)
        await self.send("response.done", response={"id": f"response_{turn}", "status": "completed"})
        await asyncio.sleep(max(0.0, self.scene.seconds - 0.2))  # it is being played meanwhile

    def due(self, number: int) -> float:
        """When a delta would be sent by a clock."""
        if number == 0:
            self.started = asyncio.get_running_loop().time()
        return self.started + number * self.scene.chunk

    async def interrupt(self) -> None:
        if self.answer is None or self.answer.done():
            return
        self.cancel()
        response = {"id": f"response_{self.scene.turns - 1}", "status": "cancelled"}
        await self.send("response.done", response=response)

    def cancel(self) -> None:
        if self.answer:
            self.answer.cancel()


def tone(seconds: float, chunk: float) -> list[str]:
    """A tone of 440 Hz as the line carries it, in pieces."""
    times = np.arange(round(seconds * RATE)) / RATE
    pcm = np.round(8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2")
    size = round(chunk * RATE)
    return [base64.b64encode(pcm[at : at + size].tobytes()).decode() for at in range(0, len(pcm), size)]


class Batches(Phrasebook):
    """A phrasebook that also takes several stretches at once, as files need it."""

    traits = Traits()

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]:
        words = (Word("What", 0.1, 0.3, 0.95), Word("time?", 0.3, 0.6, 0.4))
        return [Transcript((Segment("What time?", 0.1, 0.6, words),), "en", 1.0) for _ in speeches]


class Alternating:
    """Two people, the second of whom begins after 0.3 s."""

    def stream(self) -> Alternating:
        return self

    def through(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        return blocks

    def turns(self, count: int | None = None) -> tuple[SpeakerTurn, ...]:
        return SpeakerTurn(0, 0.0, 0.3), SpeakerTurn(1, 0.3, 1.6)


BOOK = Batches("What time?")


def services(voice: EvenVoice = EvenVoice(), settings: Settings = Settings()) -> Services:
    """What is shared, with models that are made up."""
    made = {"recognizer": BOOK, "voice": voice, "speakers": Alternating()}
    return Services(settings, loader=lambda name, kind: made[kind], detector=LoudIsSpeech)


@contextmanager
def serving_page(settings: Settings = Settings()) -> Iterator[str]:
    """The address of the page, with models that are made up."""
    import app

    listening = listener()
    server = uvicorn.Server(uvicorn.Config(app.server(services(settings=settings)), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


def kept_files(name: str) -> list[Path]:
    """Return the files of a name that the page keeps, whatever goes away meanwhile."""
    # Not `rglob`, which fails where a folder goes away while it looks.
    folders = os.walk(temporary_files.private_folder())
    return [Path(folder, name) for folder, _, files in folders if name in files]

"""A client of a server's live sessions, in real time: sound in and out as the page has it.

The line can be made late: each message is then up to `jitter` seconds under way, both ways, in order.
What comes is played through a buffer like the page's.
"""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from benchmarks.turn_taking.noises import RATE
from benchmarks.turn_taking.room import FRAME
from voice.agent.events import (
    Event,
    Heard,
    Interrupted,
    Latency,
    Paused,
    Resumed,
    SpeechStarted,
    Trouble,
    TurnEnded,
)
from voice.serve.realtime.protocol.resampling import LowLatencyResampler

LINE_RATE = 24_000
CUSHION = 0.08  # seconds that the page's buffer holds before it plays
GROWTH, LARGEST = 0.04, 0.3  # and by how much it grows after a gap, and up to what
TELL = 10  # frames between two reports of what has been played
PLACE = 5.0  # seconds for which a place is asked again


class Busy(Exception):
    """The server has no place; it says why."""


class Buffer:
    """Sound that comes unevenly goes out evenly. `gaps` are those in the middle of an answer (s)."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.played = 0.0  # seconds of the present answer
        self.held = False
        self._cushion = CUSHION
        self.flush()

    def add(self, samples: np.ndarray) -> None:
        if self._whole:
            self.flush()
        self._samples = np.concatenate((self._samples, samples))

    def end(self) -> None:
        """Note that no more of this answer comes."""
        self._whole = True

    def flush(self) -> None:
        self._samples = np.zeros(0, np.float32)
        self._whole = self._rolling = self.held = False
        self._dry: int | None = None  # frames since it ran out
        self.played = 0.0

    def play(self) -> np.ndarray:
        """Return the next (FRAME,) samples."""
        silence = np.zeros(FRAME, np.float32)
        if self.held or not self._ready():
            self._dry = self._dry + 1 if self._dry is not None and not self.held else self._dry
            return silence
        frame, self._samples = self._samples[:FRAME], self._samples[FRAME:]
        self.played += len(frame) / RATE
        if not len(self._samples):
            self._rolling = False
            self._dry = None if self._whole else 0
        silence[: len(frame)] = frame
        return silence

    def _ready(self) -> bool:
        if self._rolling:
            return True
        if not len(self._samples) or not (self._whole or len(self._samples) >= self._cushion * RATE):
            return False
        if self._dry:
            self.gaps.append(self._dry * FRAME / RATE)
            self._cushion = min(LARGEST, self._cushion + GROWTH)
        self._rolling, self._dry = True, None
        return True


class Wire:
    """A session through the socket: `exchange` returns when its 20 ms have passed."""

    def __init__(self, url: str, *, jitter: float = 0.0, seed: int = 0) -> None:
        """Open a session. Raises Busy where the server has no place."""
        self.late = 0.0  # seconds that this client itself was behind its time at most
        self.buffer = Buffer()
        self._jitter, self._random = jitter, random.Random(seed)
        self._line = _connect(url)
        self._up = LowLatencyResampler(RATE, LINE_RATE)
        self._down = LowLatencyResampler(LINE_RATE, RATE)
        self._arrived: deque[tuple[float, dict[str, Any]]] = deque()  # when each is there
        self._leaving: deque[tuple[float, str]] = deque()
        self._item = ""  # the answer that is played
        self._dropped: set[str] = set()
        self._next = np.zeros(FRAME, np.float32)
        self._frames, self._begun = 0, 0.0
        threading.Thread(target=self._receive, daemon=True).start()
        self._tell({"type": "session.update", "session": {"type": "realtime", "voice": {"events": True}}})

    def ask(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        self._tell(
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "user", "content": content},
            }
        )
        self._tell({"type": "response.create"})

    def exchange(self, heard: np.ndarray) -> tuple[np.ndarray, list[Event]]:
        self._begun = self._begun or time.perf_counter()
        self._frames += 1
        due = self._begun + self._now
        time.sleep(max(0.0, due - time.perf_counter()))
        self.late = max(self.late, time.perf_counter() - due)
        self._append(heard)
        events = list(self._due_events())
        played, self._next = self._next, self.buffer.play()
        if self._item and self._frames % TELL == 0:
            milliseconds = round(1000 * self.buffer.played)
            self._tell({"type": "voice.played", "item_id": self._item, "audio_ms": milliseconds})
        return played, events

    def close(self) -> None:
        self._line.close()

    @property
    def _now(self) -> float:
        return self._frames * FRAME / RATE

    def _append(self, heard: np.ndarray) -> None:
        samples = self._up(heard)
        pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        self._tell({"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()})

    def _tell(self, event: dict[str, Any]) -> None:
        last = self._leaving[-1][0] if self._leaving else 0.0
        due = max(last, time.perf_counter() + self._jitter * self._random.random())
        self._leaving.append((due if self._jitter else 0.0, json.dumps(event)))
        with suppress(ConnectionClosed):
            while self._leaving and self._leaving[0][0] <= time.perf_counter():
                self._line.send(self._leaving.popleft()[1])

    def _receive(self) -> None:
        random_delay, last = random.Random(self._random.random()), 0.0
        with suppress(ConnectionClosed):
            for text in self._line:
                last = max(last, time.perf_counter() + self._jitter * random_delay.random())
                self._arrived.append((last, json.loads(text)))

    def _due_events(self) -> Iterator[Event]:
        while self._arrived and self._arrived[0][0] <= time.perf_counter():
            event = self._arrived.popleft()[1]
            self._sounds(event)
            yield from self._translate(event)

    def _sounds(self, event: dict[str, Any]) -> None:
        match event:
            case {"type": "response.output_audio.delta", "delta": delta, "response_id": response}:
                if response not in self._dropped:
                    self._item = event["item_id"]
                    samples = np.frombuffer(base64.b64decode(delta), "<i2").astype(np.float32) / 32768
                    self.buffer.add(self._down(samples))
            case {"type": "response.output_audio.done"}:
                self.buffer.end()
            case {"type": "voice.paused" | "voice.resumed" as kind}:
                self.buffer.held = kind == "voice.paused"
            case {"type": "response.done", "response": {"status": "cancelled", "id": response}}:
                self._dropped.add(response)
                self._item = ""
                self.buffer.flush()

    def _translate(self, event: dict[str, Any]) -> Iterator[Event]:
        """Turn what the server says into the agent's own event, at our time."""
        now = self._now
        match event:
            case {"type": "input_audio_buffer.speech_started", "audio_start_ms": start}:
                yield SpeechStarted(now, start / 1000)
            case {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": end}:
                yield TurnEnded(now, 0.0, end / 1000)
            case {"type": "conversation.item.input_audio_transcription.completed", "transcript": text}:
                yield Heard(now, text)
            case {
                "type": "voice.latency",
                "turn_end_ms": turn,
                "first_words_ms": words,
                "first_audio_ms": audio,
            }:
                yield Latency(now, turn / 1000, words / 1000, audio / 1000)
            case {"type": "voice.paused", "audio_ms": at}:
                yield Paused(now, at / 1000)
            case {"type": "voice.resumed", "audio_ms": at}:
                yield Resumed(now, at / 1000)
            case {"type": "response.done", "response": {"status": "cancelled"}}:
                yield Interrupted(now, "")
            case {"type": "error", "error": {"message": message}}:
                yield Trouble(now, message)


def refusal_reason(url: str) -> str:
    """Return why the server turns a client away; "" if it does not."""
    try:
        _connect(url, 0.0).close()
    except Busy as busy:
        return str(busy)
    return ""


def _connect(url: str, longest_wait: float = PLACE) -> ClientConnection:
    """Open a connection; wait for a server that is just starting or a place that becomes free."""
    until = time.monotonic() + longest_wait
    while True:
        try:
            return connect(f"{url.replace('http', 'ws', 1)}/v1/realtime", compression=None, max_size=None)
        except InvalidStatus as refusal:
            if refusal.response.status_code != 429 or time.monotonic() > until:
                raise Busy(refusal.response.body.decode()) from refusal
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
        time.sleep(0.1)

"""Ways to talk to an agent, 20 ms at a time: in process, or a detector of silence that stands beside it.

benchmarks.turn_taking.wire has the third: through a server's WebSocket, in real time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import numpy as np

from benchmarks.turn_taking.noises import RATE
from benchmarks.turn_taking.room import FRAME
from voice.agent import Brains, ListeningOptions, Models, Timers, start
from voice.agent.events import (
    Event,
    Heard,
    Interrupted,
    Paused,
    Resumed,
    Speaking,
    SpeechStarted,
    TurnEnded,
)
from voice.agent.listening.recognition import live
from voice.agent.work import INLINE, Lane, Task
from voice.audio import resample
from voice.types import Message, Speech, SpeechDetector
from voice.vad import Hysteresis, Thresholds

SILENCE = 0.8  # seconds that end a turn for the plain detector
AFTER = 0.06  # seconds in which it sees the first of speech, at least
BUSY = 1.5  # times as long as alone that work takes beside other work on two threads of one core

T = TypeVar("T")


class Session(Protocol):
    """One conversation. Times of its events are its own: seconds of what it has heard."""

    def ask(self, text: str) -> None:
        """Let the agent answer a question that nobody said."""

    def exchange(self, heard: np.ndarray) -> tuple[np.ndarray, list[Event]]:
        """Give (FRAME,) that is heard; return (FRAME,) that is played meanwhile, and what happened."""

    def close(self) -> None: ...


class Player:
    """What a client plays of an agent's events, in their own time."""

    def __init__(self) -> None:
        self.track = np.zeros(0, np.float32)  # not yet played
        self._held = False

    def take(self, event: Event) -> None:
        if isinstance(event, Speaking):
            self.track = np.concatenate((self.track, resample(event.speech.audio, RATE).samples))
        elif isinstance(event, Paused | Resumed):
            self._held = isinstance(event, Paused)
        elif isinstance(event, Interrupted):
            self.track, self._held = self.track[:0], False

    def play(self) -> np.ndarray:
        if self._held:
            return np.zeros(FRAME, np.float32)
        frame, self.track = self.track[:FRAME], self.track[FRAME:]
        return np.pad(frame, (0, FRAME - len(frame)))


class Beside:
    """Work that is done at once but counts as done only when the conversation's time, `clock`, has come."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def lane(self, stopwatch: Callable[[], float]) -> Lane:
        return _Lane(INLINE.lane(lambda: BUSY * stopwatch()), self._clock)


class _Lane:
    def __init__(self, inner: Lane, clock: Callable[[], float]) -> None:
        self._inner, self._clock = inner, clock

    def start(self, job: Callable[[], T], now: float) -> _Later:
        return _Later(self._inner.start(job, now), self._clock)


class _Later:
    """A task that has run already, though nobody may know before it would have."""

    def __init__(self, task: Task, clock: Callable[[], float]) -> None:
        self._task, self._clock = task, clock
        self.took, self.ready, self.failed = task.took, task.ready, task.failed
        self.wait, self.result = task.wait, task.result

    @property
    def done(self) -> bool:
        return self._clock() >= self.ready


class Direct:
    """The agent without a server: time is that of the samples, and computing runs as if beside them."""

    def __init__(self, models: Models, brains: Brains) -> None:
        timers = Timers()
        self.conversation = start(
            models, brain=brains.brain(timers), timers=timers, listener=live(models.detector.hop),
            listening_options=ListeningOptions(language="en"), stopwatch=time.process_time,
            work=Beside(lambda: self.conversation.time),
        )  # fmt: skip
        self._player, self._waiting = Player(), []

    def ask(self, text: str) -> None:
        self.conversation.messages.append(Message("user", text))
        self._waiting += self.conversation.answer()

    def exchange(self, heard: np.ndarray) -> tuple[np.ndarray, list[Event]]:
        played = self._player.play()
        events, self._waiting = [*self._waiting, *self.conversation.hear(heard)], []
        for event in events:
            self._player.take(event)
        return played, events

    def close(self) -> None:
        self.conversation.close()


class Plain:
    """The peer: a turn ends after 800 ms of silence, and any speech stops the agent.

    Its answers are there at once, which is kinder to it than a synthesizer would be.
    """

    def __init__(self, detector: SpeechDetector, answer: Sequence[Speech]) -> None:
        self._probability, self._hop = detector.stream(), detector.hop
        self._hysteresis = Hysteresis(Thresholds(shortest_silence=SILENCE), self._hop / RATE)
        self._answer, self._player = answer, Player()
        self._rest, self._time = np.zeros(0, np.float32), 0.0
        self._waiting: list[Event] = []

    def ask(self, text: str) -> None:
        self._waiting += self._answer_events()

    def exchange(self, heard: np.ndarray) -> tuple[np.ndarray, list[Event]]:
        played = self._player.play()
        events, self._waiting = self._waiting, []
        self._rest = np.concatenate((self._rest, heard))
        while len(self._rest) >= self._hop:
            frame, self._rest = self._rest[: self._hop], self._rest[self._hop :]
            self._time += self._hop / RATE
            events += self._detect(frame)
        for event in events:
            self._player.take(event)
        return played, events

    def close(self) -> None:
        self._player = Player()

    def _detect(self, frame: np.ndarray) -> Iterator[Event]:
        was = self._hysteresis.speaking
        region = self._hysteresis(self._probability(frame))
        if self._hysteresis.speaking and not was:
            if len(self._player.track):
                yield Interrupted(self._time, "")
            yield SpeechStarted(self._time, self._time - AFTER)
        if region:
            yield TurnEnded(self._time, 0.0, self._time - SILENCE)
            yield Heard(self._time, "…")
            yield from self._answer_events()

    def _answer_events(self) -> Iterator[Event]:
        yield from (Speaking(self._time, self._time, speech) for speech in self._answer)

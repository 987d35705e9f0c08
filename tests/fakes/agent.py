"""A world in which a conversation can be tested exactly: loudness is speech, its level is the words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from voice.agent.conversation import Conversation
from voice.agent.events import Event
from voice.agent.work import Task
from voice.errors import ModelMissing
from voice.types import Audio, Controls, Message, Segment, Speech, Transcript, Word

RATE = 16_000
WORD = 0.2  # seconds that each spoken word takes


class LoudIsSpeech:
    """Detects speech where the samples are not silent."""

    rate, hop = RATE, 512

    def stream(self) -> Callable[[np.ndarray], float]:
        return lambda frame: float(np.abs(frame).max() > 0.05)


class Phrasebook:
    """Recognizes each stretch of constant level as the phrase of that number (level = number / 100)."""

    rate = RATE

    def __init__(self, *phrases: str, language: str = "en") -> None:
        self.phrases, self.language = phrases, language
        self.heard: list[Audio] = []

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        self.heard.append(speech)
        levels = np.round(np.abs(speech.samples) * 100).astype(int)
        begins = np.diff(levels, prepend=0) != 0
        order = [int(level) for level in levels[begins] if level]
        text = " ".join(self.phrases[level - 10] for level in order)
        return Transcript((Segment(text, 0.0, speech.duration),), self.language, speech.duration)

    def say(self, number: int, seconds: float = 1.0) -> np.ndarray:
        """Speech that is recognized as the phrase of that number."""
        return np.full(round(seconds * RATE), (number + 10) / 100, np.float32)


class EvenVoice:
    """Says every word in WORD seconds, in pieces of one sentence."""

    rate = 24_000

    def __init__(self, level: float = 1e-5) -> None:  # too soft to be taken for an echo
        self.asked: list[str] = []
        self._level = level

    def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
        self.asked.append(text)
        length = WORD / controls.speed
        words = tuple(Word(word, i * length, (i + 1) * length) for i, word in enumerate(text.split()))
        samples = np.full(round(len(words) * length * self.rate), self._level, np.float32)
        yield Speech(Audio(samples, self.rate), text, words)


class Polyglot(EvenVoice):
    """A voice of English that knows one of Spanish, and no other."""

    def __init__(self) -> None:
        super().__init__()
        self.spanish = EvenVoice()

    def for_language(self, code: str) -> EvenVoice:
        if code not in ("", "en", "es"):
            raise ModelMissing(f"nobody here speaks {code}")
        return self.spanish if code == "es" else self


class Script:
    """A brain that gives prepared answers, each a list of pieces; it keeps what it was shown."""

    def __init__(self, *answers: Iterable[str]) -> None:
        self._answers = iter(answers)
        self.shown: list[tuple[Message, ...]] = []
        self.given: list[str] = []

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        self.shown.append(tuple(messages))
        for piece in next(self._answers):
            self.given.append(piece)
            yield piece


class Later:
    """Work that is done when somebody waits for it, or `catch_up` is called."""

    def __init__(self) -> None:
        self._begun: list[Task] = []

    def lane(self, stopwatch: Callable[[], float]) -> Later:
        return self

    def start(self, job: Callable[[], object], now: float) -> Task:
        self._begun.append(_Awaited(job, lambda: 0.0))
        return self._begun[-1]

    def catch_up(self) -> None:
        for task in self._begun:
            task.wait()
        self._begun.clear()


class _Awaited(Task):
    def wait(self) -> None:
        if not self.done:
            self.run()


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def hear(conversation: Conversation, *sounds: np.ndarray, chunk: int = 320) -> list[Event]:
    """All events of some sounds, given in chunks of `chunk` samples."""
    samples = np.concatenate(sounds)
    events: list[Event] = []
    for start in range(0, len(samples), chunk):
        events += conversation.hear(samples[start : start + chunk])
    return events


def of(kind: type, events: Iterable[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]

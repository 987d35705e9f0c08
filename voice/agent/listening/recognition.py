"""Words of one turn from its sound as it comes: the seam between the ear and a recognizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from voice.types import UNDETERMINED, Audio, Recognizer, Segment, SpeechDetector, Transcript, Word


class TurnHypothesis(Protocol):
    """The words so far; see voice.asr.streaming.Partial."""

    stable: str
    tail: str


class Listener(Protocol):
    """One turn: fed as it is said, finished at each likely end, perhaps fed again after that.

    voice.asr.streaming.Live is one. Times of words count from the first sample fed.
    """

    def feed(self, samples: np.ndarray) -> TurnHypothesis | None: ...

    def finish(self) -> Transcript: ...


OpenListener = Callable[
    [Recognizer, int, str | None, tuple[str, ...]], Listener
]  # …, rate, language, hotwords


class WholeTurn:
    """A recognizer that knows no partial words hears a turn again from its beginning at each likely end.

    What is older than `settle_after` seconds at such an end is final, and so is each `longest` seconds.
    """

    settle_after, longest = 20.0, 29.0

    def __init__(
        self, recognizer: Recognizer, rate: int, language: str | None, hotwords: tuple[str, ...]
    ) -> None:
        self._recognizer, self._rate = recognizer, rate
        self._language, self._hotwords = language, hotwords
        self._sound: list[np.ndarray] = []
        self._begin = self._length = 0  # samples before the sound that is held, and of it
        self._settled: list[Segment] = []
        self._found = UNDETERMINED

    def feed(self, samples: np.ndarray) -> None:
        most = round(self.longest * self._rate)
        while self._length + len(samples) > most:
            room = most - self._length
            self._hold(samples[:room])
            samples = samples[room:]
            self._settle(self._recognized())
        self._hold(samples)

    def finish(self) -> Transcript:
        segments = self._recognized()
        everything = (*self._settled, *segments)
        duration = (self._begin + self._length) / self._rate
        if self._length > self.settle_after * self._rate:
            self._settle(segments)
        return Transcript(everything, self._language or self._found, duration)

    def _hold(self, samples: np.ndarray) -> None:
        self._sound.append(samples)
        self._length += len(samples)

    def _settle(self, segments: tuple[Segment, ...]) -> None:
        self._settled += segments
        self._begin += self._length
        self._sound, self._length = [], 0

    def _recognized(self) -> tuple[Segment, ...]:
        if not self._length:
            return ()
        audio = Audio(np.concatenate(self._sound), self._rate)
        if self._recognizer.rate != self._rate:
            from voice.audio import resample

            audio = resample(audio, self._recognizer.rate)
        heard = self._recognizer.transcribe(audio, language=self._language, hotwords=self._hotwords)
        self._found = heard.language if heard.segments else self._found
        return tuple(each.shifted(self._begin / self._rate) for each in heard.segments)


def live(detector: SpeechDetector, stopwatch: Callable[[], float] | None = None) -> OpenListener:
    """Partial words too, of any recognizer (see voice.asr.streaming); `detector` finds the pauses in them.

    With a `stopwatch` they become rarer where recognizing is slow; without, a recording replays exactly.
    """

    def listener(
        recognizer: Recognizer, rate: int, language: str | None, hotwords: tuple[str, ...]
    ) -> Listener:
        from voice.asr.streaming import Live

        return Live(recognizer, detector, language=language, hotwords=hotwords, stopwatch=stopwatch)

    return listener


def text_of(transcript: Transcript) -> tuple[str, tuple[Word, ...]]:
    """A transcript's text without gaps where a segment is empty, and its words."""
    return " ".join(filter(None, (each.text.strip() for each in transcript.segments))), transcript.words

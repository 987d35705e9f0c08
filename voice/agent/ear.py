"""The hearing half of a conversation: frames in, what the person says and when they are done out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from voice.agent.events import Event, Heard, SpeechEnded, SpeechStarted, Trouble, TurnEnded
from voice.errors import VoiceError
from voice.types import Audio, Recognizer, SpeechDetector, TurnDetector, Word
from voice.vad import Hysteresis, Region, Thresholds


@dataclass(frozen=True)
class Hearing:
    """How a conversation listens, in seconds.

    A pause is already a short silence, so that the words so far can be recognized while it is
    still open whether the turn is over.
    """

    thresholds: Thresholds = Thresholds(shortest_speech=0.1, shortest_silence=0.2)
    pre_roll: float = 0.4  # kept from before the first sure sound, so that no syllable is lost
    settle_after: float = 20.0  # the words of a turn this long are final at its next pause
    longest_stretch: float = 29.0  # what a recognizer takes at once
    longest_turn: float = 60.0
    language: str | None = None
    hotwords: tuple[str, ...] = ()


class Ear:
    """One person's side of one conversation."""

    def __init__(
        self,
        detector: SpeechDetector,
        recognizer: Recognizer,
        turns: TurnDetector,
        hearing: Hearing,
        stopwatch: Callable[[], float],
    ) -> None:
        self._recognizer, self._turns, self._hearing = recognizer, turns, hearing
        self._probability, self._stopwatch = detector.stream(), stopwatch
        self._rate, self._hop = detector.rate, detector.hop
        self._hysteresis = Hysteresis(hearing.thresholds, self._seconds(1))
        self._pre_roll = round(hearing.pre_roll / self._seconds(1))  # frames
        self._count = 0  # frames so far
        self._now = 0.0  # the conversation's time at the end of the last of them
        self._held: list[np.ndarray] = []  # the turn so far, or the pre-roll
        self._forget_turn()

    def _forget_turn(self) -> None:
        self._began: float | None = None  # the turn's first sound
        self._last = 0  # frame after the last sound
        self._settled: list[str] = []
        self._words: list[Word] = []  # of all that is settled
        self._partial, self._partial_words = "", []
        self.recognition = 0.0  # seconds that the last recognition took
        self.recognized_at = 0.0

    @property
    def in_turn(self) -> bool:
        """Whether the person has begun and not yet ended a turn."""
        return self._began is not None

    @property
    def voiced(self) -> float:
        """Seconds of speech without a pause up to now."""
        if not self._hysteresis.speaking:
            return 0.0
        return self._seconds(self._count - self._hysteresis.since - self._hysteresis.quiet)

    def take(self, frame: np.ndarray, now: float) -> Iterator[Event]:
        """The next (hop,) samples, which end at `now`."""
        self._count, self._now = self._count + 1, now
        self._held.append(frame)
        was_speaking = self._hysteresis.speaking
        region = self._hysteresis(self._probability(frame))
        if self._hysteresis.speaking and not was_speaking:
            yield self._start()
        if region:
            yield from self._pause(region)
        if not self.in_turn:
            self._trim()
        elif self._hysteresis.speaking:
            yield from self._bounded()
        elif self._hysteresis.since is None:
            if self._is_over():
                yield from self._end()
            elif self._seconds(len(self._held)) >= self._hearing.longest_stretch:
                self._settle()  # a turn that goes on after a long silence

    def finish(self) -> Iterator[Event]:
        """No more will be heard for now: who was speaking is done."""
        region = self._hysteresis.finish()
        if not self.in_turn:
            return
        if region:
            yield from self._pause(region)
        yield from self._end()

    def _start(self) -> Event:
        began = self._time(self._hysteresis.since)
        if not self.in_turn:
            self._began = began
        return SpeechStarted(self._now, began)

    def _pause(self, region: Region) -> Iterator[Event]:
        self._last = region.last
        yield from self._recognize()
        yield SpeechEnded(self._now, self._time(region.last), self._text())
        if self._seconds(len(self._held)) > self._hearing.settle_after:
            self._settle()

    def _bounded(self) -> Iterator[Event]:
        """Speech without a pause goes to the recognizer in stretches that it can take."""
        if self._seconds(len(self._held)) >= self._hearing.longest_stretch:
            yield from self._recognize()
            self._settle()
        if self._now - self._began >= self._hearing.longest_turn:
            yield from self.finish()

    def _is_over(self) -> bool:
        turn = Audio(np.concatenate(self._held), self._rate)
        return self._turns.ended(turn, self._seconds(self._count - self._last), self._text())

    def _end(self) -> Iterator[Event]:
        ended, text, words = self._time(self._last), self._text(), (*self._words, *self._partial_words)
        yield TurnEnded(self._now, self._began, ended)
        yield Heard(self._now, text, words)
        self._held = []
        self._forget_turn()

    def _recognize(self) -> Iterator[Event]:
        audio = Audio(np.concatenate(self._held), self._rate)
        start = self._now - audio.duration
        if self._recognizer.rate != self._rate:
            from voice.audio import resample

            audio = resample(audio, self._recognizer.rate)
        begun = self._stopwatch()
        try:
            heard = self._recognizer.transcribe(
                audio, language=self._hearing.language, hotwords=self._hearing.hotwords
            )
        except VoiceError as error:
            yield Trouble(self._now, str(error))
            return
        self.recognition, self.recognized_at = self._stopwatch() - begun, self._now
        self._partial = heard.text.strip()
        self._partial_words = [word.shifted(start) for word in heard.words]

    def _settle(self) -> None:
        """What has been recognized is final; a new stretch begins."""
        if self._partial:
            self._settled.append(self._partial)
            self._words += self._partial_words
        self._partial, self._partial_words = "", []
        silence = self._count - self._last if not self._hysteresis.speaking else 0
        keep = min(silence, self._pre_roll)
        self._held = self._held[len(self._held) - keep :]

    def _text(self) -> str:
        return " ".join([*self._settled, *filter(None, [self._partial])])

    def _trim(self) -> None:
        """Outside of a turn only the pre-roll is kept, from before what may become speech."""
        since = self._hysteresis.since
        pending = self._count - since if since is not None else 0
        del self._held[: max(0, len(self._held) - pending - self._pre_roll)]

    def _seconds(self, frames: int) -> float:
        return frames * self._hop / self._rate

    def _time(self, frame: int) -> float:
        """The conversation's time at the beginning of a frame of ours."""
        return self._now - self._seconds(self._count - frame)

"""The speaking half of a conversation: answers in, sound in its time out.

It works no further ahead of what has been played than it must, so that an answer that is
interrupted is never thought to its end, and it knows at any time what has been heard of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from voice.agent.events import Event, Reply, Speaking
from voice.agent.speaking.response import Response
from voice.agent.work import Lane, Task
from voice.types import Controls, Pace, SpeculativeReply, Speech, Synthesizer, Word

SOON = 0.4  # seconds in which a word that is begun is played to its end, mostly
ASIDES = ("One moment.", "I'm still working on it.")


@dataclass(frozen=True)
class SpokenPiece:
    """The words of a piece of speech that begins at `position` of an answer's sound (seconds)."""

    position: float
    duration: float
    text: str
    words: tuple[Word, ...] = ()

    @classmethod
    def of(cls, position: float, speech: Speech) -> SpokenPiece:
        """Return the piece for `speech`, without its samples."""
        return cls(position, speech.audio.duration, speech.text, speech.words)

    def heard_until(self, seconds: float) -> str:
        """Return the words that end within the first `seconds` of the piece.

        A piece whose words have no times is divided by the number of its words.
        """
        if seconds < 0:
            return ""
        if seconds >= self.duration:
            return self.text
        if self.words:
            return " ".join(word.text for word in self.words if word.end <= seconds)
        words = self.text.split()
        return " ".join(words[: int(len(words) * seconds / self.duration)])


def heard_until(pieces: Iterable[SpokenPiece], seconds: float) -> str:
    """Return the words of an answer that have been heard after `seconds` of its sound."""
    return " ".join(filter(None, (piece.heard_until(seconds - piece.position) for piece in pieces)))


class Playback:
    """The agent's side of one conversation."""

    def __init__(
        self,
        synthesizer: Synthesizer,
        controls: Controls,
        ahead: float,
        rate: int,
        lanes: Callable[[], Lane],
    ) -> None:
        """`ahead`: seconds of sound made before the sound that is playing ends; `rate`: of `play`, Hz."""
        self.controls = self._first_controls = controls
        self._synthesizer, self._ahead, self._rate, self._lanes = synthesizer, ahead, rate, lanes
        self._answer: Response | None = None
        self._aside: Task | None = None
        self._reset()

    def _reset(self) -> None:
        self._placed: list[SpokenPiece] = []  # asides without their words
        self._track = np.zeros(0, np.float32)  # all of it at `rate`
        self._end = self.position = self._lag = 0.0
        self._idle_since: float | None = None
        self._asides = 0
        self.paused = False
        self.said = ""  # the answer's words, as for the ear

    @property
    def busy(self) -> bool:
        """Whether an answer has begun and not yet been ended, by `finished` or `stop`."""
        return self._answer is not None or bool(self._placed)

    @property
    def whole(self) -> bool:
        """Whether nothing more of the answer will be made."""
        return self._answer is None

    @property
    def begun(self) -> bool:
        """Whether there is sound of it."""
        return bool(self._placed)

    @property
    def remaining(self) -> float:
        """Seconds of sound that are made and not yet played."""
        return self._end - self.position

    @property
    def pending(self) -> list[Task]:
        """What is being made just now."""
        tasks = [self._aside, self._answer.pending if self._answer else None]
        return [task for task in tasks if task]

    def prepare(self, think: Callable[[], SpeculativeReply], now: float) -> Response:
        """Begins an answer that may not be wanted."""
        controls = self.controls, self._first_controls
        return Response(think, self._synthesizer, controls, self._lanes(), now)

    def say(self, answer: Response, now: float) -> None:
        """Speaks an answer, which is wanted for certain."""
        self._reset()
        answer.commit()
        self._answer, self._idle_since = answer, now

    def change(self, controls: Controls) -> None:
        """Speaks the next answers in another way."""
        self.controls = self._first_controls = controls

    def speak(self, now: float) -> Iterator[tuple[Event, float]]:
        """What is to be said next, and when it was ready; starts making what will be needed.

        Passes on what the brain or the synthesizer raises; the answer ends with that.
        """
        while self._answer is not None and not self.paused:
            try:
                for made in self._answer.take(now):
                    yield from self._given(made.piece, now, made.ready)
            except BaseException:
                self._answer = None
                raise
            if self._answer.ended:
                self._answer = None
            elif self.remaining >= self._ahead or not self._answer.go_on(now):
                break

    def fill(self, now: float, patience: float) -> Iterator[Event]:
        """A word in between, where the answer keeps the person waiting for `patience` seconds."""
        if self._answer is None or self.paused or self.remaining > 0:
            self._idle_since, self._aside = (None, None) if self.remaining > 0 else (now, self._aside)
            return
        waited = now - (self._idle_since if self._idle_since is not None else now)
        self._idle_since = now - waited
        if self._aside and self._aside.done:
            speech, self._aside = self._aside.result(), None
            if speech:
                yield self._place(speech, now, aside=True)
        elif not self._aside and self._asides < len(ASIDES) and waited >= patience * (1 + 2 * self._asides):
            text, controls = ASIDES[self._asides], self.controls
            self._asides += 1
            make = self._synthesizer.speak
            self._aside = self._lanes().start(lambda: next(iter(make(text, controls)), None), now)

    def play(self, samples: int) -> np.ndarray:
        """Lets a moment pass: (samples,) at `rate` of what is played in it."""
        sound = np.zeros(samples, np.float32)
        if not self.paused and self.remaining > 0:
            begin = round(self.position * self._rate)
            piece = self._track[begin : begin + samples]
            sound[: len(piece)] = piece
            self.position = min(self._end, self.position + samples / self._rate)
        return sound

    def played(self, seconds: float) -> None:
        """What the host has truly played so far."""
        self._lag = max(0.0, self.position - seconds)

    def finished(self) -> bool:
        """Whether all of the answer has been played; then it is over."""
        if self._answer is not None or self.remaining > 0 or self.paused:
            return False
        self._placed = []
        return True

    def stop(self) -> str:
        """Falls silent; what has been heard of the answer."""
        heard = self.heard()
        if self._answer is not None:
            self._answer.close()
        self._answer, self._aside, self._placed, self.paused = None, None, [], False
        return heard

    def heard(self) -> str:
        """The words of the answer that have been played to their end."""
        return heard_until(self._placed, self.position - self._lag)

    def sounding(self) -> str:
        """The same with the words that are being played, which may come back from the loudspeaker."""
        return heard_until(self._placed, self.position + SOON)

    def _given(self, piece: str | Speech | Pace, now: float, ready: float) -> Iterator[tuple[Event, float]]:
        if isinstance(piece, Pace):
            self.controls = piece.applied(self.controls, self._first_controls)
        elif isinstance(piece, str):
            self.said += piece
            yield Reply(now, piece), ready
        else:
            yield self._place(piece, now), ready

    def _place(self, speech: Speech, now: float, aside: bool = False) -> Speaking:
        from voice.audio import resample

        position, duration = self._end, speech.audio.duration
        self._placed.append(
            SpokenPiece(position, duration, "") if aside else SpokenPiece.of(position, speech)
        )
        start = now + self.remaining
        begin = round(self._end * self._rate)  # by position, so that rounding does not add up
        before = np.pad(self._track[:begin], (0, max(0, begin - len(self._track))))
        self._track = np.concatenate((before, resample(speech.audio, self._rate).samples))
        self._end += duration
        return Speaking(now, start, speech, position, aside)

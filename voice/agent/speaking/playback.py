"""Playback of the agent's responses: responses in, sound in its time out.

It works no further ahead of what has been played than it must, so that a brain never thinks an interrupted
response to its end, and it knows at any time what the person has heard of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from voice.agent.events import Event, Reply, Speaking
from voice.agent.speaking.response import Response, SynthesizedPiece
from voice.agent.work import Lane, Task
from voice.errors import ModelError
from voice.tts.streaming import voice_for
from voice.types import Controls, SpeculativeReply, Speech, SpeedChange, Synthesizer, Word

WORD_SECONDS = 0.4  # seconds in which most words that have begun end
FILLERS = {
    "en": ("One moment.", "I'm still working on it."),
    "es": ("Un momento.", "Sigo en ello."),
    "fr": ("Un instant.", "J'y travaille encore."),
    "it": ("Un attimo.", "Ci sto ancora lavorando."),
    "pt": ("Um momento.", "Ainda estou trabalhando nisso."),
}  # by the language that is heard


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
        self.language = "en"  # that is heard
        self._synthesizer, self._ahead, self._rate, self._lanes = synthesizer, ahead, rate, lanes
        self._response: Response | None = None
        self._filler: Task[Speech | None] | None = None
        self._reset()

    def _reset(self) -> None:
        self._placed: list[SpokenPiece] = []  # fillers without their words
        self._track = np.zeros(0, np.float32)  # all of it at `rate`
        self._end = self.position = self._lag = 0.0
        self._idle_since: float | None = None
        self._fillers = 0
        self.paused = False
        self.text = ""  # the response's text for speech, so far

    @property
    def busy(self) -> bool:
        """Whether a response has begun and not yet been ended, by `end_if_played` or `stop`."""
        return self._response is not None or bool(self._placed)

    @property
    def all_made(self) -> bool:
        """Whether nothing more of the response will be made."""
        return self._response is None

    @property
    def remaining(self) -> float:
        """Seconds of sound that are made and not yet played."""
        return self._end - self.position

    @property
    def pending(self) -> list[Task[Any]]:
        """What is being made just now."""
        tasks = [self._filler, self._response.pending if self._response else None]
        return [task for task in tasks if task]

    def prepare(self, begin_reply: Callable[[], SpeculativeReply], now: float) -> Response:
        """Begin a response that may not be wanted."""
        controls = self.controls, self._first_controls
        return Response(begin_reply, self._synthesizer, controls, self._lanes(), now)

    def say(self, response: Response, now: float) -> None:
        """Speak a response, which is wanted for certain."""
        self._reset()
        response.commit()
        self._response, self._idle_since = response, now

    def change(self, controls: Controls) -> None:
        """Speak the next responses in another way."""
        self.controls = self._first_controls = controls

    def speak(self, now: float) -> Iterator[tuple[Event, float]]:
        """Yield what is to be said next, and when it was ready; start making what will be needed.

        Raises what the brain or the synthesizer raises; the response ends with that.
        """
        while self._response is not None and not self.paused:
            try:
                for made in self._response.take(now):
                    yield from self._pass_on(made, now)
            except BaseException:
                self._response = None
                raise
            if self._response.ended:
                self._response = None
            elif self.remaining >= self._ahead or not self._response.go_on(now):
                break

    def fill(self, now: float, after: float) -> Iterator[Event]:
        """Yield a filler where the response keeps the person waiting for `after` seconds."""
        if self._response is None or self.paused or self.remaining > 0:
            self._idle_since, self._filler = (None, None) if self.remaining > 0 else (now, self._filler)
            return
        waited = now - (self._idle_since if self._idle_since is not None else now)
        self._idle_since = now - waited
        if self._filler and self._filler.done:
            speech, self._filler = self._filler.result(), None
            if speech:
                yield self._place(speech, now, is_filler=True)
        elif not self._filler and waited >= after * (1 + 2 * self._fillers):
            self._begin_filler(now)

    def _begin_filler(self, now: float) -> None:
        """Begin to make the next filler, if there is one, in the language that is heard if it has any."""
        language = self.language if self.language in FILLERS else "en"
        if self._fillers == len(FILLERS[language]):
            return
        text, controls, synthesizer = FILLERS[language][self._fillers], self.controls, self._synthesizer
        self._fillers += 1

        def make() -> Speech | None:
            try:
                return next(iter(voice_for(synthesizer, language).speak(text, controls)), None)
            except ModelError:  # nobody speaks it here; whoever has the answer will say so
                return None

        self._filler = self._lanes().start(make, now)

    def play(self, samples: int) -> np.ndarray:
        """Let a moment pass; return (samples,) at `rate` of what is played in it."""
        sound = np.zeros(samples, np.float32)
        if not self.paused and self.remaining > 0:
            begin = round(self.position * self._rate)
            piece = self._track[begin : begin + samples]
            sound[: len(piece)] = piece
            self.position = min(self._end, self.position + samples / self._rate)
        return sound

    def report_played(self, seconds: float) -> None:
        """Take note of what the host has truly played so far."""
        self._lag = max(0.0, self.position - seconds)

    def end_if_played(self) -> bool:
        """Tell whether all of the response has been played; then it is over."""
        if self._response is not None or self.remaining > 0 or self.paused:
            return False
        self._placed = []
        return True

    def stop(self) -> str:
        """Fall silent; return what has been heard of the response."""
        heard = self.heard_text()
        if self._response is not None:
            self._response.close()
        self._response, self._filler, self._placed, self.paused = None, None, [], False
        return heard

    def heard_text(self) -> str:
        """Return the words of the response that have been played to their end."""
        return heard_until(self._placed, self.position - self._lag)

    def audible_text(self) -> str:
        """Return the same with the words being played, which may come back from the loudspeaker."""
        return heard_until(self._placed, self.position + WORD_SECONDS)

    def _pass_on(self, made: SynthesizedPiece, now: float) -> Iterator[tuple[Event, float]]:
        match made.piece:
            case SpeedChange() as change:
                self.controls = change.apply_to(self.controls, self._first_controls)
            case str() as text:
                self.text += text
                yield Reply(now, text), made.ready
            case Speech() as speech:
                yield self._place(speech, now), made.ready

    def _place(self, speech: Speech, now: float, is_filler: bool = False) -> Speaking:
        """Put speech behind what there is."""
        from voice.audio import resample

        position, duration = self._end, speech.audio.duration
        self._placed.append(
            SpokenPiece(position, duration, "") if is_filler else SpokenPiece.of(position, speech)
        )
        start = now + self.remaining
        begin = round(self._end * self._rate)  # by position, so that rounding does not add up
        before = np.pad(self._track[:begin], (0, max(0, begin - len(self._track))))
        self._track = np.concatenate((before, resample(speech.audio, self._rate).samples))
        self._end += duration
        return Speaking(now, start, speech, position, is_filler)

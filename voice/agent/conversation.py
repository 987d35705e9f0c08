"""A conversation: audio frames in, events out, with no clock, socket or page of its own.

Time is counted in samples of what is heard, so that a recording replays identically, however
it is cut into frames. Models are shared; all state is here, one object for each conversation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from voice.agent.ear import Ear, Hearing
from voice.agent.events import (
    Event,
    Heard,
    Interrupted,
    Latency,
    Rang,
    Reply,
    Speaking,
    Spoken,
    Trouble,
    TurnEnded,
)
from voice.agent.everyday import ring_text
from voice.agent.mouth import Mouth
from voice.agent.patience import SilenceRule
from voice.agent.timers import Timers
from voice.agent.work import INLINE, Work
from voice.errors import AudioError, BrainError, VoiceError
from voice.types import Brain, Controls, Message, Recognizer, SpeechDetector, Synthesizer, TurnDetector

APOLOGY = "Sorry, I can't think of an answer just now. Please try again."
# Said while the agent speaks, these show that someone listens; they do not ask it to stop.
BACKCHANNELS = frozenset(
    "mm mmm mhm mm-hmm mm-hm hm hmm uh-huh uh huh"
    " yeah yes yep ok okay right sure wow oh ah i see good great".split()
)


@dataclass(frozen=True)
class Manners:
    """How a conversation is led, in seconds."""

    interrupt_after: float = 0.3  # speech over the agent's that makes it fall silent
    ahead: float = 2.0  # sound that is made before it is needed
    memory: int = 40  # messages that the brain is shown at most
    answers: bool = True  # whether a turn is answered by itself
    yields: bool = True  # whether the person's speech interrupts an answer


class Conversation:
    """One person and the agent. `rate` is that of the samples it hears (Hz)."""

    def __init__(
        self,
        detector: SpeechDetector,
        recognizer: Recognizer,
        synthesizer: Synthesizer,
        brain: Brain,
        *,
        turns: TurnDetector = SilenceRule(),
        timers: Timers | None = None,
        controls: Controls = Controls(),
        hearing: Hearing = Hearing(),
        manners: Manners = Manners(),
        work: Work = INLINE,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`work` is where recognizing, thinking and speaking run: INLINE, or THREADS where hearing must not wait.

        `timers` are those that the brain's skills set; `stopwatch` times computing, nothing else."""
        self.rate, self._hop = detector.rate, detector.hop
        self.messages: list[Message] = []  # what has been said and heard by both
        self._brain, self._manners, self._stopwatch = brain, manners, stopwatch
        self._ear = Ear(detector, recognizer, turns, hearing, stopwatch)
        self._mouth = Mouth(synthesizer, controls, manners.ahead)
        self.timers = timers or Timers()
        self._announcements: list[str] = []
        self._rest = np.zeros(0, np.float32)
        self._frames = 0
        self._pending: _Measured | None = None  # the latency of the turn being answered

    @property
    def time(self) -> float:
        """Seconds since the beginning."""
        return self._frames * self._hop / self.rate

    @property
    def answering(self) -> bool:
        """Whether the agent speaks, or is about to."""
        return self._mouth.busy or bool(self._announcements and not self._ear.in_turn)

    @property
    def listening(self) -> bool:
        """Whether the person is in the middle of a turn."""
        return self._ear.in_turn

    def use(
        self,
        controls: Controls | None = None,
        *,
        brain: Brain | None = None,
        turns: TurnDetector | None = None,
        manners: Manners | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        """From now on speaks, thinks, or listens in another way: the next sentences, answers, turns."""
        self._mouth.controls = controls or self._mouth.controls

    def hear(self, frame: np.ndarray) -> Iterator[Event]:
        """The next samples, (T,) float32 at `rate`, of any length; what happens meanwhile.

        The samples count as heard even if the events are not taken. Raises AudioError where the
        samples are no sound.
        """
        frame = np.asarray(frame, np.float32)
        if frame.ndim != 1 or not np.isfinite(frame).all():
            raise AudioError(f"a frame is (T,) finite samples, not {frame.shape}; mix to one channel first")
        self._rest = np.concatenate((self._rest, frame))
        return self._work()

    def finish(self) -> Iterator[Event]:
        """No more is said for now: who was speaking is done, and hears the answer to its end.

        The conversation can go on afterwards.
        """
        missing = -len(self._rest) % self._hop
        yield from self.hear(np.zeros(missing, np.float32))
        for event in self._ear.finish():
            yield from self._consider(event)
        yield from self.wait()

    def wait(self, seconds: float | None = None) -> Iterator[Event]:
        """Time in which nothing is heard: `seconds` of it, or until the agent has said everything."""
        end = None if seconds is None else self.time + seconds
        while self.answering if end is None else self.time < end:
            self._frames += 1
            yield from self._pass_time()

    def commit(self) -> Iterator[Event]:
        """The person's turn is over, as by a button that is let go; it is answered if `manners.answers`.

        Events of it may still come with later frames, where work runs in threads.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """What is being said counts as not said."""
        raise NotImplementedError

    def answer(self) -> Iterator[Event]:
        """Answers `messages` as they stand (a host may have added some), as if a turn had ended."""
        raise NotImplementedError

    def interrupt(self) -> Iterator[Event]:
        """The host wants silence: Interrupted, if there was an answer."""
        raise NotImplementedError

    def played(self, seconds: float) -> None:
        """The host has truly played so much of the present answer's sound, asides included.

        What counts as heard after an interruption follows the last report, if there ever is one.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Nobody listens any more: what is thought or spoken is thrown away."""
        raise NotImplementedError

    def _work(self) -> Iterator[Event]:
        while len(self._rest) >= self._hop:
            frame, self._rest = self._rest[: self._hop], self._rest[self._hop :]
            self._frames += 1
            for event in self._ear.take(frame, self.time):
                yield from self._consider(event)
            if self._mouth.busy and self._ear.voiced >= self._manners.interrupt_after:
                yield self._interrupt()
            yield from self._pass_time()

    def _consider(self, event: Event) -> Iterator[Event]:
        yield event
        if isinstance(event, TurnEnded):
            self._pending = _Measured.of(event, self._ear, self._stopwatch())
        elif isinstance(event, Heard) and event.text:
            if self._mouth.busy and not is_backchannel(event.text):
                yield self._interrupt()
            if not self._mouth.busy:
                self._answer(event.text)

    def _answer(self, text: str) -> None:
        if self.messages and self.messages[-1].role == "user":  # they went on before we had begun
            text = f"{self.messages.pop().content} {text}"
        self.messages.append(Message("user", text))
        del self.messages[: -self._manners.memory]
        self._mouth.say(self._thoughts())

    def _thoughts(self) -> Iterator[str]:
        """The brain's answer; whatever a brain raises becomes a BrainError."""
        try:
            yield from self._brain.reply(tuple(self.messages))
        except VoiceError:
            raise
        except Exception as error:
            raise BrainError(f"the brain failed: {error!r}") from error

    def _interrupt(self) -> Event:
        heard = self._mouth.stop(self.time)
        self._pending = None
        if heard:
            self.messages.append(Message("assistant", heard))
        return Interrupted(self.time, heard)

    def _pass_time(self) -> Iterator[Event]:
        """What happens by itself at this moment: timers, the answer, its end."""
        for timer in self.timers.ring(self.time):
            yield Rang(self.time, timer)
            self._announcements.append(ring_text(timer))
        if self._announcements and not self._mouth.busy and not self._ear.in_turn:
            self._mouth.say((self._announcements.pop(0),))
        if self._mouth.busy:
            yield from self._speak()

    def _speak(self) -> Iterator[Event]:
        try:
            for event in self._mouth.speak(self.time):
                yield event
                yield from self._measure(event)
        except VoiceError as error:
            yield Trouble(self.time, str(error))
            self._apologize(error)
        if self._mouth.finished(self.time):
            if self._mouth.said.strip():
                self.messages.append(Message("assistant", self._mouth.said.strip()))
            yield Spoken(self.time, self._mouth.said.strip())

    def _apologize(self, error: VoiceError) -> None:
        if isinstance(error, BrainError) and not self._mouth.said:
            self._mouth.say((APOLOGY,))

    def _measure(self, event: Event) -> Iterator[Event]:
        if self._pending is None:
            return
        if isinstance(event, Reply):
            self._pending.first_words = self._pending.first_words or self._stopwatch()
        elif isinstance(event, Speaking):
            yield self._pending.latency(self.time, self._stopwatch())
            self._pending = None


@dataclass
class _Measured:
    """What is known so far of a turn's latency."""

    silence: float
    recognition: float
    hidden: float
    ended: float  # by the stopwatch
    first_words: float = 0.0

    @classmethod
    def of(cls, turn: TurnEnded, ear: Ear, ended: float) -> _Measured:
        waited = turn.time - ear.recognized_at
        return cls(turn.time - turn.ended, ear.recognition, min(ear.recognition, waited), ended)

    def latency(self, now: float, first_audio: float) -> Latency:
        waited = self.silence + self.recognition - self.hidden
        words = (self.first_words or first_audio) - self.ended
        return Latency(now, self.silence, waited + words, waited + first_audio - self.ended)


def is_backchannel(text: str) -> bool:
    """Whether words only show that someone listens: "mm-hm", "yeah, right"."""
    words = text.lower().replace(",", " ").replace(".", " ").replace("!", " ").split()
    return all(word in BACKCHANNELS for word in words)

"""What happens in a conversation, as frozen events; all times are seconds of the conversation."""

from __future__ import annotations

from dataclasses import dataclass

from voice.agent.timers import Timer
from voice.types import Speech, Word


@dataclass(frozen=True)
class Event:
    """Something that happened at `time`."""

    time: float


@dataclass(frozen=True)
class SpeechStarted(Event):
    """The person speaks, or goes on after a pause; the sound began at `began`."""

    began: float


@dataclass(frozen=True)
class SpeechEnded(Event):
    """The person pauses since `ended`; `partial` is what they have said in this turn so far."""

    ended: float
    partial: str


@dataclass(frozen=True)
class TurnEnded(Event):
    """The person is done: the turn lasted from `began` to `ended`."""

    began: float
    ended: float


@dataclass(frozen=True)
class Heard(Event):
    """What the person said in the turn that ended; "" for a cough or the like."""

    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Reply(Event):
    """The next piece of the answer's words, as they will be spoken."""

    text: str


@dataclass(frozen=True)
class Speaking(Event):
    """The next piece of the answer's sound, to be played from `start` on, right after the one before."""

    start: float
    speech: Speech


@dataclass(frozen=True)
class Spoken(Event):
    """The answer has been played to its end; `text` is the whole of it."""

    text: str


@dataclass(frozen=True)
class Interrupted(Event):
    """The person spoke over the answer: stop playing. Of it they heard `heard`."""

    heard: str


@dataclass(frozen=True)
class Rang(Event):
    """A timer is up; the agent says so as soon as nobody speaks."""

    timer: Timer


@dataclass(frozen=True)
class Trouble(Event):
    """Something failed, as `message` says; the conversation goes on."""

    message: str


@dataclass(frozen=True)
class Latency(Event):
    """Where the time of a turn went, in seconds.

    `silence` was waited for after the last sound; the others are computing time by the stopwatch:
    `recognition` of the words, then `first_words` and `first_audio` of the answer, both from the
    turn's end. `recognition_hidden` is how much of the first passes while the silence is waited for.
    """

    silence: float
    recognition: float
    recognition_hidden: float
    first_words: float
    first_audio: float

    @property
    def total(self) -> float:
        """From the last sound of the person to the first of the answer."""
        return self.silence + self.recognition - self.recognition_hidden + self.first_audio

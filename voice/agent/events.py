"""What happens in a conversation, as frozen events; all times are seconds of the conversation.

A turn: SpeechStarted, Partial…, SpeechEnded (at each pause), TurnEnded, Heard.
Its answer: Reply and Speaking in turns, Latency at the first sound, then Spoken or Interrupted.
Sound over the answer: Paused, then Resumed where it was nothing, or Interrupted and SpeechStarted.
While the agent speaks, the person's events come only once it is clear that they take the turn.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice.agent.timers import Timer
from voice.types import UNDETERMINED, Speech, Word


@dataclass(frozen=True)
class Event:
    """Something that happened at `time`."""

    time: float


@dataclass(frozen=True)
class SpeechStarted(Event):
    """The person speaks, or goes on after a pause; the sound began at `began`."""

    began: float


@dataclass(frozen=True)
class Partial(Event):
    """The words of the turn so far: `stable` will not change any more, `tail` may."""

    stable: str
    tail: str

    @property
    def text(self) -> str:
        return f"{self.stable} {self.tail}".strip()


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
    """What the person said in the turn that ended, and in which language; "" for a cough or the like."""

    text: str
    words: tuple[Word, ...] = ()
    language: str = UNDETERMINED


@dataclass(frozen=True)
class Reply(Event):
    """The next piece of the answer's words, as they will be spoken."""

    text: str


@dataclass(frozen=True)
class Speaking(Event):
    """The next piece of the answer's sound, to be played from `start` on, right after the one before.

    `position` is where it begins in the answer, in seconds of sound. `aside` marks a filler
    ("One moment."), which is said during a long wait: it is played like the rest, but is not part of the
    answer's words.
    """

    start: float
    speech: Speech
    position: float = 0.0
    aside: bool = False


@dataclass(frozen=True)
class Spoken(Event):
    """The answer has been played to its end; `text` is the whole of it."""

    text: str


@dataclass(frozen=True)
class Paused(Event):
    """Somebody may be speaking over the answer: hold it at `position` seconds of its sound.

    Resumed or Interrupted follows within a second.
    """

    position: float


@dataclass(frozen=True)
class Resumed(Event):
    """It was a cough or a "mm-hm": play on from `position`. What is to come starts that much later."""

    position: float


@dataclass(frozen=True)
class Interrupted(Event):
    """The person takes the turn: throw the rest of the answer away. Of it they heard `heard`.

    `position` is where it ended, in seconds of its sound.
    """

    heard: str
    position: float = 0.0


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
    """How long a turn's answer took, in seconds since the person's last sound.

    `turn_end` is when the turn was known to be over, `first_words` when the first of the answer's
    words and `first_audio` when its first sound was ready. What was prepared during the silence is
    ready when the turn ends. Where work runs inline, it counts as if it ran beside the listening.
    """

    turn_end: float
    first_words: float
    first_audio: float

    @property
    def total(self) -> float:
        """From the last sound of the person to the first of the answer."""
        return self.first_audio


@dataclass
class LatencyMeter:
    """What is known so far of how long the answer to a turn takes, in times of the conversation."""

    ended: float  # the person's last sound
    turn_end: float
    first_words: float = 0.0

    def measure(self, now: float, first_audio: float) -> Latency:
        """Return the latency, now that the first sound of the answer was ready at `first_audio`."""
        words = max(self.first_words or first_audio, self.turn_end)
        return Latency(
            now, self.turn_end - self.ended, words - self.ended, max(first_audio, words) - self.ended
        )

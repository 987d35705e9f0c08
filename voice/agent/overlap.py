"""Sound over the agent's speech: fall silent at once, then see whether it was a person who wants the turn.

The agent pauses at the first sure speech and decides within a second, by how long the speech goes
on and by its words: it resumes where it was, or the turn is the person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from voice.agent.backchannels import says_something
from voice.agent.ear import Ear
from voice.agent.events import Event, Heard

SURE = 0.85  # P(speech) over all of a sound that is surely speech


@dataclass(frozen=True)
class Courtesy:
    """How speech over the agent's is judged, in seconds."""

    look_every: float = 0.4  # of speech after which its words are asked for
    decide_after: float = 0.9  # of being paused
    wordless: float = 0.7  # of what is surely speech; that much takes the turn even if no word is recognized
    calm: float = 2.0  # after a false alarm only words count
    pause: float = 0.16  # of silence after which what was said is all of it


class Verdict(Enum):
    GO_ON = auto()
    PAUSE = auto()
    RESUME = auto()  # the sound was nothing
    INTERRUPT = auto()


class Overlap:
    """What is made of the sound over one answer after another."""

    def __init__(self, courtesy: Courtesy) -> None:
        self._courtesy = courtesy
        self._paused_at: float | None = None
        self._calm_until = 0.0
        self._looks = 0

    def judge(self, now: float, ear: Ear, events: Sequence[Event], asked: bool, played: str) -> Verdict:
        """What to do at this moment, after the ear's `events` since the sound began.

        `asked` says that even "yes" would be an answer now; `played` are words of the agent that may have
        come back.
        """
        if events and isinstance(events[-1], Heard):  # the host has ended the turn
            text, words = events[-1].text, events[-1].words
            return self._interrupt() if says_something(text, words, played) else self._resumed(now)
        if not ear.in_turn:
            return Verdict.GO_ON if self._paused_at is None else self._resumed(now)
        if ear.known and ((asked and ear.text) or says_something(ear.text, ear.words, played)):
            return self._interrupt()
        if ear.known and not ear.text and ear.voiced >= self._courtesy.wordless and ear.sure >= SURE:
            return self._interrupt()
        if ear.known and not ear.speaking and ear.silence >= self._courtesy.pause:
            return self._resumed(now)
        if ear.speaking and ear.voiced >= self._courtesy.look_every * (self._looks + 1):
            self._looks += 1
            ear.look()
        return self._onset(now, ear) if self._paused_at is None else self._doubt(now, ear)

    def reset(self) -> None:
        """There is no answer any more to speak over."""
        self._paused_at, self._looks, self._calm_until = None, 0, 0.0

    def _onset(self, now: float, ear: Ear) -> Verdict:
        if now < self._calm_until or not ear.speaking:
            return Verdict.GO_ON
        self._paused_at = now
        return Verdict.PAUSE

    def _doubt(self, now: float, ear: Ear) -> Verdict:
        if now - self._paused_at < self._courtesy.decide_after:
            return Verdict.GO_ON
        if ear.speaking and not ear.looks:  # nobody knows its words in time
            return self._interrupt()
        return self._resumed(now)

    def _interrupt(self) -> Verdict:
        self.reset()
        return Verdict.INTERRUPT

    def _resumed(self, now: float) -> Verdict:
        self.reset()
        self._calm_until = now + self._courtesy.calm
        return Verdict.RESUME

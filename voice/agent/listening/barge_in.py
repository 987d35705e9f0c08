"""Sound over the agent's speech: fall silent at once, then see whether it was a person who wants the turn.

The agent pauses at the first suspicion of speech, goes on where it was a moment later if that is not
borne out, and else decides within a second, by how long the speech goes on and by its words: it resumes
where it was, or the turn is the person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from voice.agent.events import Event, Heard
from voice.agent.listening.backchannels import says_something
from voice.agent.listening.user import UserTurn

SURE = 0.75  # P(speech) over all of a sound that is surely speech,
SURER = 0.85  # and where the agent hears itself, which is speech too


@dataclass(frozen=True)
class BargeInOptions:
    """How speech over the agent's is judged, in seconds."""

    look_every: float = 0.35  # of speech after which its words are asked for
    decide_after: float = 0.9  # of being paused
    wordless: float = 0.7  # of what is surely speech; that much takes the turn even if no word is recognized
    calm: float = 2.0  # after a false alarm only words count; each in vain doubles it for suspicions
    pause: float = 0.16  # of silence after which what was said is all of it
    borne_out: float = 0.1  # of being paused by what turned out to be speech, which do count
    doubtful: float = 0.25  # of being paused by a suspicion; twice that while it lasts


class Verdict(Enum):
    GO_ON = auto()
    PAUSE = auto()
    RESUME = auto()  # the sound was nothing
    INTERRUPT = auto()


class BargeIn:
    """What is made of the sound over one answer after another."""

    def __init__(self, courtesy: BargeInOptions) -> None:
        self._courtesy = courtesy
        self._paused_at: float | None = None
        self._suspected = False  # paused, and nobody has spoken yet
        self._calm_until = self._trusting_until = 0.0
        self._trust = courtesy.calm  # how long the next suspicion in vain will be the last
        self._looks = 0

    def judge(self, now: float, ear: UserTurn, events: Sequence[Event], asked: bool, played: str) -> Verdict:
        """What to do at this moment, after the ear's `events` since the sound began.

        `asked` says that even "yes" would be an answer now; `played` are words of the agent that may have
        come back.
        """
        if events and isinstance(events[-1], Heard):  # the host has ended the turn
            text, words = events[-1].text, events[-1].words
            return self._interrupt() if says_something(text, words, played) else self._resumed(now)
        if not ear.in_turn:
            return self._suspicion(now, ear)
        if ear.known and ((asked and ear.text) or says_something(ear.text, ear.words, played)):
            return self._interrupt()
        if ear.known and self._goes_on(ear, SURER if played else SURE):
            return self._interrupt()
        if ear.known and not ear.speaking and ear.silence >= self._courtesy.pause:
            return self._resumed(now)
        # A look while one is under way would begin it anew: no words would be known in time.
        if ear.speaking and not ear.looking and ear.voiced >= self._courtesy.look_every * (self._looks + 1):
            self._looks += 1
            ear.look()
        if self._suspected and ear.speaking:
            self._suspected, self._paused_at = False, max(self._paused_at, now - self._courtesy.borne_out)
        return self._onset(now, ear) if self._paused_at is None else self._doubt(now, ear, played)

    def reset(self) -> None:
        """There is no answer any more to speak over."""
        self._go_on()
        self._calm_until = self._trusting_until = 0.0
        self._trust = self._courtesy.calm

    def _go_on(self) -> None:
        self._paused_at, self._looks, self._suspected = None, 0, False

    def _suspicion(self, now: float, ear: UserTurn) -> Verdict:
        """While nobody speaks for sure: pauses for a moment, once in a while, where somebody may."""
        if self._paused_at is None:
            if not ear.suspected or now < max(self._trusting_until, self._calm_until):
                return Verdict.GO_ON
            self._paused_at, self._suspected = now, True
            return Verdict.PAUSE
        most = self._courtesy.doubtful * (2 if ear.suspected else 1)
        if self._suspected and now - self._paused_at < most:
            return Verdict.GO_ON
        if not self._suspected:
            return self._resumed(now)
        self._paused_at, self._suspected = None, False
        self._trusting_until, self._trust = now + self._trust, 2 * self._trust
        return Verdict.RESUME

    def _onset(self, now: float, ear: UserTurn) -> Verdict:
        if now < self._calm_until or not ear.speaking:
            return Verdict.GO_ON
        self._paused_at = now
        return Verdict.PAUSE

    def _doubt(self, now: float, ear: UserTurn, played: str) -> Verdict:
        if now - self._paused_at < self._courtesy.decide_after:
            return Verdict.GO_ON
        if ear.speaking and (not ear.looks or not played and self._goes_on(ear, SURE)):  # words come too late
            return self._interrupt()
        return self._resumed(now)

    def _goes_on(self, ear: UserTurn, sure: float) -> bool:
        """Whether it is long and surely speech, though no word of it is known."""
        return not ear.text and ear.voiced >= self._courtesy.wordless and ear.sure >= sure

    def _interrupt(self) -> Verdict:
        self.reset()
        return Verdict.INTERRUPT

    def _resumed(self, now: float) -> Verdict:
        self._go_on()
        self._calm_until = now + self._courtesy.calm
        return Verdict.RESUME

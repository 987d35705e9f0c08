"""Barge-in: sound over the agent's speech. Fall silent at once, then see whether a person wants the turn.

The agent pauses at a possible onset of speech, goes on where it was a moment later if no speech follows,
and else decides within a second, by how long the speech goes on and by its words: it resumes where it was,
or the turn is the person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from voice.agent.events import Event, Heard
from voice.agent.listening.backchannels import says_something
from voice.agent.listening.options import BargeInOptions
from voice.agent.listening.turn import UserTurn
from voice.agent.listening.user import User

SPEECH = 0.75  # mean P(speech) of a sound that is surely speech,
SPEECH_OVER_ECHO = 0.85  # and where the agent hears itself, which is speech too


class Verdict(Enum):
    """What the agent does at a moment at which somebody may speak."""

    GO_ON = auto()
    PAUSE = auto()
    RESUME = auto()  # the sound was nothing
    INTERRUPT = auto()


@dataclass(frozen=True)
class Judgement:
    """A verdict, and whether the final words of the user's turn so far should be made for the next one."""

    verdict: Verdict
    look: bool = False


class BargeIn:
    """Judges the sound over one answer after another."""

    def __init__(self, options: BargeInOptions) -> None:
        self._options = options
        self._paused_at: float | None = None
        self._suspected = False  # paused at a possible onset, and nobody has spoken yet
        self._calm_until = self._trusting_until = 0.0
        self._trust = (
            options.false_alarm_cooldown
        )  # how long the next possible onset in vain will be the last
        self._looks = 0

    def judge(
        self, now: float, user: User, events: Sequence[Event], expects_answer: bool, played: str
    ) -> Judgement:
        """Return what to do at this moment, after the `events` of the user since the sound began.

        `expects_answer` says that even "yes" would be an answer now; `played` are words of the agent that may
        have come back.
        """
        if events and isinstance(events[-1], Heard):  # the host has ended the turn
            wants_turn = says_something(events[-1].text, events[-1].words, played)
            return Judgement(self._interrupt() if wants_turn else self._resume(now))
        if user.turn is None:
            return Judgement(self._judge_onset(now, user.suspected))
        verdict = self._judge_words(now, user, user.turn, expects_answer, played)
        if verdict is not None:
            return Judgement(verdict)
        look = self._asks_for_words(user, user.turn)
        if self._suspected and user.speaking and self._paused_at is not None:
            self._suspected, self._paused_at = (
                False,
                max(self._paused_at, now - self._options.onset_pause_credit),
            )
        return Judgement(self._judge_speech(now, user, user.turn, played), look)

    def reset(self) -> None:
        """Forget the answer: there is none any more to speak over."""
        self._forget_pause()
        self._calm_until = self._trusting_until = 0.0
        self._trust = self._options.false_alarm_cooldown

    def _judge_onset(self, now: float, suspected: bool) -> Verdict:
        """Pause for a moment, once in a while, where somebody may begin to speak."""
        if self._paused_at is None:
            if not suspected or now < max(self._trusting_until, self._calm_until):
                return Verdict.GO_ON
            self._paused_at, self._suspected = now, True
            return Verdict.PAUSE
        longest = self._options.onset_pause * (2 if suspected else 1)
        if self._suspected and now - self._paused_at < longest:
            return Verdict.GO_ON
        if not self._suspected:
            return self._resume(now)
        self._paused_at, self._suspected = None, False
        self._trusting_until, self._trust = now + self._trust, 2 * self._trust
        return Verdict.RESUME

    def _judge_words(
        self, now: float, user: User, turn: UserTurn, expects_answer: bool, played: str
    ) -> Verdict | None:
        """Judge by final words, or by their lack; None where they decide nothing."""
        recognition = turn.recognition
        if not recognition.is_final:
            return None
        if expects_answer and recognition.text:
            return self._interrupt()
        if says_something(recognition.text, recognition.words, played):
            return self._interrupt()
        if self._is_surely_speech(user, turn, SPEECH_OVER_ECHO if played else SPEECH):
            return self._interrupt()
        if not user.speaking and user.silence >= self._options.end_silence:
            return self._resume(now)
        return None

    def _asks_for_words(self, user: User, turn: UserTurn) -> bool:
        """Tell whether the speech has gone on for long enough to ask for its words, again and again."""
        # Asking while they are being made would begin anew: no words would be known in time.
        if not user.speaking or turn.recognition.finishing:
            return False
        is_due = user.voiced_seconds >= self._options.recognize_interval * (self._looks + 1)
        self._looks += is_due
        return is_due

    def _judge_speech(self, now: float, user: User, turn: UserTurn, played: str) -> Verdict:
        """Pause as speech begins; once it has gone on for long enough, decide without words."""
        if self._paused_at is None:
            if now < self._calm_until or not user.speaking:
                return Verdict.GO_ON
            self._paused_at = now
            return Verdict.PAUSE
        if now - self._paused_at < self._options.decide_after:
            return Verdict.GO_ON
        words_are_late = not turn.recognition.finals
        if user.speaking and (words_are_late or not played and self._is_surely_speech(user, turn, SPEECH)):
            return self._interrupt()
        return self._resume(now)

    def _is_surely_speech(self, user: User, turn: UserTurn, least: float) -> bool:
        """Tell whether the sound is long and surely speech, though no word of it is known."""
        is_long = user.voiced_seconds >= self._options.min_speech_without_words
        return not turn.recognition.text and is_long and user.certainty >= least

    def _interrupt(self) -> Verdict:
        self.reset()
        return Verdict.INTERRUPT

    def _resume(self, now: float) -> Verdict:
        self._forget_pause()
        self._calm_until = now + self._options.false_alarm_cooldown
        return Verdict.RESUME

    def _forget_pause(self) -> None:
        self._paused_at, self._looks, self._suspected = None, 0, False

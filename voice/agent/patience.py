"""When a turn has ended: by the silence, by its words, and by its sound where a model is there."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Protocol

from voice.agent.arithmetic import is_calculation
from voice.agent.numbers import NUMBER_WORDS
from voice.agent.phrases import plain, without_courtesy
from voice.types import Audio

# After these more is to come, whatever mark the recognizer puts behind them.
_OPEN = frozenset(
    "and or but because so if when while that which who whose than then the a an my your his her our their"
    " this these those to of for with from in on at by about into between per like as is are was were be"
    " do does did can could would will should i we they he she it's i'm um uh er hmm well please set"
    " what what's how where why let let's convert calculate plus minus times divided percent".split()
)
# What follows these comes in pieces, each of which sounds whole.
_DICTATES = re.compile(r"\b(address|number|code|e-?mail|zip|password|spelled|spelt)( is|:)? \S")
_ASKED_WHOLE = frozenset("what why how where who when".split())


UNHEARD = 0.5  # P(complete) of a sound that nobody listened to


@dataclass(frozen=True)
class SilenceRule:
    """A turn has ended after a silence whose length depends on the words before it (seconds)."""

    finished: float = 0.5  # "What time is it?"
    plain: float = 0.7
    unfinished: float = 1.6  # "Set a timer for"
    wordless: float = 1.0  # a cough, a noise
    dictated: float = 1.6  # "My number is five five"

    def chance(self, turn: Audio) -> float:
        return UNHEARD

    def patience(self, partial: str, chance: float = UNHEARD) -> float:
        return getattr(self, kind(partial))


def kind(partial: str) -> str:
    """What the words of a turn so far are: the name of one of the silences of SilenceRule."""
    text = partial.rstrip()
    words = text.lower().rstrip(" .?!,…-").split()
    if not words:
        return "wordless"
    if _spells(words) or _ends_in_a_number(partial, words[-1]):
        return "dictated"
    if _DICTATES.search(text.lower()) and not text.endswith("?"):
        return "dictated"
    if text.endswith((",", "-", "...", "…", ":")) or (is_open(words) and not text.endswith("?")):
        return "unfinished"
    return "finished" if text.endswith((".", "?", "!")) else "plain"


def is_open(words: list[str]) -> bool:
    """Whether the last of some lower-case words calls for more."""
    if len(words) == 1 and words[0] in _ASKED_WHOLE:
        return False
    return words[-1] in _OPEN


def _spells(words: list[str]) -> bool:
    return len(words) > 2 and _spelled(words[-1]) and _spelled(words[-2])


def _spelled(word: str) -> bool:
    return len(word.strip(".,")) == 1 and word[0].isalpha() and word[0] not in "ai"


def _ends_in_a_number(partial: str, last: str) -> bool:
    """Whether digits may follow: a number at the end that is not the end of a whole calculation."""
    if not (last.replace(",", "").isdecimal() or last.rpartition("-")[2] in NUMBER_WORDS):
        return False
    request = without_courtesy(plain(partial))
    for opening in ("what is ", "how much is ", "calculate "):
        request = request.removeprefix(opening)
    return not is_calculation(request)


class Sound(Protocol):
    """Hears how likely a turn is complete; see voice.turn."""

    def chance(self, turn: Audio) -> float: ...


@dataclass(frozen=True)
class SoundAndWords:
    """The rule's silence, made shorter or longer by a model that hears whether the turn is complete.

    The seconds are those that most pauses inside of a sentence stay below, by what the words are
    and how complete the model finds their sound (measured on the training recordings).
    """

    sound: Sound
    rule: SilenceRule = SilenceRule()

    def chance(self, turn: Audio) -> float:
        return self.sound.chance(turn)

    def patience(self, partial: str, chance: float) -> float:
        for least, seconds in _SOUND.get(kind(partial), ()):
            if chance >= least:
                return seconds
        return self.rule.patience(partial)


_SOUND = {  # (P(complete) at least, seconds), the surest first
    "finished": ((0.9, 0.36), (0.0, 0.52)),
    "plain": ((0.5, 0.52), (0.0, 0.75)),
    "unfinished": ((0.9, 0.55), (0.5, 0.75)),
}


@dataclass(frozen=True)
class WhenTold:
    """A turn that ends only when the conversation is told so, as by a button that is let go."""

    def chance(self, turn: Audio) -> float:
        return UNHEARD

    def patience(self, partial: str, chance: float) -> float:
        return math.inf

"""Endpointing: when a turn has ended, by the silence, by its words and by its sound.

A turn ends after a silence whose length depends on the kind of its last words (`ending_kind`) and on
P(complete), how likely the sound is complete. To change how a turn ends, see which silences apply:

    recognizer with an end-of-turn output (`quick`, the default)  BY_SENTENCE
    another recognizer, where smart-turn-v3 has been fetched      BY_SMART_TURN
    neither                                                       SilenceEndpointer()
    server: turn detection of type "server_vad"                   the client's one silence for all words
    server: eagerness "low"                                       session_agent._LOW_EAGERNESS_ENDPOINTER
    server: no turn detection                                     none: the client ends the turn
    a turn whose words could not be recognized                    user.RECOGNITION_FAILED_SILENCE

voice.agent.session.load_turns chooses among the first three, and the server's
voice.serve.realtime.session_agent.turn_detector between those and its own. Where BY_SENTENCE and
BY_SMART_TURN have no row for a kind of words, or none for so low a P(complete), the
fields of SilenceEndpointer fill the gap.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from voice.abilities import EndOfTurnRecognizer
from voice.agent.language.arithmetic import is_calculation
from voice.agent.language.numbers import NUMBER_WORDS
from voice.agent.language.phrases import normalize_request, strip_courtesy
from voice.types import Audio, TurnDetector

# More words follow these, whatever mark the recognizer puts behind them.
_CALLS_FOR_MORE = frozenset(
    "and or but because if which whose than then the a an my your our their these those of as um uh er hmm"
    " well please set i i'm it's what what's where why let let's convert calculate plus minus times"
    " divided".split()
)
# More words may follow these, but a sentence may end with them too: "Tell us who they are."
_AMBIGUOUS = frozenset(
    "this his her to for with from in on at by about into between per like is are was were be do does did"
    " can could would will should we they he she who how that when while so".split()
)
_FEW = 3  # words that are no whole sentence with one of those at the end
# What follows these is dictated in pieces, each of which sounds complete.
_DICTATES = re.compile(r"\b(address|number|code|e-?mail|zip|password|spelled|spelt)( is|:)? (?!of |and )\S")
_YEAR = re.compile(r"\b(in|and|since|until|before|after|of|year) (1[5-9]|20)\d\d\W*$")
_COUNTED_ONE = re.compile(rf"(^|\b({'|'.join(NUMBER_WORDS)}|for|number|is|to|plus|minus|times) )one$")
_ASKED_WHOLE = frozenset("what why how where who when".split())


UNJUDGED = 0.5  # P(complete) of a sound that no model has judged
# What counts is the log odds of P(mark), a recognizer's probability of a mark that ends a sentence.
NEUTRAL_MARK_PROBABILITY = 0.9  # makes the end of the turn neither likelier nor less likely
MIN_MARK_PROBABILITY = 0.001  # a lower one counts as this
MAX_MARK_PROBABILITY = 0.98  # a higher one counts as this
HANGOVER = 0.064  # seconds of sound after the last speech that the detector of speech still takes for speech


@dataclass(frozen=True)
class SilenceEndpointer:
    """A turn has ended after a silence whose length depends on the words before it (seconds)."""

    sentence_end: float = 0.5  # after a mark that ends a sentence: "What time is it?"
    ambiguous_end: float = 1.0  # a mark after a word that often calls for more: "I never part with that."
    unpunctuated: float = 0.7  # no mark, and no word that calls for more: "set a timer"
    unfinished: float = 1.6  # a word that calls for more, or a comma: "Set a timer for"
    wordless: float = 1.0  # a cough, a noise
    dictated: float = 1.6  # digits, letters, an address: "My number is five five"

    @classmethod
    def of(cls, seconds: float) -> SilenceEndpointer:
        """Make an endpointer that always waits for the same silence, whatever is said."""
        return cls(*(seconds for _ in fields(cls)))

    def probability(self, turn: Audio) -> float:
        """Return UNJUDGED: the sound is not judged."""
        return UNJUDGED

    def endpoint_after(
        self, partial: str, probability: float = UNJUDGED, end_of_sentence: float | None = None
    ) -> float:
        """Return the seconds of silence that end a turn with the words `partial`."""
        seconds: float = getattr(self, ending_kind(partial))
        return seconds


def ending_kind(partial: str) -> str:
    """Classify the words of a turn so far: return the name of one of the fields of SilenceEndpointer."""
    text = partial.rstrip()
    words = text.lower().rstrip(" .?!,…-").split()
    if not words:
        return "wordless"
    if _spells(words) or _ends_in_a_number(partial, words[-1]):
        return "dictated"
    if _DICTATES.search(text.lower()) and not text.endswith("?"):
        return "dictated"
    if text.endswith((",", "-", "...", "…", ":")):
        return "unfinished"
    marked = text.endswith((".", "?", "!"))
    if text.endswith("?") or not _is_open(words):
        return "sentence_end" if marked else "unpunctuated"
    return "ambiguous_end" if marked and _may_end(words) else "unfinished"


def _is_open(words: list[str]) -> bool:
    """Tell whether the last of some lower-case words calls for more."""
    if len(words) == 1 and words[0] in _ASKED_WHOLE:
        return False
    return words[-1] in _CALLS_FOR_MORE | _AMBIGUOUS


def _may_end(words: list[str]) -> bool:
    """Tell whether a sentence may end with the last word although that word often calls for more."""
    return len(words) > _FEW and words[-1] in _AMBIGUOUS


def _spells(words: list[str]) -> bool:
    """Tell whether somebody spells a word: the last two words are letters."""
    return len(words) > 2 and _is_letter(words[-1]) and _is_letter(words[-2])


def _is_letter(word: str) -> bool:
    """Tell whether a word is a single letter, and not the words "a" or "I"."""
    return len(word.strip(".,")) == 1 and word[0].isalpha() and word[0] not in "ai"


def _ends_in_a_number(partial: str, last: str) -> bool:
    """Tell whether digits may follow: the text ends in a number, and is no whole calculation."""
    if not (last.replace(",", "").isdecimal() or last.rpartition("-")[2] in NUMBER_WORDS):
        return False
    if _YEAR.search(partial.lower()):
        return False
    if last == "one":  # "I like the white one."
        return bool(_COUNTED_ONE.search(normalize_request(partial)))
    request = strip_courtesy(normalize_request(partial))
    for opening in ("what is ", "how much is ", "calculate "):
        request = request.removeprefix(opening)
    return not is_calculation(request)


Silences = Mapping[str, tuple[tuple[float, float], ...]]


class AudioEndpointer(Protocol):
    """Judges by the sound how likely a turn is complete; see voice.smart_turn."""

    def probability(self, turn: Audio) -> float: ...


@dataclass(frozen=True)
class AudioTextEndpointer:
    """The silence of a rule, made shorter or longer by a model that judges whether the sound is complete.

    The seconds in `silences` are those that most pauses inside of a sentence stay below, by the kind of the
    words and by how complete the model finds their sound (measured on the training recordings).
    """

    sound: AudioEndpointer
    rule: SilenceEndpointer = SilenceEndpointer()
    silences: Silences = field(default_factory=lambda: BY_SMART_TURN)
    mark_weight: float = 0.0  # of the log odds of P(mark), beside those of the sound with weight 1

    def probability(self, turn: Audio) -> float:
        """Return P(complete) by the sound of a turn up to its last speech."""
        return self.sound.probability(turn)

    def endpoint_after(self, partial: str, probability: float, end_of_sentence: float | None = None) -> float:
        """Return the seconds of silence that end a turn with these words and such a sound."""
        silences = self.silences.get(ending_kind(partial), ())
        probability = with_mark(probability, end_of_sentence, self.mark_weight)
        fitting = (seconds for least, seconds in silences if probability >= least)
        return next(fitting, self.rule.endpoint_after(partial))


def with_mark(probability: float, end_of_sentence: float | None, weight: float) -> float:
    """Return P(complete) from the sound's and from P(a mark that ends a sentence) of the recognizer."""
    if end_of_sentence is None:
        return probability
    mark = _log_odds(min(max(end_of_sentence, MIN_MARK_PROBABILITY), MAX_MARK_PROBABILITY))
    odds = _log_odds(probability) + weight * (mark - _log_odds(NEUTRAL_MARK_PROBABILITY))
    return 1 / (1 + math.exp(-odds))


def _log_odds(probability: float) -> float:
    probability = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(probability / (1 - probability))


@dataclass(frozen=True)
class SentenceEndDetector:
    """Judges by the encoder of a recognizer whether a sentence is complete."""

    recognizer: EndOfTurnRecognizer

    def probability(self, turn: Audio) -> float:
        """Return P(complete) of a turn that is cut off at its last speech."""
        from voice.audio import resample

        speech = resample(turn.cut(0.0, max(HANGOVER, turn.duration - HANGOVER)), self.recognizer.rate)
        return self.recognizer.end_of_turn(speech)


BY_SMART_TURN: Silences = {  # by smart-turn: (lowest P(complete), seconds), the surest first
    "sentence_end": ((0.95, 0.35), (0.8, 0.44), (0.3, 0.51), (0.03, 0.6), (0.0, 0.64)),
    "ambiguous_end": ((0.95, 0.35), (0.5, 0.51), (0.1, 0.64)),
    "unpunctuated": ((0.95, 0.35), (0.5, 0.51), (0.03, 0.6), (0.0, 0.64)),
    "unfinished": ((0.95, 0.51), (0.5, 0.75)),
}


# The last step is long: few ends sound so incomplete, but half of the pauses over 0.6 s.
_BY_ENDING = ((0.99, 0.22), (0.78, 0.32), (0.55, 0.44), (0.027, 0.63), (0.0, 1.0))
MARK_WEIGHT = 1.5  # the recognizer has learnt its marks from more people than its ending
BY_SENTENCE: Silences = {  # by a recognizer's ending; the words add little to it
    "sentence_end": _BY_ENDING,
    "ambiguous_end": _BY_ENDING,
    "unpunctuated": _BY_ENDING,
    "unfinished": ((0.83, 0.48), (0.5, 0.75)),
}


@dataclass(frozen=True)
class ManualEndpointer:
    """A turn that ends only when the host says so, as with a button that is let go."""

    def probability(self, turn: Audio) -> float:
        """Return UNJUDGED: the sound is not judged."""
        return UNJUDGED

    def endpoint_after(self, partial: str, probability: float, end_of_sentence: float | None = None) -> float:
        """Return infinity: no silence ends the turn."""
        return math.inf


def as_turn_detector(detector: TurnDetector) -> TurnDetector:
    """Return `detector`, or what calls it if it has the method names of version 0.1.

    Those were `chance` and `patience`; they go with 0.3.
    """
    if hasattr(detector, "endpoint_after") or not hasattr(detector, "patience"):
        return detector
    warnings.warn(
        "a turn detector has the methods probability and endpoint_after, formerly chance and patience",
        FutureWarning,  # shown by default: the class is the program's own, whoever calls this
        stacklevel=3,
    )
    return _OldTurnDetector(detector)


@dataclass(frozen=True)
class _OldTurnDetector:
    detector: Any  # has `chance` and `patience`

    def probability(self, turn: Audio) -> float:
        return float(self.detector.chance(turn))

    def endpoint_after(self, partial: str, probability: float, end_of_sentence: float | None = None) -> float:
        return float(self.detector.patience(partial, probability, end_of_sentence))

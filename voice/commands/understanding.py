"""From a recognizer's letters straight into a grammar of commands, with a way out for other speech."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from voice.asr.ctc.grammar import Grammar, SentenceEnd, Symbol, WordAutomaton, build_grammar
from voice.asr.ctc.grammar_decoding import Parse, decode
from voice.commands import builtin, context
from voice.commands.context import CommandContext
from voice.commands.expressions import speakable_words
from voice.errors import TextError
from voice.text.phrase_grammar import Alternatives, MacroReference, Node, Phrase, SlotReference, Words

# What may be said before and after every expression.
ASKING_COURTESY = ("could you", "can you", "would you", "will you")
COURTESY_BEFORE = ("please", *ASKING_COURTESY, *(f"{asking} please" for asking in ASKING_COURTESY))
COURTESY_AFTER = ("please", "thanks", "thank you", "please thank you")
COURTESY_TAG = ()  # the tag of such words
_COURTESY = re.compile(rf"\b(?:{'|'.join((*ASKING_COURTESY, *COURTESY_AFTER))})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Understanding:
    """What was asked for; without an intent and slots where it was none of the commands."""

    intent: str | None
    slots: Mapping[str, str]
    is_understood: bool
    confidence: float


@dataclass(frozen=True)
class AcceptanceModel:
    """When the best sentence of the grammar is believed.

    Its log odds fall with how far it stays behind the best letters of all: per letter over the whole
    utterance, and per letter in its worst word. Set so that orders to a coffee machine, clean and at
    10 dB of noise, are believed, and other speech and orders with a word that is in no slot are not.
    """

    bias: float = 8.0
    overall: float = 1.5
    worst: float = 1.2
    threshold: float = 0.5
    floor: float = -8.0  # what a single frame counts at the least
    blank_penalty: float = 2.0  # off every blank (see `decode`); of 0 to 3 the best at 10 dB of noise


class Commands:
    """A compiled context: holds no state between utterances."""

    def __init__(self, commands: CommandContext, believing: AcceptanceModel = AcceptanceModel()) -> None:
        """Raises TextError for an expression that cannot be said."""
        # What is understood without courtesy is never read in another way because of it.
        self._grammars = compile_grammar(commands), compile_grammar(commands, polite=True)
        self._believing = believing

    @classmethod
    def open(cls, path: str | Path, believing: AcceptanceModel = AcceptanceModel()) -> Commands:
        """The commands in a YAML file. Raises TextError, with the line, for what is wrong in it."""
        return cls(context.read_context(path), believing)

    def understand(self, log_probs: np.ndarray, text: str | None = None) -> Understanding:
        """The intent and slots in what a CTC head wrote of one utterance, (F, 29) log-probabilities.

        Where its `text` is known and holds no word of courtesy, none is looked for: that takes half the time.
        """
        limits, best = self._believing, 0.0
        is_plain = text is not None and not _COURTESY.search(text)
        for grammar in self._grammars[:1] if is_plain else self._grammars:
            parse = decode(log_probs, grammar, floor=limits.floor, blank_penalty=limits.blank_penalty)
            chance = confidence(parse, limits) if parse else 0.0
            if parse and chance >= limits.threshold:
                return Understanding(str(parse.value), MappingProxyType(slot_values(parse)), True, chance)
            best = max(best, chance)
        return Understanding(None, MappingProxyType({}), False, 1.0 - best)


def confidence(parse: Parse, believing: AcceptanceModel = AcceptanceModel()) -> float:
    """How likely it is that the sentence is what was said (0 to 1)."""
    overall, worst = letter_gaps(parse)
    return float(1 / (1 + np.exp(-(believing.bias + believing.overall * overall + believing.worst * worst))))


def letter_gaps(parse: Parse) -> tuple[float, float]:
    """Log-probability lost per letter: over the utterance, and in the worst word (both ≤ 0).

    Courtesy makes nothing likelier: "please" alone would else be half of "please stop".
    """
    letters = sum(len(said.symbol.word) for said in parse.words if said.symbol.tag != COURTESY_TAG)
    return parse.gap / letters, min(said.gap / (len(said.symbol.word) + 1) for said in parse.words)


def slot_values(parse: Parse) -> dict[str, str]:
    """{name: value} in the order in which they were said."""
    return dict(said.symbol.tag for said in parse.words if said.symbol.tag)


def compile_grammar(commands: CommandContext, polite: bool = False) -> Grammar:
    """The graph of all expressions, with courtesy around them if `polite`.

    Raises TextError for one that cannot be said.
    """
    return _GrammarCompiler(commands).grammar(
        COURTESY_BEFORE if polite else (), COURTESY_AFTER if polite else ()
    )


class _GrammarCompiler:
    def __init__(self, commands: CommandContext) -> None:
        self._commands = commands
        self._automaton = WordAutomaton()
        self._macros: dict[tuple[str, int], int] = {}  # (name, what follows) → the set

    def grammar(self, before: Sequence[str], after: Sequence[str]) -> Grammar:
        starts = []
        for rank, (intent, expressions) in enumerate(self._commands.intents.items()):
            end = self._politely(after, self._automaton.end(SentenceEnd(rank, intent)))
            starts += [self._sequence(expression, end) for expression in expressions]
            if any(self._automaton.ending(start) for start in starts):
                hint = "give each of its expressions a word that is not optional"
                raise TextError(f'"{intent}" can be said with no word at all; {hint}')
        return build_grammar(self._automaton, self._politely(before, self._united(starts)))

    def _politely(self, phrases: Sequence[str], following: int) -> int:
        return self._united([following, *(self._phrase(each, COURTESY_TAG, following) for each in phrases)])

    def _sequence(self, items: Phrase, following: int) -> int:
        for item in reversed(items):
            following = self._item(item, following)
        return following

    def _item(self, item: Node, following: int) -> int:
        match item:
            case Words(text):
                return self._phrase(text, None, following)
            case SlotReference(name, kind):
                values = self._values(kind)
                return self._united([self._phrase(said, (name, value), following) for value, said in values])
            case MacroReference(name):
                return self._macro(name, following)
            case Alternatives(choices, optional):
                ways = [self._sequence(choice, following) for choice in choices]
                return self._united([*ways, *([following] if optional else [])])

    def _macro(self, name: str, following: int) -> int:
        """A macro is compiled once before the same: macros of macros double with each level."""
        if (name, following) not in self._macros:
            ways = [self._sequence(each, following) for each in self._commands.macros[name]]
            self._macros[name, following] = self._united(ways)
        return self._macros[name, following]

    def _values(self, kind: str) -> list[tuple[str, str]]:
        values = self._commands.slots.get(kind) or builtin.builtin_values(kind) or {}
        return list(values.items())

    def _phrase(self, text: str, tag: tuple[str, ...] | None, following: int) -> int:
        for word in reversed(speakable_words(text)):
            following = self._automaton.prepend(Symbol(word, tag), following)
        return following

    def _united(self, numbers: list[int]) -> int:
        """One set of several, halves first: the early unions stay small."""
        while len(numbers) > 1:
            pairs = zip(numbers[::2], numbers[1::2], strict=False)
            rest = numbers[-1:] if len(numbers) % 2 else []
            numbers = [self._automaton.union(*pair) for pair in pairs] + rest
        return numbers[0]

"""Understanding of commands: the expression that best explains a recognizer's letters, or none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from voice.asr.ctc.grammar import Grammar, SentenceEnd, Symbol, WordAutomaton, build_grammar
from voice.asr.ctc.grammar_decoding import Parse, decode
from voice.commands.builtin import builtin_values
from voice.commands.context import CommandContext, read_context
from voice.commands.expressions import speakable_words
from voice.errors import TextError
from voice.text.phrase_grammar import Alternatives, MacroReference, Node, Phrase, SlotReference, Words

# What may be said before and after every expression.
ASKING_COURTESY = ("could you", "can you", "would you", "will you")
COURTESY_BEFORE = ("please", *ASKING_COURTESY, *(f"{asking} please" for asking in ASKING_COURTESY))
COURTESY_AFTER = ("please", "thanks", "thank you", "please thank you")
COURTESY_TAG = "courtesy"  # of the words of both
_COURTESY = re.compile(rf"\b(?:{'|'.join((*ASKING_COURTESY, *COURTESY_AFTER))})\b", re.IGNORECASE)


class SlotTag(NamedTuple):
    """The tag of a word that belongs to the value of a slot."""

    name: str
    value: str


@dataclass(frozen=True)
class Understanding:
    """The intent and slots of a command; other speech has none."""

    intent: str | None
    slots: Mapping[str, str]
    is_understood: bool
    confidence: float


@dataclass(frozen=True)
class AcceptanceModel:
    """A logistic model of whether the best sentence of the grammar is what was said.

    Its inputs are the log-probabilities that the sentence loses to the best letters of all, per letter:
    over the whole utterance, and in its worst word. Set so that orders to a coffee machine, clean and at
    10 dB of noise, are accepted, and other speech and orders with a word that is in no slot are not.
    """

    bias: float = 8.0
    overall: float = 1.5  # the weight of the loss over the utterance
    worst: float = 1.2  # the weight of the loss in the worst word
    threshold: float = 0.5
    floor: float = -8.0  # the least log-probability of a frame
    blank_penalty: float = 2.0  # off every blank (see `decode`); of 0 to 3 the best at 10 dB of noise


class Commands:
    """A compiled context; holds no state between utterances."""

    def __init__(self, commands: CommandContext, acceptance: AcceptanceModel = AcceptanceModel()) -> None:
        """Compile a context. Raises TextError for an expression that can be said with no word at all."""
        # A command that is understood without courtesy is never understood differently because of it.
        self._grammars = compile_grammar(commands), compile_grammar(commands, polite=True)
        self._acceptance = acceptance

    @classmethod
    def open(cls, path: str | Path, acceptance: AcceptanceModel = AcceptanceModel()) -> Commands:
        """Open the commands in a YAML file. Raises TextError, with the line, for what is wrong in it."""
        return cls(read_context(path), acceptance)

    def understand(self, log_probs: np.ndarray, text: str | None = None) -> Understanding:
        """Find the command in the letters of one utterance, (F, 29) log-probabilities.

        If its `text` is known and holds no word of courtesy, none is looked for, which takes half the time.
        """
        model, best = self._acceptance, 0.0
        is_plain = text is not None and not _COURTESY.search(text)
        for grammar in self._grammars[:1] if is_plain else self._grammars:
            parse = decode(log_probs, grammar, floor=model.floor, blank_penalty=model.blank_penalty)
            probability = confidence(parse, model) if parse else 0.0
            if parse and probability >= model.threshold:
                return Understanding(
                    str(parse.value), MappingProxyType(slot_values(parse)), True, probability
                )
            best = max(best, probability)
        return Understanding(None, MappingProxyType({}), False, 1.0 - best)


def confidence(parse: Parse, model: AcceptanceModel = AcceptanceModel()) -> float:
    """Return the probability that the sentence is what was said."""
    overall, worst = letter_gaps(parse)
    return float(1 / (1 + np.exp(-(model.bias + model.overall * overall + model.worst * worst))))


def letter_gaps(parse: Parse) -> tuple[float, float]:
    """Return the log-probability lost per letter: over the utterance, and in the worst word (both ≤ 0).

    The letters of courtesy do not count; else "please" alone would be half of "please stop".
    """
    letters = sum(len(each.symbol.word) for each in parse.words if each.symbol.tag != COURTESY_TAG)
    return parse.gap / letters, min(each.gap / (len(each.symbol.word) + 1) for each in parse.words)


def slot_values(parse: Parse) -> dict[str, str]:
    """Return {name: value} of the slots, in the order in which they were said."""
    return dict(each.symbol.tag for each in parse.words if isinstance(each.symbol.tag, SlotTag))


def compile_grammar(commands: CommandContext, polite: bool = False) -> Grammar:
    """Compile all expressions to a grammar of letters, with courtesy around them if `polite`.

    Raises TextError for an expression that can be said with no word at all.
    """
    return _GrammarCompiler(commands).grammar(
        COURTESY_BEFORE if polite else (), COURTESY_AFTER if polite else ()
    )


class _GrammarCompiler:
    """Builds the automaton of all expressions from their ends: each method puts something before a set."""

    def __init__(self, commands: CommandContext) -> None:
        self._commands = commands
        self._automaton = WordAutomaton()
        self._macros: dict[tuple[str, int], int] = {}  # (name, what follows) → the set

    def grammar(self, before: Sequence[str], after: Sequence[str]) -> Grammar:
        """Compile all expressions, with phrases that may stand before and after them."""
        starts = []
        for rank, (intent, expressions) in enumerate(self._commands.intents.items()):
            end = self._with_optional(after, self._automaton.end(SentenceEnd(rank, intent)))
            starts += [self._sequence(expression, end) for expression in expressions]
            if any(self._automaton.ending(start) for start in starts):
                hint = "give each of its expressions a word that is not optional"
                raise TextError(f'"{intent}" can be said with no word at all; {hint}')
        return build_grammar(self._automaton, self._with_optional(before, self._union(starts)))

    def _with_optional(self, phrases: Sequence[str], following: int) -> int:
        """Put phrases of courtesy, or nothing, before what follows."""
        return self._union([following, *(self._phrase(each, COURTESY_TAG, following) for each in phrases)])

    def _sequence(self, phrase: Phrase, following: int) -> int:
        """Put a phrase before what follows."""
        for node in reversed(phrase):
            following = self._node(node, following)
        return following

    def _node(self, node: Node, following: int) -> int:
        """Put one node of a phrase before what follows."""
        match node:
            case Words(text):
                return self._phrase(text, None, following)
            case SlotReference(name, kind):
                values = self._values(kind)
                return self._union(
                    [self._phrase(words, SlotTag(name, value), following) for value, words in values.items()]
                )
            case MacroReference(name):
                return self._macro(name, following)
            case Alternatives(choices, optional):
                ways = [self._sequence(choice, following) for choice in choices]
                return self._union([*ways, *([following] if optional else [])])

    def _macro(self, name: str, following: int) -> int:
        """Compile a macro, only once before the same set: macros of macros would double with each level."""
        if (name, following) not in self._macros:
            ways = [self._sequence(each, following) for each in self._commands.macros[name]]
            self._macros[name, following] = self._union(ways)
        return self._macros[name, following]

    def _values(self, kind: str) -> Mapping[str, str]:
        """Return {as reported: as spoken} of a kind of slot."""
        return self._commands.slots.get(kind) or builtin_values(kind) or {}

    def _phrase(self, text: str, tag: SlotTag | str | None, following: int) -> int:
        """Put words before what follows."""
        for word in reversed(speakable_words(text)):
            following = self._automaton.prepend(Symbol(word, tag), following)
        return following

    def _union(self, numbers: list[int]) -> int:
        """Unite sets in pairs, so that early unions stay small."""
        while len(numbers) > 1:
            pairs = zip(numbers[::2], numbers[1::2], strict=False)
            rest = numbers[-1:] if len(numbers) % 2 else []
            numbers = [self._automaton.union(*pair) for pair in pairs] + rest
        return numbers[0]

"""A finite grammar as a graph of letters, in which `grammar_decoding` searches.

Sentences are sequences of words that end in a value (such as an intent); a word may carry a tag (such
as the value of a slot). They are held as a `WordAutomaton` in which equal beginnings and equal
ends are one, so that alternatives and options add to its size and never multiply it; `build_grammar`
spells its words out.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from voice.asr.ctc.alphabet import SPACE, label_of
from voice.errors import VoiceError

MAX_NODES = 200_000  # letters: what a decoder passes in a few seconds
_TOO_LARGE = f"the grammar has more than {MAX_NODES:,} letters; give its slots fewer values"


@dataclass(frozen=True)
class Symbol:
    """A spoken word in lower case, and a tag that says what it stands for, if it stands for something."""

    word: str
    tag: Hashable | None = None


@dataclass(frozen=True)
class SentenceEnd:
    """The end of a sentence and its value; of two that end the same words, the one of lower `rank` counts."""

    rank: int
    value: Hashable


class WordAutomaton:
    """Sets of word sequences, each known by a number; equal sets have the same one.

    They are built from their ends: `end` returns the set that holds nothing but an end, `prepend`
    puts a word in front of every sequence of a set, `union` unites two.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[SentenceEnd | None, frozenset[tuple[Symbol, int]]], int] = {}
        self._sets: list[tuple[SentenceEnd | None, dict[Symbol, int]]] = []
        self._united: dict[tuple[int, int], int] = {}

    def end(self, end: SentenceEnd) -> int:
        """Return the set whose only sequence has no words and this end."""
        return self._number(end, {})

    def prepend(self, symbol: Symbol, following: int) -> int:
        """Return the set of all sequences of `following` with `symbol` before them."""
        return self._number(None, {symbol: following})

    def union(self, one: int, other: int) -> int:
        """Return the set of the sequences of both sets."""
        if one == other:
            return one
        pair = (min(one, other), max(one, other))
        if pair not in self._united:
            self._united[pair] = self._unite(*pair)
        return self._united[pair]

    def ending(self, number: int) -> SentenceEnd | None:
        """Return the sentence that ends here, if one does."""
        return self._sets[number][0]

    def arcs(self, number: int) -> Mapping[Symbol, int]:
        """Return the words that may come next, and the set of what may follow each."""
        return self._sets[number][1]

    def _unite(self, one: int, other: int) -> int:
        """Build the union of two different sets."""
        (end, arcs), (second, others) = self._sets[one], self._sets[other]
        ends = [each for each in (end, second) if each is not None]
        together = dict(arcs)
        for symbol, following in others.items():
            known = together.get(symbol)
            together[symbol] = following if known is None else self.union(known, following)
        return self._number(min(ends, key=lambda each: each.rank, default=None), together)

    def _number(self, end: SentenceEnd | None, arcs: dict[Symbol, int]) -> int:
        """Return the number of a set, a new one if there is no equal set."""
        key = (end, frozenset(arcs.items()))
        if key not in self._numbers:
            if len(self._sets) == MAX_NODES:  # each has a letter at least
                raise VoiceError(_TOO_LARGE)
            self._numbers[key] = len(self._sets)
            self._sets.append((end, arcs))
        return self._numbers[key]


@dataclass(frozen=True, eq=False)
class Grammar:
    """N letters as the nodes of a graph, and E edges sorted by their targets.

    `labels` (N,); `sources` and `targets` (E,); `first` (N,) and `last` (N,) bool: where sentences
    begin and may end. `words` has the word that is complete at a node, `ends` the sentence.
    """

    labels: np.ndarray
    sources: np.ndarray
    targets: np.ndarray
    first: np.ndarray
    last: np.ndarray
    words: Mapping[int, Symbol]
    ends: Mapping[int, SentenceEnd]


def build_grammar(automaton: WordAutomaton, start: int) -> Grammar:
    """Build the graph of the letters of every sequence of the set `start`, words apart by a space.

    Raises VoiceError for an empty set, for a sequence without words and for far too many letters.
    """
    if automaton.ending(start) is not None:
        raise VoiceError("one of the expressions can be said with no word at all; give it one that must be")
    if not automaton.arcs(start):
        raise VoiceError("the grammar has no sentence; give it an expression")
    return _GraphBuilder(automaton).build(start)


class _GraphBuilder:
    """Spells each set of a `WordAutomaton` once: a space before its words, and their letters as a tree."""

    def __init__(self, automaton: WordAutomaton) -> None:
        self._automaton = automaton
        self._labels: list[int] = []
        self._edges: list[tuple[int, int]] = []
        self._words: dict[int, Symbol] = {}
        self._ends: dict[int, SentenceEnd] = {}

    def build(self, start: int) -> Grammar:
        """Spell the set `start` and all sets that can follow."""
        spaces: dict[int, int] = {}  # set → the node of the space before it
        begins = self._spell(start, None, spaces)
        waiting = list(spaces)
        while waiting:
            number = waiting.pop()
            known = set(spaces)
            self._spell(number, spaces[number], spaces)
            waiting += [new for new in spaces if new not in known]
        return self._grammar(begins)

    def _spell(self, number: int, space: int | None, spaces: dict[int, int]) -> list[int]:
        """Add the words of a set after `space`; return their first letters."""
        tree: dict[str, int] = {}
        begins: list[int] = []
        for symbol, following in self._automaton.arcs(number).items():
            node = space
            for length in range(1, len(symbol.word)):
                prefix = symbol.word[:length]
                if prefix not in tree:
                    tree[prefix] = self._node(label_of(prefix[-1]), node)
                    begins += [tree[prefix]] * (length == 1)
                node = tree[prefix]
            last = self._node(
                label_of(symbol.word[-1]), node
            )  # no other word shares it: it stands for the word
            begins += [last] * (len(symbol.word) == 1)
            self._words[last] = symbol
            self._follow(last, following, spaces)
        return begins

    def _follow(self, last: int, following: int, spaces: dict[int, int]) -> None:
        """Connect the last letter of a word with the set that follows it."""
        end = self._automaton.ending(following)
        if end is not None:
            self._ends[last] = end
        if self._automaton.arcs(following):
            if following not in spaces:
                spaces[following] = self._node(SPACE, None)
            self._edges.append((last, spaces[following]))

    def _node(self, label: int, before: int | None) -> int:
        """Add a node, and an edge to it from the node `before`."""
        if len(self._labels) == MAX_NODES:
            raise VoiceError(_TOO_LARGE)
        self._labels.append(label)
        if before is not None:
            self._edges.append((before, len(self._labels) - 1))
        return len(self._labels) - 1

    def _grammar(self, begins: list[int]) -> Grammar:
        """Return the graph as arrays."""
        count = len(self._labels)
        edges = np.array(sorted(self._edges, key=lambda edge: edge[1]), np.int64).reshape(-1, 2)
        first, last = np.zeros(count, bool), np.zeros(count, bool)
        first[begins], last[list(self._ends)] = True, True
        labels = np.array(self._labels, np.int64)
        return Grammar(labels, edges[:, 0], edges[:, 1], first, last, self._words, self._ends)

"""A finite grammar as a graph of letters, and the sentence of it that best explains what a CTC head wrote.

Sentences are sequences of words that end in a mark (such as an intent); a word may carry a tag (such
as the value of a slot). They are held as a `Sentences` automaton in which equal beginnings and equal
ends are one, so that alternatives and options add to its size and never multiply it; `compile`
spells its words out, and `decode` passes tokens through the letters (Viterbi over CTC's topology).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from voice.asr.ctc.alphabet import ALPHABET, BLANK, SPACE
from voice.errors import VoiceError

LARGEST = 200_000  # letters: what a decoder passes in a few seconds
_TOO_LARGE = f"the grammar has more than {LARGEST:,} letters; give its slots fewer values"
_NEVER = np.float32(-1e30)


@dataclass(frozen=True)
class Symbol:
    """A spoken word in small letters, and what it stands for, if for anything."""

    word: str
    tag: Hashable | None = None


@dataclass(frozen=True)
class Mark:
    """The end of a sentence; of two that end the same words, the one of lower `rank` counts."""

    rank: int
    value: Hashable


class Sentences:
    """Sets of word sequences, each known by a number; equal sets have the same one.

    They are built from their ends: `ending` gives the set that holds nothing but an end, `before`
    puts a word in front of every sequence of a set, `either` unites two.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[Mark | None, frozenset[tuple[Symbol, int]]], int] = {}
        self._sets: list[tuple[Mark | None, dict[Symbol, int]]] = []
        self._united: dict[tuple[int, int], int] = {}

    def ending(self, mark: Mark) -> int:
        return self._number(mark, {})

    def before(self, symbol: Symbol, following: int) -> int:
        return self._number(None, {symbol: following})

    def either(self, one: int, other: int) -> int:
        if one == other:
            return one
        pair = (min(one, other), max(one, other))
        if pair not in self._united:
            self._united[pair] = self._union(*pair)
        return self._united[pair]

    def mark(self, number: int) -> Mark | None:
        """What ends here, if anything does."""
        return self._sets[number][0]

    def arcs(self, number: int) -> Mapping[Symbol, int]:
        """The words that may come next, and the set of what may follow each."""
        return self._sets[number][1]

    def _union(self, one: int, other: int) -> int:
        (mark, arcs), (second, others) = self._sets[one], self._sets[other]
        marks = [each for each in (mark, second) if each is not None]
        together = dict(arcs)
        for symbol, following in others.items():
            known = together.get(symbol)
            together[symbol] = following if known is None else self.either(known, following)
        return self._number(min(marks, key=lambda each: each.rank, default=None), together)

    def _number(self, mark: Mark | None, arcs: dict[Symbol, int]) -> int:
        key = (mark, frozenset(arcs.items()))
        if key not in self._numbers:
            if len(self._sets) == LARGEST:  # each has a letter at least
                raise VoiceError(_TOO_LARGE)
            self._numbers[key] = len(self._sets)
            self._sets.append((mark, arcs))
        return self._numbers[key]


@dataclass(frozen=True, eq=False)
class Grammar:
    """N letters as the nodes of a graph, and E edges sorted by where they lead.

    `labels` (N,); `sources` and `targets` (E,); `first` (N,) and `last` (N,) bool: where sentences
    begin and may end. `words` and `marks` say what was said once a node is left or ended at.
    """

    labels: np.ndarray
    sources: np.ndarray
    targets: np.ndarray
    first: np.ndarray
    last: np.ndarray
    words: Mapping[int, Symbol]
    marks: Mapping[int, Mark]


@dataclass(frozen=True)
class Said:
    """A word of the best path, its frames [start, end) and its log-probability less the free path's."""

    symbol: Symbol
    start: int
    end: int
    gap: float


@dataclass(frozen=True)
class Parse:
    """The likeliest sentence. `gap` is its log-probability less that of the best letters of all, ≤ 0."""

    mark: Hashable
    words: tuple[Said, ...]
    gap: float


def compile(sentences: Sentences, start: int) -> Grammar:
    """The letters of every sequence of the set `start`, words apart by a space.

    Raises VoiceError for an empty set, for a sequence without words and for far too many letters.
    """
    if sentences.mark(start) is not None:
        raise VoiceError("one of the expressions can be said with no word at all; give it one that must be")
    if not sentences.arcs(start):
        raise VoiceError("the grammar has no sentence; give it an expression")
    return _Compiler(sentences).compiled(start)


class _Compiler:
    """Spells each set of a `Sentences` once: a space before its words, and their letters as a tree."""

    def __init__(self, sentences: Sentences) -> None:
        self._sentences = sentences
        self._labels: list[int] = []
        self._edges: list[tuple[int, int]] = []
        self._words: dict[int, Symbol] = {}
        self._marks: dict[int, Mark] = {}

    def compiled(self, start: int) -> Grammar:
        spaces: dict[int, int] = {}  # set → the node of the space before it
        begins = self._spelled(start, None, spaces)
        waiting = list(spaces)
        while waiting:
            number = waiting.pop()
            known = set(spaces)
            self._spelled(number, spaces[number], spaces)
            waiting += [new for new in spaces if new not in known]
        return self._grammar(begins)

    def _spelled(self, number: int, space: int | None, spaces: dict[int, int]) -> list[int]:
        """Adds the words of a set after `space`; gives their first letters."""
        tree: dict[str, int] = {}
        begins: list[int] = []
        for symbol, following in self._sentences.arcs(number).items():
            before = space
            for end in range(1, len(symbol.word) + 1):
                prefix, whole = symbol.word[:end], end == len(symbol.word)
                if whole or prefix not in tree:  # no other word shares the last letter, which stands for it
                    node = self._node(_label(prefix[-1]), before)
                    begins += [node] * (end == 1)
                    before = tree.setdefault(prefix, node) if not whole else node
                else:
                    before = tree[prefix]
            self._words[before] = symbol
            self._follow(before, following, spaces)
        return begins

    def _follow(self, last: int, following: int, spaces: dict[int, int]) -> None:
        mark = self._sentences.mark(following)
        if mark is not None:
            self._marks[last] = mark
        if self._sentences.arcs(following):
            if following not in spaces:
                spaces[following] = self._node(SPACE, None)
            self._edges.append((last, spaces[following]))

    def _node(self, label: int, before: int | None) -> int:
        if len(self._labels) == LARGEST:
            raise VoiceError(_TOO_LARGE)
        self._labels.append(label)
        if before is not None:
            self._edges.append((before, len(self._labels) - 1))
        return len(self._labels) - 1

    def _grammar(self, begins: list[int]) -> Grammar:
        count = len(self._labels)
        edges = np.array(sorted(self._edges, key=lambda edge: edge[1]), np.int64).reshape(-1, 2)
        first, last = np.zeros(count, bool), np.zeros(count, bool)
        first[begins], last[list(self._marks)] = True, True
        labels = np.array(self._labels, np.int64)
        return Grammar(labels, edges[:, 0], edges[:, 1], first, last, self._words, self._marks)


def _label(letter: str) -> int:
    return 1 + ALPHABET.index(letter)


def decode(
    log_probs: np.ndarray, grammar: Grammar, *, floor: float = -8.0, reluctance: float = 0.0
) -> Parse | None:
    """The sentence of the grammar that best explains (F, 29) log-probabilities; None if none fits into F.

    No single frame counts for less than `floor`, so that one letter that is not heard does not
    outweigh all others. `reluctance` is taken off blanks: where a head is unsure it writes little, and
    without it short sentences would pass for long ones.
    """
    if len(log_probs) == 0:
        return None
    log_probs = np.maximum(log_probs, floor).astype(np.float32)
    log_probs[:, BLANK] -= reluctance
    trellis = _trellis(log_probs, grammar)
    node, blank, total = _best_end(trellis, grammar)
    if total <= _NEVER / 2:
        return None
    steps = _steps_back(log_probs, trellis, grammar, node, blank)
    return _parse(log_probs, grammar, steps, node)


def _trellis(log_probs: np.ndarray, grammar: Grammar) -> np.ndarray:
    """(F, 2, N): the best path to each node whose last frame is its letter (0) or the blank after it (1)."""
    frames, count = len(log_probs), len(grammar.labels)
    totals = np.empty((frames, 2, count), np.float32)
    same = grammar.labels[grammar.sources] == grammar.labels[grammar.targets]
    heads, begins = np.unique(grammar.targets, return_index=True)
    silence = np.concatenate(([0.0], np.cumsum(log_probs[:, BLANK])))  # before the first letter
    letter, blank = np.full((2, count), _NEVER, np.float32)
    for frame, row in enumerate(log_probs):
        entered = np.where(grammar.first, np.float32(silence[frame]), _NEVER)
        if len(heads):
            arriving = np.maximum(np.where(same, _NEVER, letter[grammar.sources]), blank[grammar.sources])
            entered[heads] = np.maximum(entered[heads], np.maximum.reduceat(arriving, begins))
        blank = row[BLANK] + np.maximum(letter, blank)
        letter = row[grammar.labels] + np.maximum(letter, entered)
        totals[frame, 0], totals[frame, 1] = letter, blank
    return totals


def _best_end(trellis: np.ndarray, grammar: Grammar) -> tuple[int, int, float]:
    """The node, its row in the trellis (letter or blank) and the log-probability of the best path."""
    ends = np.where(grammar.last, trellis[-1], _NEVER)  # (2, N)
    blank, node = np.unravel_index(int(ends.argmax()), ends.shape)
    return int(node), int(blank), float(ends[blank, node])


def _steps_back(
    log_probs: np.ndarray, trellis: np.ndarray, grammar: Grammar, node: int, blank: int
) -> np.ndarray:
    """Where the best path stands: (F, 2) of node (-1 before the first) and whether it is in its blank."""
    steps = np.full((len(log_probs), 2), -1, np.int64)
    starts = np.searchsorted(grammar.targets, np.arange(len(grammar.labels) + 1))
    for frame in range(len(log_probs) - 1, -1, -1):
        steps[frame] = node, blank
        if frame == 0:
            break
        before = trellis[frame - 1]
        if blank:
            blank = int(before[1, node] > before[0, node])
            continue
        best, origin = before[0, node], (node, 0)
        for source in grammar.sources[starts[node] : starts[node + 1]]:
            rows = (1,) if grammar.labels[source] == grammar.labels[node] else (0, 1)
            for row in rows:
                if before[row, source] > best:
                    best, origin = before[row, source], (int(source), row)
        if grammar.first[node] and log_probs[:frame, BLANK].sum(dtype=np.float64) > best:
            break
        node, blank = origin
    return steps


def _parse(log_probs: np.ndarray, grammar: Grammar, steps: np.ndarray, end: int) -> Parse:
    nodes, blanks = steps.T
    labels = np.where((nodes < 0) | (blanks == 1), BLANK, grammar.labels[nodes])
    gaps = log_probs[np.arange(len(labels)), labels] - log_probs.max(axis=1)
    words, start = [], -1
    for frame, node in enumerate(nodes):
        if node < 0 or grammar.labels[node] == SPACE:
            continue
        start = frame if start < 0 else start
        left = frame + 1 == len(nodes) or nodes[frame + 1] != node
        if left and int(node) in grammar.words:
            stop = _last_letter(blanks, start, frame)
            words.append(Said(grammar.words[int(node)], start, stop, float(gaps[start : frame + 1].sum())))
            start = -1
    return Parse(grammar.marks[end].value, tuple(words), float(gaps.sum()))


def _last_letter(blanks: np.ndarray, start: int, frame: int) -> int:
    """The end of the word's last letter; the blanks after it are silence."""
    return int(start + np.flatnonzero(blanks[start : frame + 1] == 0)[-1] + 1)

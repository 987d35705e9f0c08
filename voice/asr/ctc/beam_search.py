"""CTC prefix beam search (Hannun et al. 2014, "First-Pass Large Vocabulary Continuous Speech Recognition
using Bi-Directional Recurrent DNNs"), with a word n-gram model and a bonus for expected words.

A hypothesis is a node in a tree of labels, so that paths which read the same meet. It keeps the
log-probability of its paths that end in a blank and of those that do not.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from voice.asr.ctc.alphabet import BLANK
from voice.asr.ctc.ngram import NgramModel, State
from voice.asr.ctc.units import Units, greedy_labels

NEVER = float("-inf")
UNKNOWN_PREFIX = -3.0  # added while the word at the end begins no word of the model


@dataclass(frozen=True)
class SearchOptions:
    """How hypotheses are searched. `beam` 1 takes the likeliest label of each frame.

    The score of a hypothesis is log P(labels | sound) + `lm_weight` · log P(words) + `word_bonus` for each
    word; `unknown_word` is added for each word that the n-gram model does not know, and `hotword_bonus` for
    each of the expected words. Of a frame, labels that are `label_floor`
    nats or more below the best are not followed.
    """

    beam: int = 16
    lm_weight: float = 0.3
    word_bonus: float = 2.0
    unknown_word: float = 0.0
    hotword_bonus: float = 4.0
    label_floor: float = 7.0


class _Prefix:
    """A sequence of labels, and what it costs as text. `blank` and `label` are of the current frame."""

    __slots__ = ("above", "blank", "branches", "label", "last", "lm", "pending", "state", "word")

    def __init__(self, above: _Prefix | None, last: int, lm: float, state: State, word: str) -> None:
        self.above, self.last = above, last
        self.lm, self.state, self.word = lm, state, word  # of the words before the last, and the last
        self.pending = 0.0  # what the last word is expected to cost
        self.branches: dict[int, _Prefix] = {}
        self.blank = self.label = NEVER

    @property
    def sound(self) -> float:
        """Return log P(labels | sound so far)."""
        return _log_add(self.blank, self.label)

    @property
    def score(self) -> float:
        """Return what hypotheses are compared by."""
        return _log_add(self.blank, self.label) + self.lm + self.pending

    def labels(self) -> list[int]:
        """Return the labels from the first on."""
        found: list[int] = []
        node: _Prefix | None = self
        while node is not None and node.above is not None:
            found.append(node.last)
            node = node.above
        return found[::-1]


class BeamSearch:
    """Finds the labels of log-probabilities (F, C). It holds no state between calls."""

    def __init__(
        self, units: Units, options: SearchOptions = SearchOptions(), language_model: NgramModel | None = None
    ) -> None:
        self._units, self._options, self._model = units, options, language_model

    def __call__(self, log_probs: np.ndarray, hotwords: Collection[str] = ()) -> list[int]:
        """Return the labels of the best hypothesis, without blanks."""
        if self._options.beam <= 1:
            return greedy_labels(log_probs)
        return self.best(log_probs, hotwords)[0][0]

    def best(self, log_probs: np.ndarray, hotwords: Collection[str] = ()) -> list[tuple[list[int], float]]:
        """Return the labels and the score of the hypotheses at the end of the sound, the best first."""
        expected = frozenset(word.lower() for phrase in hotwords for word in phrase.split())
        root = _Prefix(None, BLANK, 0.0, self._model.begin if self._model else (), "")
        root.blank = 0.0
        beam = [root]
        for frame in log_probs:
            beam = self._advance(beam, frame, expected)
        ended = [(prefix, prefix.sound + self._ending(prefix, expected)) for prefix in beam]
        ended.sort(key=lambda each: -each[1])
        return [(prefix.labels(), score) for prefix, score in ended]

    def _advance(self, beam: list[_Prefix], frame: np.ndarray, expected: Collection[str]) -> list[_Prefix]:
        """Return the best prefixes after one more frame (C,)."""
        labels = np.flatnonzero(frame >= frame.max() - self._options.label_floor)
        chances = [(int(label), float(frame[label])) for label in labels]
        after: dict[_Prefix, tuple[float, float]] = {}
        for prefix in beam:
            total = _log_add(prefix.blank, prefix.label)
            for label, chance in chances:
                if label == BLANK:
                    _add(after, prefix, total + chance, NEVER)
                elif label == prefix.last:
                    _add(after, prefix, NEVER, prefix.label + chance)
                    _add(after, self._branch(prefix, label, expected), NEVER, prefix.blank + chance)
                else:
                    _add(after, self._branch(prefix, label, expected), NEVER, total + chance)
        for prefix in beam:
            prefix.blank = prefix.label = NEVER
        for prefix, sums in after.items():
            prefix.blank, prefix.label = sums
        kept = sorted(after, key=lambda each: -each.score)
        return [each for each in kept[: self._options.beam] if each.score > NEVER] or beam

    def _branch(self, prefix: _Prefix, label: int, expected: Collection[str]) -> _Prefix:
        """Return the prefix with one more label, the same one each time."""
        branch = prefix.branches.get(label)
        if branch is None:
            branch = prefix.branches[label] = self._extend(prefix, label, expected)
        return branch

    def _extend(self, prefix: _Prefix, label: int, expected: Collection[str]) -> _Prefix:
        """Make the prefix with one more label; a label that begins a word completes the one before."""
        text = self._units.text(label)
        if not self._units.starts_word(label):
            made = _Prefix(prefix, label, prefix.lm, prefix.state, prefix.word + text)
        else:
            cost, state = self._cost(prefix.state, prefix.word, expected)
            made = _Prefix(prefix, label, prefix.lm + cost, state, text)
        made.pending = self._outlook(made.word, expected)
        return made

    def _cost(self, state: State, word: str, expected: Collection[str]) -> tuple[float, State]:
        """Return what a complete word adds to the score, and the state after it."""
        if not word:
            return 0.0, state
        cost = self._options.hotword_bonus if word.lower() in expected else 0.0
        if self._model is None:
            return cost, state
        log_prob, state = self._model.score(state, word)
        unknown = 0.0 if word in self._model.words else self._options.unknown_word
        return cost + self._options.lm_weight * log_prob + self._options.word_bonus + unknown, state

    def _outlook(self, word: str, expected: Collection[str]) -> float:
        """Return what is added while a word is not complete."""
        if any(each.startswith(word.lower()) for each in expected) and len(word) > 1:
            return self._options.hotword_bonus * 0.5
        if self._model is None or not word or self._vocabulary.begins(word):
            return 0.0
        return self._options.lm_weight * UNKNOWN_PREFIX + self._options.unknown_word

    def _ending(self, prefix: _Prefix, expected: Collection[str]) -> float:
        """Return the cost of a prefix as a whole text."""
        cost, state = self._cost(prefix.state, prefix.word, expected)
        if self._model is None:
            return prefix.lm + cost
        return prefix.lm + cost + self._options.lm_weight * self._model.end(state)

    @cached_property
    def _vocabulary(self) -> _Vocabulary:
        return _Vocabulary(self._model.words if self._model else ())


class _Vocabulary:
    """Which texts begin a word."""

    def __init__(self, words: Collection[str]) -> None:
        self._sorted = sorted(words)

    def begins(self, text: str) -> bool:
        """Tell whether a word begins with `text`."""
        place = bisect_left(self._sorted, text)
        return place < len(self._sorted) and self._sorted[place].startswith(text)


def _add(after: dict[_Prefix, tuple[float, float]], prefix: _Prefix, blank: float, label: float) -> None:
    """Add paths that reach a prefix in this frame."""
    before = after.get(prefix)
    after[prefix] = (
        (blank, label) if before is None else (_log_add(before[0], blank), _log_add(before[1], label))
    )


def _log_add(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b)) of two numbers, either of which may be minus infinity."""
    if a < b:
        a, b = b, a
    return a if b == NEVER else a + math.log1p(math.exp(b - a))

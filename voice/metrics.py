"""How well it went: word and character errors, and how far chance could have moved them.

Every system that is compared is scored through the same normalizer (Whisper's for English:
case, punctuation, spelling variants and numbers do not count as errors).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Score:
    """`errors` (substitutions + insertions + deletions) against `words` of reference; scores add up."""

    errors: int
    words: int

    @property
    def rate(self) -> float:
        """Errors per word of reference; 0.05 is 5 %. Words where none belong count as one each."""
        return self.errors / max(self.words, 1)

    def __add__(self, other: Score) -> Score:
        return Score(self.errors + other.errors, self.words + other.words)


def normalize(text: str) -> str:
    """Lower case, no punctuation, one spelling per word, numbers as digits."""
    return _normalizer()(text)


def word_errors(reference: str, hypothesis: str) -> Score:
    """Word errors after both texts are normalized."""
    return _compare(normalize(reference).split(), normalize(hypothesis).split())


def character_errors(reference: str, hypothesis: str) -> Score:
    """Character errors after both texts are normalized, spaces left out; `words` counts characters."""
    return _compare(*(list(normalize(text).replace(" ", "")) for text in (reference, hypothesis)))


def total(scores: Iterable[Score]) -> Score:
    """All scores as one: the rate of a corpus, long utterances weighing more."""
    return sum(scores, Score(0, 0))


def interval(
    scores: Sequence[Score], *, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Between which rates `level` of all corpora of such utterances would score.

    Bootstrap by utterance (Bisani and Ney 2004): utterances are drawn anew with replacement.
    """
    if not scores:
        return (0.0, 0.0)
    errors, words = np.array([(score.errors, score.words) for score in scores]).T
    picks = np.random.default_rng(seed).integers(len(scores), size=(draws, len(scores)))
    rates = errors[picks].sum(1) / np.maximum(words[picks].sum(1), 1)
    low, high = np.quantile(rates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Fewest substitutions, insertions and deletions that turn one into the other (Levenshtein)."""
    codes = {token: code for code, token in enumerate(dict.fromkeys([*reference, *hypothesis]))}
    target = np.array([codes[token] for token in hypothesis], np.int64)
    steps = np.arange(len(target) + 1)
    row = steps
    for deleted, token in enumerate(reference, start=1):
        row = np.minimum(row[1:] + 1, row[:-1] + (target != codes[token]))
        # An insertion comes from the left in the same row: a running minimum, once the steps are taken out.
        row = np.minimum.accumulate(np.concatenate(([deleted], row)) - steps) + steps
    return int(row[-1])


def _compare(reference: list[str], hypothesis: list[str]) -> Score:
    return Score(edit_distance(reference, hypothesis), len(reference))


@lru_cache
def _normalizer():
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()

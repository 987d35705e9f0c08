"""How well it went: word and character errors, how far chance could have moved them, and how honest it was.

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


def right_words(reference: str, words: Sequence[str]) -> list[bool]:
    """Which written words of a hypothesis are in the reference, where the two are closest.

    They are compared as they are spoken ("$5" is "five dollars"), and a word is right if all of it is.
    """
    said = [(number, word) for number, text in enumerate(words) for word in _spoken(text)]
    true = _matched(_spoken(reference), [word for _, word in said])
    wrong = {number for (number, _), match in zip(said, true, strict=True) if not match}
    return [number not in wrong for number in range(len(words))]


def calibration_error(confidence: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): how far confidence is from how often it is right.

    The mean over `bins` of equal width, weighted by what is in them; 0.05 is five points off.
    """
    sure, true = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    if not len(sure):
        return 0.0
    places = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = np.bincount(places, weights=sure - true, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


def auroc(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """How often what is right has more confidence than what is wrong; 0.5 is chance, nan if all are alike.

    The area under the receiver's operating characteristic (Hanley and McNeil 1982); ties count half.
    """
    sure, true = np.asarray(confidence, np.float64), np.asarray(right, bool)
    good, bad = np.sort(sure[true]), sure[~true]
    if not len(good) or not len(bad):
        return float("nan")
    below = np.searchsorted(good, bad, side="left") + np.searchsorted(good, bad, side="right")
    return float(1 - below.sum() / (2 * len(good) * len(bad)))


def _spoken(text: str) -> list[str]:
    """The words of a text as they are said, one spelling per word."""
    from voice.text.english.normalization import normalize

    words = " ".join(chunk.text for chunk in normalize(text).chunks).replace("-", " ").split()
    return [plain for word in words if (plain := normalize(word).replace(" ", ""))]


def _matched(reference: Sequence[str], hypothesis: Sequence[str]) -> list[bool]:
    """Which tokens of the hypothesis stand opposite their likes in the best alignment (Levenshtein)."""
    costs = np.zeros((len(reference) + 1, len(hypothesis) + 1), np.int64)
    costs[:, 0], costs[0] = np.arange(len(reference) + 1), np.arange(len(hypothesis) + 1)
    for i, token in enumerate(reference, 1):
        for j, other in enumerate(hypothesis, 1):
            costs[i, j] = min(
                costs[i - 1, j - 1] + (token != other), costs[i - 1, j] + 1, costs[i, j - 1] + 1
            )
    matched = [False] * len(hypothesis)
    i, j = len(reference), len(hypothesis)
    while i and j:
        if costs[i, j] == costs[i - 1, j - 1] + (reference[i - 1] != hypothesis[j - 1]):
            i, j = i - 1, j - 1
            matched[j] = reference[i] == hypothesis[j]
        elif costs[i, j] == costs[i, j - 1] + 1:
            j -= 1
        else:
            i -= 1
    return matched


def _compare(reference: list[str], hypothesis: list[str]) -> Score:
    return Score(edit_distance(reference, hypothesis), len(reference))


@lru_cache
def _normalizer():
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()

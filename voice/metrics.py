"""Word errors and their confidence interval, the words that are right, and how well confidence is calibrated.

Every system that is compared is scored through the same normalizer. For English it is Whisper's: case,
punctuation, spelling variants and numbers do not count as errors. Other languages lose case and punctuation
alone, and where no spaces part the words, characters are counted (CER).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from voice.text.languages import WITHOUT_SPACES


@dataclass(frozen=True)
class Score:
    """`errors` (substitutions + insertions + deletions) against `words` of reference; scores add up."""

    errors: int
    words: int

    @property
    def rate(self) -> float:
        """Return the errors per word of reference; 0.05 is 5 %. Without any words, return the errors."""
        return self.errors / max(self.words, 1)

    def __add__(self, other: Score) -> Score:
        return Score(self.errors + other.errors, self.words + other.words)


def normalize(text: str, language: str = "en") -> str:
    """Return a text in lower case without punctuation; of English, with one spelling per word and digits.

    Letters keep their diacritics in all other languages, as they tell words apart there; in those without
    spaces between words, characters are parted by spaces.
    """
    if language == "en":
        normalized: str = _normalizer()(text)
        return normalized
    kept = (_plain(letter) for letter in unicodedata.normalize("NFKC", text).casefold())
    words = "".join(kept).split()
    return " ".join("".join(words) if language in WITHOUT_SPACES else words)


def word_errors(reference: str, hypothesis: str, language: str = "en") -> Score:
    """Count the word errors of a hypothesis after both texts are normalized as their language wants it.

    In languages without spaces between words, each character counts as a word.
    """
    import jiwer

    found = jiwer.process_words(normalize(reference, language), normalize(hypothesis, language))
    missed = found.substitutions + found.deletions
    return Score(missed + found.insertions, missed + found.hits)


_BRACKET_OR_ELLIPSIS = re.compile(r"[()\[\]{}<>…]|\.{2,}")


_ONE = re.compile(r"\bone\b(?= \d)|(?<=\d )one\b")  # beside figures; the normalizer writes a lone 1 so
_BETWEEN_FIGURES = re.compile(r"(?<=\d) (?=\d)")


def reading_errors(text: str, hypothesis: str, language: str = "en") -> Score:
    """Count the word errors of what is recognized against a text that a voice has read.

    Whisper's normalizer is made for transcripts. It leaves out what is in brackets, which a voice reads. Of
    an ellipsis it leaves marks behind that count as part of a word. It writes numbers one after the other as
    one where they are in words ("two, three": 23), but not where they are in figures ("2, 3"): here they are
    one word in either case.
    """
    plain = (normalize(_BRACKET_OR_ELLIPSIS.sub(" ", each), language) for each in (text, hypothesis))
    said, heard = (_BETWEEN_FIGURES.sub("", _ONE.sub("1", each)) for each in plain)
    return word_errors(said, heard, language)


def total(scores: Iterable[Score]) -> Score:
    """Add scores up: the rate of a corpus, in which long utterances weigh more."""
    return sum(scores, Score(0, 0))


def interval(
    scores: Sequence[Score], *, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the rates between which `level` of all corpora of such utterances would score.

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
    """Count the fewest substitutions, insertions and deletions that turn one into the other (Levenshtein)."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(reference, hypothesis)


def right_words(reference: str, words: Sequence[str]) -> list[bool]:
    """Tell which written words of a hypothesis are in the reference, in an alignment with the fewest errors.

    They are compared as they are spoken ("$5" is "five dollars"), and a word is right if all of it is.
    """
    spoken = [(number, word) for number, text in enumerate(words) for word in _spoken_words(text)]
    matched = _match_tokens(_spoken_words(reference), [word for _, word in spoken])
    wrong = {number for (number, _), match in zip(spoken, matched, strict=True) if not match}
    return [number not in wrong for number in range(len(words))]


def calibration_error(confidence: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> float:
    """Compute the expected calibration error (Naeini et al. 2015): confidence less the share that is right.

    The mean over `bins` of equal width, weighted by what is in them; 0.05 is five points off.
    """
    predicted, true = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    if not len(predicted):
        return 0.0
    indexes = np.minimum((predicted * bins).astype(int), bins - 1)
    gaps = np.bincount(indexes, weights=predicted - true, minlength=bins)
    return float(np.abs(gaps).sum() / len(predicted))


def auroc(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """Compute how often a right word has more confidence than a wrong one; nan if all are right or wrong.

    The area under the receiver operating characteristic (Hanley and McNeil 1982): 0.5 is chance, ties count
    half.
    """
    predicted, true = np.asarray(confidence, np.float64), np.asarray(right, bool)
    good, bad = np.sort(predicted[true]), predicted[~true]
    if not len(good) or not len(bad):
        return float("nan")
    below = np.searchsorted(good, bad, side="left") + np.searchsorted(good, bad, side="right")
    return float(1 - below.sum() / (2 * len(good) * len(bad)))


def _plain(letter: str) -> str:
    """Return a letter, a digit or a mark on one as it is, and a space for anything else."""
    return letter if unicodedata.category(letter)[0] in "LMN" else " "


def _spoken_words(text: str) -> list[str]:
    """Return the words of a text as they are spoken, with one spelling per word."""
    from voice.text.english import normalization

    words = " ".join(chunk.text for chunk in normalization.normalize(text).chunks).replace("-", " ").split()
    return [plain for word in words if (plain := normalize(word).replace(" ", ""))]


def _match_tokens(reference: Sequence[str], hypothesis: Sequence[str]) -> list[bool]:
    """Tell which tokens of the hypothesis are aligned to equal ones, with the fewest errors (Levenshtein).

    Calibrations were fitted on this one of the alignments with as few errors: it prefers substitutions, from
    the end. That of rapidfuzz and jiwer matches another number of words in 11 of 100 random pairs.
    """
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


@lru_cache
def _normalizer() -> Callable[[str], str]:
    """Load Whisper's normalizer of English."""
    from whisper_normalizer.english import EnglishTextNormalizer

    normalizer: Callable[[str], str] = EnglishTextNormalizer()
    return normalizer

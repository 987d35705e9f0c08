"""The probability that a word is right: logistic regression on features of its tokens and letters.

The weights are fitted for each recognizer by `python -m recipes.asr.calibrate` and stand on its card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from voice.asr.ctc.alphabet import BLANK, SPACE
from voice.asr.ctc.forced_alignment import AlignedWord
from voice.asr.whisper.decoding import Hypothesis
from voice.asr.whisper.tokenizer import WordTokens
from voice.errors import ModelDamaged
from voice.types import Word

FEATURES = (
    "least",  # log-probability of the word's least likely token
    "mean",  # of its tokens
    "sentence",  # of all tokens of the text
    "brevity",  # 1 / its letters
    "pace",  # logarithm of the seconds per letter
    "sound",  # the mean over its letters of a head's best log-probability; from here on 0 without a head
    "softest",  # the least of these
    "heard",  # the share of its letters that are the likeliest where they are
    "extra",  # letters likeliest there besides, per letter
)
_FLOOR = -10.0  # of log-probabilities: what is less likely than this is no worse
_USUAL_PACE = 0.07  # seconds per letter

Confidence = Callable[[np.ndarray], np.ndarray]


def with_confidence(
    words: Sequence[Word],
    tokens: Sequence[WordTokens],
    hypothesis: Hypothesis,
    confidence: Confidence,
    aligned: Sequence[AlignedWord] | None = None,
    log_probs: np.ndarray | None = None,
) -> list[Word]:
    """Return the words of a hypothesis with the confidence that `confidence` computes from their features.

    `aligned` says where their letters lie in `log_probs` (F, 29), if a CTC head read them.
    """
    if not words:
        return []
    rows = np.zeros((len(words), len(FEATURES)))
    for row, word, each in zip(rows, words, tokens, strict=True):
        row[:5] = _decoder_features(
            word, hypothesis.log_probs[each.first : each.last], hypothesis.mean_log_prob
        )
    if aligned is not None and log_probs is not None:
        rows[:, 5:] = [_letter_features(at, log_probs) for at in aligned]
    probabilities = confidence(rows)
    return [replace(word, confidence=float(p)) for word, p in zip(words, probabilities, strict=True)]


def mean_token_probability(rows: np.ndarray) -> np.ndarray:
    """Return the mean probability of each word's tokens: (N, FEATURES) → (N,). It needs no calibration."""
    means: np.ndarray = rows[:, FEATURES.index("mean")]
    probabilities: np.ndarray = np.exp(means)
    return probabilities


@dataclass(frozen=True)
class Calibration:
    """Weights by the names of FEATURES, and "bias". Raises ModelDamaged for others."""

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        strange = [name for name in self.weights if name not in (*FEATURES, "bias")]
        if strange:
            raise ModelDamaged(
                f"confidence has no {', '.join(strange)}; fit it again with recipes.asr.calibrate"
            )

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the probability that each word is right: (N, FEATURES) → (N,)."""
        weights = np.array([self.weights.get(name, 0.0) for name in FEATURES])
        odds = np.clip(rows @ weights + self.weights.get("bias", 0.0), -30, 30)
        probabilities: np.ndarray = 1 / (1 + np.exp(-odds))
        return probabilities


def _decoder_features(word: Word, log_probs: np.ndarray, sentence: float) -> list[float]:
    """Compute (least, mean, sentence, brevity, pace) of a word from the log-probabilities of its tokens."""
    log_probs = np.maximum(log_probs if len(log_probs) else [sentence], _FLOOR)
    letters = max(1, sum(map(str.isalnum, word.text)))
    pace = np.log(max(word.end - word.start, 0.01) / letters / _USUAL_PACE)
    least, mean = float(log_probs.min()), float(log_probs.mean())
    return [least, mean, max(sentence, _FLOOR), 1 / letters, float(pace)]


def _letter_features(at: AlignedWord, log_probs: np.ndarray) -> tuple[float, float, float, float]:
    """Compute (sound, softest, heard, extra) of a word whose letters are aligned to `log_probs` (F, 29)."""
    if not len(at.labels):
        return 0.0, 0.0, 0.0, 0.0
    windows = [log_probs[start : max(end, start + 1)] for start, end in at.spans]
    pairs = [(window, label) for window, label in zip(windows, at.labels, strict=True) if len(window)]
    best = np.array([max(float(window[:, label].max()), _FLOOR) for window, label in pairs] or [_FLOOR])
    hits = sum(label in window.argmax(axis=1) for window, label in pairs)
    extra = max(0, _count_letters(log_probs[at.spans[0, 0] : at.spans[-1, 1]]) - hits)
    count = len(at.labels)
    return float(best.mean()), float(best.min()), hits / count, extra / count


def _count_letters(log_probs: np.ndarray) -> int:
    """Count the letters that a head reads in (F, 29)."""
    likeliest = log_probs.argmax(axis=1)
    fresh = np.diff(likeliest, prepend=BLANK) != 0
    return int(np.count_nonzero(fresh & (likeliest != BLANK) & (likeliest != SPACE)))

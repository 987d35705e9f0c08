"""How likely a word is to be right: logistic regression on what is known of it.

The weights are fitted for each recognizer by `python -m recipes.asr.calibrate` and stand on its card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from voice.asr.ctc.alphabet import BLANK, SPACE
from voice.asr.ctc.forced_alignment import Place
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
    "sound",  # what a head gives its letters at best, in the mean; this and what follows is 0 without one
    "softest",  # to the one it is least sure of
    "heard",  # the share of its letters that are the likeliest where they are
    "extra",  # letters likeliest there besides, per letter
)
_FLOOR = -10.0  # of log-probabilities: what is less likely than this is no worse
_ORDINARY = 0.07  # seconds per letter

Confidence = Callable[[np.ndarray], np.ndarray]


def weighed(
    words: Sequence[Word],
    written: Sequence[WordTokens],
    guess: Hypothesis,
    confidence: Confidence,
    places: Sequence[Place] | None = None,
    log_probs: np.ndarray | None = None,
) -> list[Word]:
    """The words of a guess, each as sure as `confidence` finds it.

    `places` says where their letters lie in `log_probs` (F, 29), where a head heard them.
    """
    if not words:
        return []
    rows = np.zeros((len(words), len(FEATURES)))
    for row, word, tokens in zip(rows, words, written, strict=True):
        row[:5] = _decoded(word, guess.chances[tokens.first : tokens.last], guess.log_probability)
    if places is not None and log_probs is not None:
        rows[:, 5:] = [_heard(at, log_probs) for at in places]
    sure = confidence(rows)
    return [replace(word, confidence=float(chance)) for word, chance in zip(words, sure, strict=True)]


def likelihood(rows: np.ndarray) -> np.ndarray:
    """Where nothing was calibrated: the mean probability of the word's tokens. (N, FEATURES) → (N,)."""
    return np.exp(rows[:, FEATURES.index("mean")])


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
        """(N, FEATURES) → the probability of each word's being right (N,)."""
        weights = np.array([self.weights.get(name, 0.0) for name in FEATURES])
        return 1 / (1 + np.exp(-np.clip(rows @ weights + self.weights.get("bias", 0.0), -30, 30)))


def _decoded(word: Word, chances: np.ndarray, sentence: float) -> list[float]:
    """(least, mean, sentence, brevity, pace) of a word with the log-probabilities `chances` of its tokens."""
    chances = np.maximum(chances if len(chances) else [sentence], _FLOOR)
    letters = max(1, sum(map(str.isalnum, word.text)))
    pace = np.log(max(word.end - word.start, 0.01) / letters / _ORDINARY)
    return [float(chances.min()), float(chances.mean()), max(sentence, _FLOOR), 1 / letters, float(pace)]


def _heard(at: Place, log_probs: np.ndarray) -> tuple[float, float, float, float]:
    """(sound, softest, heard, extra) of a word whose letters a head has placed."""
    if not len(at.labels):
        return 0.0, 0.0, 0.0, 0.0
    windows = [log_probs[start : max(end, start + 1)] for start, end in at.spans]
    pairs = [(window, label) for window, label in zip(windows, at.labels, strict=True) if len(window)]
    best = np.array([max(float(window[:, label].max()), _FLOOR) for window, label in pairs] or [_FLOOR])
    hits = sum(label in window.argmax(axis=1) for window, label in pairs)
    extra = max(0, _letters(log_probs[at.spans[0, 0] : at.spans[-1, 1]]) - hits)
    count = len(at.labels)
    return float(best.mean()), float(best.min()), hits / count, extra / count


def _letters(log_probs: np.ndarray) -> int:
    """How many letters a head reads in (F, 29)."""
    likeliest = log_probs.argmax(axis=1)
    fresh = np.diff(likeliest, prepend=BLANK) != 0
    return int(np.count_nonzero(fresh & (likeliest != BLANK) & (likeliest != SPACE)))

"""The layer that tells ends of sentences from pauses: logistic regression that begins at a known layer.

What is fitted is the difference from the base's layer, held small by a penalty, whose strength is chosen by
cross-validation: with little speech of a person the layer stays near what was learned from many.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes.endpoint.silences import Silence
from voice.agent.listening.endpointing import BY_SENTENCE

LONG = 0.25  # seconds of a pause that matters
STEPS = 120  # of fitting
FOLDS = 5
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0)  # of the penalty on the difference
KIND = "sentence_end"  # of words, whose silences are counted with


@dataclass(frozen=True, eq=False)
class Layer:
    """`weights` (6, D) and `bias` of the log-odds that a sentence ends."""

    weights: np.ndarray
    bias: float

    def odds(self, silences: Sequence[Silence]) -> np.ndarray:
        """Return the log-odds (N,) of an end at each silence, as it is heard without noise."""
        return np.array([float((one.clean * self.weights).sum()) + self.bias for one in silences])


def write_layer(path: Path, layer: Layer) -> None:
    """Write a layer as `voice.asr.whisper.end_of_turn` reads it."""
    np.savez_compressed(path, weights=layer.weights.astype(np.float16), bias=np.float32(layer.bias))


def fit(silences: Sequence[Silence], base: Layer, strength: float) -> Layer:
    """Return the base's layer and the difference that fits the silences, by Nesterov's method.

    Long pauses weigh more, because only they can be taken for an end.
    """
    rows = np.stack([each.ravel() for one in silences for each in (one.clean, one.noisy)]).astype(np.float32)
    known = rows @ base.weights.astype(np.float32).ravel() + np.float32(base.bias)
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    rows = (rows - middle) / spread
    ends = np.repeat([one.is_end for one in silences], 2).astype(np.float32)
    heavy = np.repeat(weights_of(silences), 2).astype(np.float32)
    heavy /= heavy.sum()
    step = float(4 / (np.linalg.norm(rows * np.sqrt(heavy)[:, None], 2) ** 2 + 4 * strength + 1))
    now = ahead = np.zeros(rows.shape[1], np.float32)
    bias = bias_ahead = 0.0
    for turn in range(STEPS):
        wrong = heavy * (_probability(known + rows @ ahead + bias_ahead) - ends)
        then = ahead - step * (rows.T @ wrong + strength * ahead)
        bias_then = bias_ahead - step * float(wrong.sum())
        pace = turn / (turn + 3)
        ahead, bias_ahead = then + pace * (then - now), bias_then + pace * (bias_then - bias)
        now, bias = then, bias_then
    change = now / spread
    return Layer(base.weights + change.reshape(base.weights.shape), base.bias + bias - float(change @ middle))


def weights_of(silences: Sequence[Silence]) -> np.ndarray:
    """Return how much each silence (N,) counts."""
    return np.array([1.0 if one.is_end else float(np.clip(one.seconds / 0.3, 0.1, 2.0)) for one in silences])


def choose_strength(silences: Sequence[Silence], base: Layer) -> float:
    """Return the penalty whose layers judge silences best that they were not fitted on."""
    costs = [loss(silences, _held_out(silences, base, each)).sum() for each in STRENGTHS]
    return STRENGTHS[int(np.argmin(costs))]


def cross_validate(silences: Sequence[Silence], base: Layer) -> np.ndarray:
    """Return the log-odds (N,) of each silence by a layer that never heard its recording.

    The strength of the penalty is chosen anew in each fold, without it.
    """
    return _held_out(silences, base, None)


def _held_out(silences: Sequence[Silence], base: Layer, strength: float | None) -> np.ndarray:
    scores, folds = np.zeros(len(silences)), _folds([one.clip for one in silences])
    for fold in range(FOLDS):
        heard = [one for one, its in zip(silences, folds, strict=True) if its != fold]
        chosen = choose_strength(heard, base) if strength is None else strength
        indexes = np.flatnonzero(folds == fold)
        if len(indexes):
            scores[indexes] = fit(heard, base, chosen).odds([silences[index] for index in indexes.tolist()])
    return scores


def _folds(kinds: Sequence[Hashable]) -> np.ndarray:
    """Return the fold (N,) of each of some recordings; all silences of one are in the same."""
    order = list(dict.fromkeys(kinds))
    np.random.default_rng(0).shuffle(order)
    places = {kind: place % FOLDS for place, kind in enumerate(order)}
    return np.array([places[kind] for kind in kinds])


def loss(silences: Sequence[Silence], odds: np.ndarray) -> np.ndarray:
    """Return the cross entropy (N,) of each silence times its weight."""
    ends = np.array([one.is_end for one in silences])
    return weights_of(silences) * np.logaddexp(0, np.where(ends, -odds, odds))


def gain(silences: Sequence[Silence], before: np.ndarray, after: np.ndarray) -> tuple[float, float, float]:
    """Return by how much the mean loss falls, and the 95 % interval of that by bootstrap over recordings."""
    less = loss(silences, before) - loss(silences, after)
    names = [one.clip for one in silences]
    by_clip = np.array([less[[each == name for each in names]].sum() for name in dict.fromkeys(names)])
    picks = np.random.default_rng(0).integers(len(by_clip), size=(1_000, len(by_clip)))
    low, high = np.quantile(by_clip[picks].mean(1), [0.025, 0.975])
    return float(by_clip.mean()), float(low), float(high)


def area_under_curve(silences: Sequence[Silence], odds: np.ndarray) -> float:
    """Return the share of pairs of an end and a long pause in which the end scores higher."""
    ends = odds[[one.is_end for one in silences]]
    pauses = odds[[LONG <= one.seconds < np.inf for one in silences]]
    return float(np.mean(ends[:, None] > pauses[None])) if len(ends) and len(pauses) else float("nan")


def waits(odds: np.ndarray) -> np.ndarray:
    """Return the seconds of silence (N,) after which a conversation ends a turn that sounds like this."""
    steps = BY_SENTENCE[KIND]
    return np.array([next(seconds for least, seconds in steps if p >= least) for p in _probability(odds)])


def interrupted(silences: Sequence[Silence], odds: np.ndarray) -> float:
    """Return the share of the long pauses in which a conversation would have ended the turn."""
    late = waits(odds)
    pauses = [
        (one.seconds, wait)
        for one, wait in zip(silences, late, strict=True)
        if not one.is_end and one.seconds >= LONG
    ]
    return float(np.mean([seconds > wait for seconds, wait in pauses])) if pauses else float("nan")


def mean_wait(silences: Sequence[Silence], odds: np.ndarray) -> float:
    """Return the mean seconds that a conversation waits at the ends."""
    late = waits(odds)[[one.is_end for one in silences]]
    return float(late.mean()) if len(late) else float("nan")


def _probability(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(odds, -60, 60)))

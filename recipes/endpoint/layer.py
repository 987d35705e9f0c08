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
INNER_FOLDS = 3  # in which the penalty is chosen
DRAWS = 1_000
POWERS, MARGIN = 20, 1.1  # of the power iteration, and how much its result may be too small
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
    step = 4 / (_squared_norm(rows * np.sqrt(heavy)[:, None]) + 4 * strength + 1)
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


def _squared_norm(rows: np.ndarray) -> float:
    """Return the square of the largest singular value of a matrix, by power iteration, rather above it."""
    direction = np.ones(rows.shape[1], rows.dtype)
    length = 0.0
    for _ in range(POWERS):
        direction = rows.T @ (rows @ (direction / np.linalg.norm(direction)))
        length = float(np.linalg.norm(direction))
    return MARGIN * length


def weights_of(silences: Sequence[Silence]) -> np.ndarray:
    """Return how much each silence (N,) counts."""
    return np.array([1.0 if one.is_end else float(np.clip(one.seconds / 0.3, 0.1, 2.0)) for one in silences])


def adapt(silences: Sequence[Silence], base: Layer, strength: float) -> Layer:
    """Return the layer of `fit`, its bias such that ends come out as complete as before on average.

    How many of the silences are ends says nothing of conversations: were the bias free to follow it, a
    turn would end sooner or later in all of them.
    """
    made = fit(silences, base, strength)
    if not base.weights.any():
        return made
    ends = [one for one in silences if one.is_end]
    shift = float(np.median(base.odds(ends)) - np.median(made.odds(ends)))
    return Layer(made.weights, made.bias + shift)


def choose_strength(silences: Sequence[Silence], base: Layer) -> float:
    """Return the penalty whose layers tell those silences apart best that they were not fitted on."""
    areas = [area_under_curve(silences, _held_out(silences, base, each, INNER_FOLDS)) for each in STRENGTHS]
    best = max((area, strength) for area, strength in zip(areas, STRENGTHS, strict=True))
    return best[1]


def cross_validate(silences: Sequence[Silence], base: Layer) -> np.ndarray:
    """Return the log-odds (N,) of each silence by a layer that never heard its recording.

    The strength of the penalty is chosen anew in each fold, without it.
    """
    return _held_out(silences, base, None, FOLDS)


def _held_out(silences: Sequence[Silence], base: Layer, strength: float | None, count: int) -> np.ndarray:
    scores, folds = np.zeros(len(silences)), _folds([one.clip for one in silences], count)
    for fold in range(count):
        heard = [one for one, its in zip(silences, folds, strict=True) if its != fold]
        chosen = choose_strength(heard, base) if strength is None else strength
        indexes = np.flatnonzero(folds == fold)
        if len(indexes):
            scores[indexes] = adapt(heard, base, chosen).odds([silences[index] for index in indexes.tolist()])
    return scores


def _folds(kinds: Sequence[Hashable], count: int) -> np.ndarray:
    """Return the fold (N,) of each of some recordings; all silences of one are in the same."""
    order = list(dict.fromkeys(kinds))
    np.random.default_rng(0).shuffle(order)
    places = {kind: place % count for place, kind in enumerate(order)}
    return np.array([places[kind] for kind in kinds])


def loss(silences: Sequence[Silence], odds: np.ndarray) -> np.ndarray:
    """Return the cross entropy (N,) of each silence times its weight."""
    ends = np.array([one.is_end for one in silences])
    return weights_of(silences) * np.logaddexp(0, np.where(ends, -odds, odds))


def gain(silences: Sequence[Silence], before: np.ndarray, after: np.ndarray) -> tuple[float, float, float]:
    """Return by how much the area under the curve grows, and its 95 % interval by bootstrap of recordings."""
    names = list(dict.fromkeys(one.clip for one in silences))
    ends, pauses = _ends_and_pauses(silences)
    wins = _wins(after, ends, pauses) - _wins(before, ends, pauses)
    place = np.array([names.index(one.clip) for one in silences])
    rng, drawn = np.random.default_rng(0), []
    for _ in range(DRAWS):
        counts = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)).astype(float)
        of_ends, of_pauses = counts[place[ends]], counts[place[pauses]]
        drawn.append(of_ends @ wins @ of_pauses / max(1.0, of_ends.sum() * of_pauses.sum()))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(wins.mean()), float(low), float(high)


def _ends_and_pauses(silences: Sequence[Silence]) -> tuple[np.ndarray, np.ndarray]:
    """Return where the ends (E,) and where the long pauses (P,) are among silences."""
    ends = np.flatnonzero([one.is_end for one in silences])
    return ends, np.flatnonzero([LONG <= one.seconds < np.inf for one in silences])


def _wins(odds: np.ndarray, ends: np.ndarray, pauses: np.ndarray) -> np.ndarray:
    """Return for each end and each pause (E, P) 1 if the end scores higher, a half if both are equal."""
    more = odds[ends][:, None] - odds[pauses][None]
    return 0.5 + 0.5 * np.sign(more)


def area_under_curve(silences: Sequence[Silence], odds: np.ndarray) -> float:
    """Return the share of pairs of an end and a long pause in which the end scores higher."""
    wins = _wins(odds, *_ends_and_pauses(silences))
    return float(wins.mean()) if wins.size else float("nan")


def waits(odds: np.ndarray) -> np.ndarray:
    """Return the seconds of silence (N,) after which a conversation ends a turn that sounds like this."""
    steps = BY_SENTENCE[KIND]
    return np.array([next(seconds for least, seconds in steps if p >= least) for p in _probability(odds)])


def interruption_rate(silences: Sequence[Silence], odds: np.ndarray) -> float:
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

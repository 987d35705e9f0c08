"""The mean of a score over utterances, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 1_000


@dataclass(frozen=True)
class Mean:
    """A mean with its 95 % interval; NaN where nothing was measured."""

    value: float
    low: float
    high: float


def mean_interval(values: Sequence[float], seed: int = 0) -> Mean:
    """Return the mean of the values that are numbers, with its interval by bootstrap over them."""
    finite = np.array([value for value in values if np.isfinite(value)])
    if not len(finite):
        return Mean(*[float("nan")] * 3)
    picks = np.random.default_rng(seed).integers(len(finite), size=(DRAWS, len(finite)))
    low, high = np.quantile(finite[picks].mean(1), [0.025, 0.975])
    return Mean(float(finite.mean()), float(low), float(high))

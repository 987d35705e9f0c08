"""The weights of the homograph model: a maximum-entropy classifier with a penalty, fitted by L-BFGS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from recipes.homographs.examples import Example
from voice.text.english.homographs import (
    TABLE_BITS,
    HomographModel,
    HomographReading,
    extract_features,
    places_of,
)

LARGEST_WEIGHT = 127  # of a weight in 8 bits
FEWEST_SEEN = 2  # readings of examples that a place of the table is met with; rarer ones stay zero


def fit(
    examples: Sequence[Example],
    readings: Mapping[str, tuple[HomographReading, ...]],
    penalty: float = 1.0,
    steps: int = 80,
) -> HomographModel:
    """Return the model whose readings explain the examples best; `penalty` is half the inverse variance."""
    matrix, owners, right = _tabulate(examples, readings)
    seen = np.asarray((matrix != 0).sum(axis=0)).ravel()
    used = np.flatnonzero(seen >= FEWEST_SEEN)
    narrow = matrix[:, used]
    weights = np.zeros(2**TABLE_BITS)
    weights[used] = _minimize(narrow, owners, right, penalty, steps)
    scale = float(np.abs(weights).max()) / LARGEST_WEIGHT
    return HomographModel(dict(readings), np.round(weights / scale).astype(np.int8), scale)


def _tabulate(
    examples: Sequence[Example], readings: Mapping[str, tuple[HomographReading, ...]]
) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Return a row of the table's width for each reading of each example, its example, and if it is right."""
    rows, places, values = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    owners, right = list[int](), list[bool]()
    for number, example in enumerate(examples):
        features = extract_features(example.words, example.tags, example.at)
        for reading in readings[example.word]:
            for found, share in places_of(reading, features):
                rows.append(np.full(len(found), len(owners)))
                places.append(found)
                values.append(np.full(len(found), share))
            owners.append(number)
            right.append(reading.name == example.reading)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(places)))
    matrix = sparse.csr_matrix(entries, shape=(len(owners), 2**TABLE_BITS))
    return matrix, np.array(owners), np.array(right)


def _minimize(
    matrix: sparse.csr_matrix, owners: np.ndarray, right: np.ndarray, penalty: float, steps: int
) -> np.ndarray:
    """Return the weights of least penalized cross-entropy over the readings of each example."""
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    turned = matrix.T.tocsr()

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = matrix @ weights
        scores -= np.maximum.reduceat(scores, starts)[owners]
        exponentials = np.exp(scores)
        totals = np.add.reduceat(exponentials, starts)
        surprise = np.log(totals).sum() - scores[right].sum()
        slope = turned @ (exponentials / totals[owners] - right)
        return surprise + 0.5 * penalty * weights @ weights, slope + penalty * weights

    found = minimize(loss, np.zeros(matrix.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": steps})
    return np.asarray(found.x)

"""Which vectors belong to one person: agglomerative clustering with average linkage, in NumPy.

Long stretches of speech decide; short ones then join whom they resemble most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MOST = 6000  # vectors that are compared with each other, about two hours of speech; the rest joins them


@dataclass(frozen=True)
class Grouping:
    """How vectors are told apart; chosen with `benchmarks/speakers.py --split tune`."""

    alike: float = 0.5  # mean cosine of two groups that are one person's
    reliable: float = 0.8  # seconds of speech from which on a vector is to be trusted
    least: float = 2.0  # seconds that a person says at least


def group(
    vectors: np.ndarray, lengths: np.ndarray, grouping: Grouping, count: int | None = None
) -> np.ndarray:
    """Labels (N,) from 0 for unit `vectors` (N, D) of `lengths` (N,) seconds.

    With `count`, there are that many groups, or as many as there are vectors if that is fewer.
    """
    count = None if count is None else min(count, len(vectors))
    sure = np.flatnonzero(lengths >= min(grouping.reliable, lengths.max()))
    if count is not None and len(sure) < count:
        sure = np.argsort(-lengths, kind="stable")[:count]
    if len(sure) > MOST:
        sure = sure[np.sort(np.argsort(-lengths[sure], kind="stable")[:MOST])]
    picked, weights = vectors[sure], lengths[sure]
    labels = _chosen(picked @ picked.T, weights, grouping, count)
    totals = np.bincount(labels, weights)
    kept = np.argsort(-totals, kind="stable")[:count]
    if count is None:
        kept = kept[totals[kept] >= min(grouping.least, totals.max())]
    centers = np.stack([_mean(picked[labels == label], weights[labels == label]) for label in kept])
    found = np.argmax(vectors @ centers.T, axis=1)  # whoever is left joins the nearest
    for new, label in enumerate(kept):
        found[sure[labels == label]] = new
    return found


def _chosen(alike: np.ndarray, weights: np.ndarray, grouping: Grouping, count: int | None) -> np.ndarray:
    """Labels (N,) where merging stops: by likeness, or at the last time that `count` groups were large."""
    labels = np.arange(len(alike))
    best = None
    for into, gone, similar in merges(alike):
        if count is None and similar < grouping.alike:
            break
        sizes = np.bincount(labels, weights)
        groups = np.count_nonzero(sizes)
        if count is not None and groups >= count:
            if groups == count and best is None:
                best = labels.copy()
            elif np.count_nonzero(sizes >= grouping.least) == count:
                best = labels.copy()
        labels[labels == gone] = into
    final = labels if best is None else best
    return np.unique(final, return_inverse=True)[1]


def merges(alike: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """The most similar two groups, merged again and again: (into, gone, how similar they were).

    `alike` (N, N) symmetric; a group is named by one of its members. A row's best partner is only
    looked for anew when it was one of the two, so that N of a thousand take a second.
    """
    alike, sizes = alike.astype(np.float32, copy=True), np.ones(len(alike), np.float32)
    np.fill_diagonal(alike, -np.inf)
    partners = alike.argmax(axis=1)
    best = alike[np.arange(len(alike)), partners]
    for _ in range(len(alike) - 1):
        one = int(best.argmax())
        other, similar = int(partners[one]), float(best[one])
        into, gone = min(one, other), max(one, other)
        yield into, gone, similar
        row = (sizes[into] * alike[into] + sizes[gone] * alike[gone]) / (sizes[into] + sizes[gone])
        row[[into, gone]] = -np.inf
        sizes[into] += sizes[gone]
        alike[into] = alike[:, into] = row
        alike[gone] = alike[:, gone] = -np.inf
        better = row > best
        partners[better], best[better] = into, row[better]
        lost = np.isin(partners, (into, gone)) & ~better
        lost[into] = True
        for stale in np.flatnonzero(lost):
            partners[stale] = alike[stale].argmax()
            best[stale] = alike[stale, partners[stale]]
        best[gone] = -np.inf


def _mean(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The direction (D,) of unit vectors (N, D), by weight."""
    mean = weights @ vectors
    return mean / np.linalg.norm(mean)

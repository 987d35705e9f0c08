"""Which vectors belong to one person: agglomerative clustering with average linkage, in NumPy.

Long pieces of speech decide; short ones then join the nearest cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MAX_VECTORS = 6000  # that are compared with each other, about two hours of speech; the rest joins them


@dataclass(frozen=True)
class ClusteringOptions:
    """When vectors are those of one person; chosen with `benchmarks/speakers.py --split tune`."""

    min_similarity: float = 0.5  # mean cosine of two clusters that are one person's
    min_duration: float = 0.8  # seconds of speech from which on a vector is reliable
    min_total: float = 2.0  # seconds that a person says at least


def cluster(
    vectors: np.ndarray, durations: np.ndarray, options: ClusteringOptions, count: int | None = None
) -> np.ndarray:
    """Return labels (N,) from 0 for unit `vectors` (N, D) of `durations` (N,) seconds.

    With `count`, there are that many clusters, or as many as there are vectors if that is fewer.
    """
    count = None if count is None else min(count, len(vectors))
    reliable = np.flatnonzero(durations >= min(options.min_duration, durations.max()))
    if count is not None and len(reliable) < count:
        reliable = np.argsort(-durations, kind="stable")[:count]
    if len(reliable) > MAX_VECTORS:
        reliable = reliable[np.sort(np.argsort(-durations[reliable], kind="stable")[:MAX_VECTORS])]
    picked, weights = vectors[reliable], durations[reliable]
    labels = _merge(picked @ picked.T, weights, options, count)
    totals = np.bincount(labels, weights)
    kept = np.argsort(-totals, kind="stable")[:count]
    if count is None:
        kept = kept[totals[kept] >= min(options.min_total, totals.max())]
    centers = np.stack([_mean(picked[labels == label], weights[labels == label]) for label in kept])
    found: np.ndarray = np.argmax(vectors @ centers.T, axis=1)  # the rest joins the nearest cluster
    for new, label in enumerate(kept):
        found[reliable[labels == label]] = new
    return found


def _merge(
    similarities: np.ndarray, weights: np.ndarray, options: ClusteringOptions, count: int | None
) -> np.ndarray:
    """Return labels (N,): merge while clusters are similar, or until `count` were large for the last time."""
    labels = np.arange(len(similarities))
    best = None
    for into, gone, similar in merges(similarities):
        if count is None and similar < options.min_similarity:
            break
        sizes = np.bincount(labels, weights)
        clusters = np.count_nonzero(sizes)
        if count is not None and clusters >= count:
            if clusters == count and best is None:
                best = labels.copy()
            elif np.count_nonzero(sizes >= options.min_total) == count:
                best = labels.copy()
        labels[labels == gone] = into
    final = labels if best is None else best
    numbered: np.ndarray = np.unique(final, return_inverse=True)[1]
    return numbered


def merges(similarities: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Merge the most similar two clusters again and again; yield (into, gone, how similar they were).

    `similarities` (N, N) is symmetric; a cluster is named by one of its members. The best partner of a row
    is only searched for again if it was one of the two, so that N of a thousand take a second.
    """
    alike, sizes = similarities.astype(np.float32, copy=True), np.ones(len(similarities), np.float32)
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
    """Return the weighted mean (D,) of unit vectors (N, D), with length one."""
    mean: np.ndarray = weights @ vectors
    direction: np.ndarray = mean / np.linalg.norm(mean)
    return direction

from __future__ import annotations

import numpy as np
import pytest

from voice.asr.diarization.clustering import ClusteringOptions, cluster, merges


def voices(people: int, each: int, *, spread: float = 0.4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (people · each, 64) in random order, and whose they are."""
    draw = np.random.default_rng(seed)
    centers = np.linalg.qr(draw.normal(size=(64, people)))[0].T
    owners = draw.permutation(np.repeat(np.arange(people), each))
    vectors = centers[owners] + spread * draw.normal(size=(len(owners), 64)) / 8
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), owners


def agree(labels: np.ndarray, owners: np.ndarray) -> bool:
    pairs = set(zip(labels.tolist(), owners.tolist(), strict=True))
    return len(pairs) == len(set(owners.tolist())) == len(set(labels.tolist()))


@pytest.mark.parametrize("people", [1, 2, 5, 9])
def test_finds_how_many_people_there_are(people):
    vectors, owners = voices(people, 8)
    assert agree(cluster(vectors, np.full(len(vectors), 1.5), ClusteringOptions()), owners)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_makes_as_many_groups_as_are_asked_for(count):
    vectors, _ = voices(3, 6)
    labels = cluster(vectors, np.full(18, 1.5), ClusteringOptions(), count)
    assert sorted(set(labels.tolist())) == list(range(count))


def test_more_people_than_vectors_are_as_many_as_there_are_vectors():
    vectors, _ = voices(2, 1)
    assert len(set(cluster(vectors, np.full(2, 1.0), ClusteringOptions(), 5).tolist())) == 2


def test_short_stretches_join_whom_they_resemble_and_make_no_person():
    vectors, owners = voices(2, 6)
    stranger = np.eye(64)[63]
    labels = cluster(np.vstack((vectors, stranger)), np.append(np.full(12, 1.5), 0.5), ClusteringOptions())
    assert agree(labels[:-1], owners) and labels[-1] in (0, 1)


def test_one_stretch_alone_is_one_person():
    assert cluster(np.eye(64)[:1], np.array([0.5]), ClusteringOptions()).tolist() == [0]


def test_of_very_many_stretches_the_longest_decide(monkeypatch):
    monkeypatch.setattr("voice.asr.diarization.clustering.MAX_VECTORS", 20)
    vectors, owners = voices(3, 30)
    assert agree(cluster(vectors, np.full(90, 1.5), ClusteringOptions()), owners)


def test_merges_are_those_of_average_linkage_computed_anew_each_time():
    vectors, _ = voices(4, 5, spread=2.0)
    alike = vectors @ vectors.T
    groups = {n: [n] for n in range(len(alike))}
    for into, gone, similar in merges(alike):
        means = {(a, b): alike[np.ix_(groups[a], groups[b])].mean() for a in groups for b in groups if a < b}
        assert similar == pytest.approx(max(means.values()), abs=1e-5)
        assert means[into, gone] == pytest.approx(similar, abs=1e-5)
        groups[into] += groups.pop(gone)
    assert len(groups) == 1

"""The parts together, as data/README.md shows them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np

from data.augmentation import Augment
from data.batching import batches_from, pad, prefetch, rng_for
from data.loading import AudioCache
from voice.manifest import read_manifest

TRAIN = Path(__file__).resolve().parents[2] / "data" / "tiny" / "train.jsonl"


def batches(done: int, count: int, workers: int) -> list[tuple[np.ndarray, np.ndarray]]:
    sounds = AudioCache(read_manifest(TRAIN), 16000)
    augment = Augment(16000, noises=[rng_for(0).normal(0, 0.1, 9000).astype(np.float32)])

    def prepare(item: tuple[int, list[int]]) -> tuple[np.ndarray, np.ndarray]:
        step, batch = item
        return pad([augment(sounds[i], rng_for(7, step, i)) for i in batch])

    steps = batches_from(done, sounds.durations, 12, seed=7)
    return list(islice(prefetch(steps, prepare, workers), count))


def test_a_resumed_run_sees_the_very_samples_of_the_uninterrupted_one():
    uninterrupted, resumed = batches(0, 12, workers=1), batches(9, 3, workers=3)
    for (samples, lengths), (again, same) in zip(uninterrupted[9:], resumed, strict=True):
        np.testing.assert_array_equal(samples, again)
        np.testing.assert_array_equal(lengths, same)

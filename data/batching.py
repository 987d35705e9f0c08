"""Batches of like length, in an order that follows from a seed and a step alone.

Nothing here has state to save: whoever knows the seed and the global step has the batch, its
crops and its augmentation again, so that a resumed run equals the uninterrupted one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import TypeVar

import numpy as np

from voice.errors import VoiceError

Item = TypeVar("Item")
Result = TypeVar("Result")

JITTER = 0.05  # relative; lets clips of nearly equal length meet other neighbors in each epoch


def rng_for(seed: int, *keys: int) -> np.random.Generator:
    """Randomness that depends on `seed` and `keys` (≥ 0; epoch, step, clip, …) and on nothing else."""
    return np.random.default_rng([seed, len(keys), *keys])


def bucket_batches(
    durations: Sequence[float], budget: float, *, seed: int, epoch: int, most: int = 64
) -> list[list[int]]:
    """Return the batches of one epoch: indices into `durations` (seconds), each exactly once.

    A batch's longest duration times its count is at most `budget` seconds, and its count at most
    `most`. The order depends on `seed` and `epoch` alone.

    Raises VoiceError where a single clip is longer than the budget.
    """
    lengths = np.asarray(durations, dtype=np.float64)
    _check(lengths, budget, most)
    rng = rng_for(seed, epoch)
    order = np.argsort(lengths * (1 + rng.uniform(-JITTER, JITTER, len(lengths))), kind="stable")
    batches = _pack(order.tolist(), lengths.tolist(), budget, most)
    return [batches[i] for i in rng.permutation(len(batches))]


def _check(lengths: np.ndarray, budget: float, most: int) -> None:
    """Refuse lengths of which no batches can be made. Raises VoiceError."""
    if len(lengths) == 0:
        raise VoiceError("there are no clips to make batches of: look into the manifest")
    if most < 1:
        raise VoiceError(f"a batch holds at least one clip, not {most}")
    if not np.all(lengths > 0):
        raise VoiceError(f"clip {int(np.argmin(lengths > 0))} has no duration: run `voice data check`")
    longest = int(np.argmax(lengths))
    if lengths[longest] > budget:
        raise VoiceError(
            f"clip {longest} lasts {lengths[longest]:.1f} s and a batch holds {budget:g} s: "
            "raise the batch's seconds or leave out clips that long"
        )


def _pack(order: list[int], lengths: list[float], budget: float, most: int) -> list[list[int]]:
    """Fill batches in this order, each until its padded length or its count would exceed the limit."""
    batches: list[list[int]] = []
    batch: list[int] = []
    longest = 0.0
    for index in order:
        longest = max(longest, lengths[index])
        if batch and (len(batch) == most or longest * (len(batch) + 1) > budget):
            batches.append(batch)
            batch, longest = [], lengths[index]
        batch.append(index)
    return [*batches, batch]


def batches_from(
    step: int, durations: Sequence[float], budget: float, *, seed: int, most: int = 64
) -> Iterator[tuple[int, list[int]]]:
    """(global step, indices of its batch) from `step` on, epoch after epoch, without end.

    Starting at step N gives what continuing from 0 gives at N; only the cheap bucketing of the
    epochs before is repeated, no clip is read.
    """
    first = 0  # the global step at which the epoch begins
    for epoch in count():
        batches = bucket_batches(durations, budget, seed=seed, epoch=epoch, most=most)
        for offset in range(max(0, step - first), len(batches)):
            yield first + offset, batches[offset]
        first += len(batches)


def prefetch(
    items: Iterable[Item], function: Callable[[Item], Result], workers: int = 1, ahead: int = 4
) -> Generator[Result, None, None]:
    """Yield `function` of each item, in order, computed by threads up to `ahead` items early.

    What `function` raises is raised here when its turn comes. Closing the iterator (or leaving
    its loop and dropping it) waits for the calls under way and starts no others.
    """
    source = iter(items)
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="prefetch")
    try:
        for item in source:
            pending.append(pool.submit(function, item))
            if len(pending) > max(ahead, 1):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def pad(arrays: Sequence[np.ndarray], value: float = 0.0, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Arrays that differ in length along `axis` (time, the last by default) → stacked, lengths.

    (T_i,) → (B, T); (mel, T_i) → (B, mel, T); with axis=0, (T_i, mel) → (B, T, mel). Shorter ones
    are filled up with `value` at the end. Lengths are (B,) int64.
    """
    lengths = np.array([array.shape[axis] for array in arrays], dtype=np.int64)
    shape = list(arrays[0].shape)
    shape[axis] = int(lengths.max())
    stacked = np.full((len(arrays), *shape), value, dtype=np.result_type(*arrays))
    for row, array, length in zip(stacked, arrays, lengths, strict=True):
        np.moveaxis(row, axis, 0)[:length] = np.moveaxis(array, axis, 0)
    return stacked, lengths

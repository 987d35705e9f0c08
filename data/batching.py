"""Batches of like length, in an order that follows from a seed and a step alone.

Nothing here has state to save: whoever knows the seed and the global step has the batch, its
crops and its augmentation again, so that a resumed run equals the uninterrupted one.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

import numpy as np

from voice.errors import VoiceError

Item = TypeVar("Item")
Result = TypeVar("Result")

JITTER = 0.05  # relative; lets clips of nearly equal length meet other neighbors in each epoch
SHARDS_AT_ONCE = 8  # shards whose clips may meet in a batch
CHUNK = 4096  # lengths that are Python's own numbers at a time


def rng_for(seed: int, *keys: int) -> np.random.Generator:
    """Randomness that depends on `seed` and `keys` (≥ 0; epoch, step, clip, …) and on nothing else."""
    return np.random.default_rng([seed, len(keys), *keys])


@dataclass(frozen=True)
class Share:
    """Which batches of each step one of several processes computes: `accumulate` of them.

    Batch b of a run belongs to step b // `per_step` and to process b % `processes`. So two processes see in a
    step what one process sees that accumulates two batches.
    """

    rank: int = 0
    processes: int = 1
    accumulate: int = 1

    @property
    def per_step(self) -> int:
        """Batches that all processes together have in a step."""
        return self.processes * self.accumulate

    def takes(self, number: int) -> bool:
        """Tell whether a batch is this process's."""
        return number % self.processes == self.rank

    def numbers(self, step: int) -> Iterator[int]:
        """Yield the numbers of this process's batches from a step on, without end."""
        return count(step * self.per_step + self.rank, self.processes)

    def by_step(self, batches: Iterable[Item]) -> Iterator[list[Item]]:
        """Yield this process's batches, which begin with a step's first, as many at once as a step has."""
        mine: list[Item] = []
        for batch in batches:
            mine.append(batch)
            if len(mine) == self.accumulate:
                yield mine
                mine = []


ALONE = Share()


@dataclass(frozen=True, eq=False)
class EpochPlan:
    """The batches of an epoch, compactly: batch i is `order` up to `ends[i]`, from where i - 1 ended."""

    order: np.ndarray  # (clips,) int64
    ends: np.ndarray  # (batches,) int64

    def __len__(self) -> int:
        return len(self.ends)

    def batch(self, number: int) -> list[int]:
        """Return the indices of a batch."""
        return self.order[self.ends[number - 1] if number else 0 : self.ends[number]].tolist()


def bucket_batches(
    durations: Sequence[float] | np.ndarray, budget: float, *, seed: int, epoch: int, most: int = 64
) -> list[list[int]]:
    """Return the batches of one epoch: indices into `durations` (seconds), each exactly once.

    A batch's longest duration times its count is at most `budget` seconds, and its count at most
    `most`. The order depends on `seed` and `epoch` alone.

    Raises VoiceError where a single clip is longer than the budget.
    """
    plan = plan_epoch(durations, budget, seed=seed, epoch=epoch, most=most)
    return [plan.batch(number) for number in range(len(plan))]


def plan_epoch(
    durations: Sequence[float] | np.ndarray, budget: float, *, seed: int, epoch: int, most: int = 64,
    sections: np.ndarray | None = None,
) -> EpochPlan:  # fmt: skip
    """Return the batches of one epoch as `bucket_batches` has them, in about 20 bytes a clip.

    `sections` numbers the shard that each clip lies in; batches are then made of SHARDS_AT_ONCE shards, then
    of the next ones, in an order that changes from epoch to epoch: files are read one after the other.
    """
    lengths = np.asarray(durations, dtype=np.float64)
    _check(lengths, budget, most)
    if sections is None or sections.min() < 0:
        return _plan(np.arange(len(lengths)), lengths, budget, most, rng_for(seed, epoch))
    rng = rng_for(seed, epoch, 0)
    shards = rng.permutation(int(sections.max()) + 1)
    by_shard = np.argsort(sections, kind="stable")
    borders = np.searchsorted(sections[by_shard], np.arange(len(shards) + 1))
    plans = []
    for first in range(0, len(shards), SHARDS_AT_ONCE):
        some = shards[first : first + SHARDS_AT_ONCE]
        clips = np.concatenate([by_shard[borders[each] : borders[each + 1]] for each in some])
        if len(clips):
            plans.append(_plan(clips, lengths, budget, most, rng))
    before = np.cumsum([0, *(len(plan.order) for plan in plans)])
    ends = [plan.ends + start for plan, start in zip(plans, before[:-1], strict=True)]
    return EpochPlan(np.concatenate([plan.order for plan in plans]), np.concatenate(ends))


def _plan(
    clips: np.ndarray, lengths: np.ndarray, budget: float, most: int, rng: np.random.Generator
) -> EpochPlan:
    """Return batches of these clips, each exactly once, in random order."""
    jittered = lengths[clips] * (1 + rng.uniform(-JITTER, JITTER, len(clips)))
    order = clips[np.argsort(jittered, kind="stable")]
    ends = _ends(lengths[order], budget, most)
    starts = np.concatenate([[0], ends[:-1]])
    chosen = rng.permutation(len(ends))
    counts = (ends - starts)[chosen]
    places = np.repeat(starts[chosen] - np.cumsum(counts) + counts, counts) + np.arange(len(order))
    return EpochPlan(order[places], np.cumsum(counts))


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


def _ends(lengths: np.ndarray, budget: float, most: int) -> np.ndarray:
    """Return where each batch of clips in this order ends, (batches,) int64."""
    ends = array("q")
    held, longest = 0, 0.0
    for first in range(0, len(lengths), CHUNK):
        for place, length in enumerate(lengths[first : first + CHUNK].tolist(), first):
            longest = max(longest, length)
            if held and (held == most or longest * (held + 1) > budget):
                ends.append(place)
                held, longest = 0, length
            held += 1
    ends.append(len(lengths))
    return np.array(ends)


def batches_from(
    first: int, durations: Sequence[float] | np.ndarray, budget: float, *, seed: int, most: int = 64,
    share: Share = ALONE, sections: np.ndarray | None = None,
) -> Iterator[tuple[int, list[int]]]:  # fmt: skip
    """Yield (number, indices) of each batch of this `share`, from batch `first` on, epoch after epoch.

    Starting at batch N gives what continuing from 0 gives at N; only the cheap bucketing of the
    epochs before is repeated, no clip is read. `sections` as for `plan_epoch`.
    """
    begun = 0  # the number of the epoch's first batch
    for epoch in count():
        plan = plan_epoch(durations, budget, seed=seed, epoch=epoch, most=most, sections=sections)
        for number in range(max(begun, first), begun + len(plan)):
            if share.takes(number):
                yield number, plan.batch(number - begun)
        begun += len(plan)


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
    for row, one, length in zip(stacked, arrays, lengths, strict=True):
        np.moveaxis(row, axis, 0)[:length] = np.moveaxis(one, axis, 0)
    return stacked, lengths

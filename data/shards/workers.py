"""Processes beside this one: batches made ahead of a training, and work on many clips on all cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Generic, TypeVar

from data.batching import prefetch

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 3  # items that each worker may be ahead


def cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_ahead(
    items: Iterable[Item], function: Callable[[Item], Result], workers: int
) -> Generator[Result, None, None]:
    """Yield `function` of each item, in order, made ahead by `workers` processes, or by a thread if 0.

    Processes pay where making a batch holds Python's lock for longer than a step takes; they are PyTorch's
    `DataLoader`, which hands tensors over without a copy. What `function` raises is raised here.
    """
    if workers == 0:
        yield from prefetch(items, function)
        return
    import torch
    from torch.utils.data import DataLoader

    calls: Any = _Calls(function)  # a data set as far as the loader needs one
    yield from DataLoader(
        calls, batch_size=None, sampler=items, num_workers=workers, prefetch_factor=AHEAD,
        collate_fn=_unchanged, generator=torch.Generator(),
    )  # fmt: skip


class _Calls(Generic[Item, Result]):
    """A function as the DataLoader asks it: by items, which need not be numbers."""

    def __init__(self, function: Callable[[Item], Result]) -> None:
        self.function = function

    def __getitem__(self, item: Item) -> Result:
        return self.function(item)


def _unchanged(made: Result) -> Result:
    return made


def map_in_processes(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, *,
    start: Callable[..., object] | None = None, given: tuple[Any, ...] = (),
) -> Iterator[Result]:  # fmt: skip
    """Yield `function` of each item, in order, computed by `workers` processes; here if that is one.

    `function` and `start`, which each process calls once with `given`, have to be those of a module. What
    `function` raises is raised when its turn comes. Memory is that of a few items for each worker.
    """
    if workers <= 1:
        if start:
            start(*given)
        yield from map(function, items)
        return
    pending: deque[Future[Result]] = deque()
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=start, initargs=given)
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

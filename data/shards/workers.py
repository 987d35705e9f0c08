"""Batches that are made ahead of a training, by a thread or by processes beside it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, Generic, TypeVar

from data.batching import prefetch

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 3  # items that each worker may be ahead


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
        collate_fn=_same, generator=torch.Generator(),
    )  # fmt: skip


class _Calls(Generic[Item, Result]):
    """A function as the DataLoader asks it: by items, which need not be numbers."""

    def __init__(self, function: Callable[[Item], Result]) -> None:
        self.function = function

    def __getitem__(self, item: Item) -> Result:
        return self.function(item)


def _same(made: Result) -> Result:
    return made

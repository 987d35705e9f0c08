"""Work on many items in several processes, in order, a bounded number of them at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW = 256  # items up to which starting processes takes longer than the work
_CHUNK = 16  # items that a process gets at once


def default_workers() -> int:
    """Return how many processes there is room for."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    items: Iterable[Item], work: Callable[[Item], Result], workers: int | None = None, *, few: int = FEW,
    begin: Callable[..., object] | None = None, given: tuple[Any, ...] = (),
) -> Generator[Result, None, None]:  # fmt: skip
    """Yield `work` of each item in order, computed by `workers` processes, or here where there are few items.

    `work` is a function that processes can be told of (of a module, or a partial of one). What it raises is
    raised here. Leaving the loop ends the processes. `few` items are done here: less where each takes long.
    `begin`, a function too, is called with `given` once in each process before its work.
    """
    workers = default_workers() if workers is None else workers
    source = iter(items)
    first = list(islice(source, few))
    if workers < 2 or len(first) < few:
        if begin:
            begin(*given)
        yield from map(work, chain(first, source))
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads of the recognizer
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(begin, given))
    try:
        pending: deque[Future[list[Result]]] = deque()
        for chunk in _chunks(chain(first, source), min(_CHUNK, few)):
            pending.append(pool.submit(_work_on, work, chunk))
            if len(pending) > 4 * workers:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while chunk := list(islice(items, size)):
        yield chunk


def _work_on(work: Callable[[Item], Result], chunk: list[Item]) -> list[Result]:
    return [work(item) for item in chunk]


def _begin(begin: Callable[..., object] | None, given: tuple[Any, ...]) -> None:
    """Leave Ctrl-C to the process that gave the work, and make ready for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if begin:
        begin(*given)

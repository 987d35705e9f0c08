"""Worker processes give what a loop gives, in its order."""

from __future__ import annotations

from itertools import count, islice

import pytest

from data.shards.workers import load_ahead


def broken(number: int) -> float:
    return 6 / number


@pytest.mark.parametrize("workers", [0, 2])
def test_an_endless_source_is_loaded_in_order(workers):
    pytest.importorskip("torch")
    found = load_ahead(count(3), lambda number: (number, [number * 2]), workers)
    assert list(islice(found, 9)) == [(number, [number * 2]) for number in range(3, 12)]
    found.close()


def test_what_a_worker_raises_is_raised_here():
    pytest.importorskip("torch")
    with pytest.raises(ZeroDivisionError):
        list(load_ahead([3, 0], broken, 1))

"""Worker processes give what a loop gives, in its order."""

from __future__ import annotations

from itertools import count, islice

import pytest

from data.shards.workers import load_ahead, map_in_processes

SET = {"base": 0}


def square(number: int) -> int:
    return SET["base"] + number * number


def set_base(base: int) -> None:
    SET["base"] = base


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


def test_one_process_is_this_one():
    assert list(map_in_processes(square, range(4), 1, start=set_base, given=(0,))) == [0, 1, 4, 9]


def test_processes_work_in_order_on_what_they_were_given():
    import operator

    assert list(map_in_processes(operator.neg, range(20), 2)) == [-number for number in range(20)]

"""Worker processes give what a loop gives, in its order."""

from __future__ import annotations

from itertools import count, islice
from pathlib import Path

import pytest

from data.loading import AudioCache
from data.shards.index import ClipIndex
from data.shards.workers import load_ahead

TINY = Path(__file__).parents[3] / "data" / "tiny" / "dev.jsonl"


def broken(number: int) -> float:
    return 6 / number


@pytest.mark.parametrize("workers", [0, 2])
def test_an_endless_source_is_loaded_in_order(workers):
    pytest.importorskip("torch")
    found = load_ahead(count(3), lambda number: (number, [number * 2]), workers)
    assert list(islice(found, 9)) == [(number, [number * 2]) for number in range(3, 12)]
    found.close()


def test_workers_keep_no_recordings_of_their_own():
    pytest.importorskip("torch")
    sounds = AudioCache(ClipIndex.read(TINY), 16_000)

    def kept(index: int) -> int:
        return len(sounds[index]) and len(sounds._kept)

    assert list(load_ahead([0, 1], kept, 1)) == [0, 0]
    assert list(load_ahead([0, 1], kept, 0))[-1] == 2


def test_what_a_worker_raises_is_raised_here():
    pytest.importorskip("torch")
    with pytest.raises(ZeroDivisionError):
        list(load_ahead([3, 0], broken, 1))

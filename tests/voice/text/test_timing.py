from __future__ import annotations

import random

import pytest

from voice.text.timing import SHORTEST, lengthen_spans


def test_what_is_well_timed_stays_as_it_is() -> None:
    spans = [(0.0, 0.5), (0.5, 0.9), (2.0, 2.5)]
    assert lengthen_spans(spans, 0.0, 3.0) == spans
    assert lengthen_spans([], 0.0, 3.0) == []


def test_what_takes_no_time_gets_some_from_what_follows_or_comes_before() -> None:
    assert lengthen_spans([(1.0, 1.0), (1.0, 1.5)], 0.0, 3.0) == [(1.0, 1.04), (1.04, 1.5)]
    assert lengthen_spans([(1.0, 2.0), (2.0, 2.0)], 0.0, 2.0) == [(1.0, 1.96), (1.96, 2.0)]
    assert lengthen_spans([(3.0, 1.0)], 0.0, 9.0) == [(3.0, 3.04)]


def test_too_many_for_the_room_share_it() -> None:
    found = lengthen_spans([(5.0, 5.0)] * 10, 0.0, 0.1)
    assert [round(end - start, 3) for start, end in found] == [0.01] * 10
    assert all(start < end for start, end in lengthen_spans([(0.0, 0.0)] * 3, 2.0, 1.0))


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_times_they_rise_and_last(seed: int) -> None:
    draw = random.Random(seed)
    count, until = draw.randint(1, 60), draw.uniform(0.5, 30.0)
    spans = [
        (start, start + draw.choice([0.0, 0.0, 0.3, -0.2]))
        for start in (draw.uniform(-1.0, until + 1.0) for _ in range(count))
    ]
    if draw.random() < 0.5:
        spans.sort()
    found = lengthen_spans(spans, 0.0, until)
    least = min(SHORTEST, until / count)
    times = [0.0, *(time for span in found for time in span), until]
    assert all(before <= after + 1e-9 for before, after in zip(times, times[1:], strict=False))
    assert all(end - start >= least - 1e-9 for start, end in found)

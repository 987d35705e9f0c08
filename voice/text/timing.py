"""Times that can be shown: in order, none overlapping, and each of them long enough to be seen."""

from __future__ import annotations

from collections.abc import Sequence

SHORTEST = 0.04  # seconds that a word lasts at least, where there is room

Span = tuple[float, float]  # seconds, from and to


def lengthen_spans(
    spans: Sequence[Span], since: float, until: float, shortest: float = SHORTEST
) -> list[Span]:
    """Give each span at least `shortest` seconds within [since, until], moving others as little as it takes.

    The spans stay in their order and none overlaps another. Where there is not enough room for all, they
    share it; where there is none at all, they last a millisecond each, beyond `until`.
    """
    until = max(until, since + 0.001 * len(spans))
    least = min(shortest, (until - since) / max(1, len(spans)))
    clock, moved = since, []
    for start, end in spans:
        start = max(start, clock)
        clock = max(end, start + least)
        moved.append((start, clock))
    limit = until
    for index in range(len(moved) - 1, -1, -1):
        start, end = moved[index]
        end = min(end, limit)
        limit = max(since, min(start, end - least))  # rounding may not lead out
        moved[index] = (limit, end)
    return moved

"""Who is served when."""

from __future__ import annotations

from contextlib import ExitStack

from page.work_queue import WorkQueue


def test_so_many_are_served_at_once_and_the_others_in_their_order() -> None:
    queue = WorkQueue(2)
    with ExitStack() as first, ExitStack() as second:
        assert list(first.enter_context(queue.position())) == []
        assert list(second.enter_context(queue.position())) == []
        with queue.position() as third, queue.position() as fourth:
            assert (next(third), next(fourth)) == (0, 1)
            first.close()
            assert list(third) == []
            assert next(fourth) == 0
        with queue.position() as next_one:
            assert list(next_one) == []


def test_who_goes_away_while_waiting_leaves_the_line() -> None:
    queue = WorkQueue(1)
    with queue.position() as first:
        assert list(first) == []
        with queue.position() as second:
            assert next(second) == 0
    with queue.position() as third:
        assert list(third) == []

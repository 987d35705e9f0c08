"""Jobs inline and in threads."""

from __future__ import annotations

import threading

import pytest

from voice.agent.work import INLINE, THREADS, Threads


def test_inline_a_job_is_done_at_once_and_counts_as_beside_the_listening() -> None:
    clock = iter([0.0, 0.3, 0.3, 0.8])
    lane = INLINE.lane(lambda: next(clock))
    first, second = lane.start(lambda: "a", 1.0), lane.start(lambda: "b", 1.1)
    assert first.done and first.result() == "a" and second.result() == "b"
    assert first.ready == pytest.approx(1.3)
    assert second.ready == pytest.approx(1.8)  # after the first


@pytest.mark.parametrize("work", [INLINE, THREADS])
def test_a_lane_keeps_the_order(work) -> None:
    lane, done = work.lane(), []
    tasks = [lane.start(lambda number=number: done.append(number), 0.0) for number in range(20)]
    tasks[-1].wait()
    assert done == list(range(20))


@pytest.mark.parametrize("work", [INLINE, THREADS])
def test_what_a_job_raises_comes_with_its_result(work) -> None:
    task = work.lane().start(lambda: 1 / 0, 0.0)
    task.wait()
    assert task.failed
    with pytest.raises(ZeroDivisionError):
        task.result()


def test_in_threads_starting_a_job_waits_for_nothing() -> None:
    go_on = threading.Event()
    lane = THREADS.lane()
    task = lane.start(lambda: go_on.wait(10), 0.0)
    assert not task.done
    go_on.set()
    task.wait()
    assert task.result() is True


def test_in_threads_the_host_is_told_of_each_job_that_is_done() -> None:
    notified = threading.Semaphore(0)
    lane = Threads(notified.release).lane()
    tasks = [lane.start(lambda: 1 / 0, 0.0), lane.start(lambda: None, 0.0)]
    assert notified.acquire(timeout=10) and tasks[0].done
    assert notified.acquire(timeout=10) and tasks[1].done

from __future__ import annotations

import pytest

from recipes.asr.tuning.plan import Horizon, plan_for, steps_between_checks


def test_the_less_speech_the_more_often_it_is_heard_and_the_less_may_learn():
    plans = [plan_for(60.0 * minutes, 60.0 * minutes, "utterance") for minutes in (5, 60, 600, 6000)]
    epochs = [
        plan.steps * plan.batch_seconds / (60 * m) for plan, m in zip(plans, (5, 60, 600, 6000), strict=True)
    ]
    assert epochs == sorted(epochs, reverse=True)
    assert [plan.rank for plan in plans] == sorted(plan.rank for plan in plans)
    assert all(30 <= plan.steps <= 4000 for plan in plans)


def test_dev_is_scored_some_times_in_any_run():
    assert [steps_between_checks(steps) for steps in (1, 4, 12, 60, 600)] == [1, 4, 5, 15, 150]


def test_the_rate_falls_to_zero_within_the_minutes():
    horizon = Horizon(1000)
    horizon.settle(first=3, pace=2.0, check=10.0, every=10, seconds=130.0)
    assert horizon.steps == 3 + 40, "of 120 s left for steps and checks, 3 s a step"
    assert horizon.factor(horizon.steps) == pytest.approx(0.0)
    assert max(horizon.factor(step) for step in range(43)) == pytest.approx(1.0)


def test_without_a_limit_all_steps_are_run_and_a_short_limit_leaves_one():
    horizon = Horizon(50)
    horizon.settle(3, 2.0, 10.0, 10, None)
    assert horizon.steps == 50
    horizon.settle(3, 2.0, 10.0, 10, 1.0)
    assert horizon.steps == 4

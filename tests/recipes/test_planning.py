import time

import pytest

from recipes.planning import Estimate, Line, Pace, TimeLeft, duration, lines, share_minutes
from voice.errors import VoiceError


def test_without_a_budget_each_training_gets_what_it_wants():
    assert share_minutes(None, 5.0, {"sounds": Pace(2.0, 600), "prosody": Pace(0.5, 900)}) == {
        "sounds": 600,
        "prosody": 900,
    }


def test_a_budget_cuts_all_trainings_alike():
    paces = {"sounds": Pace(3.0, 1_000), "prosody": Pace(0.6, 1_000)}
    steps = share_minutes(35.0, 5.0, paces)
    assert steps == {"sounds": 500, "prosody": 500}
    assert sum(paces[name].minutes(count) for name, count in steps.items()) + 5.0 <= 35.0


def test_a_budget_that_is_too_small_says_what_would_do():
    with pytest.raises(VoiceError, match=r"give --minutes 20 or more"):
        share_minutes(10.0, 5.0, {"sounds": Pace(1.0, 1_200, least=780)})
    assert share_minutes(20.0, 5.0, {"sounds": Pace(1.0, 1_200, least=780)})["sounds"] >= 780


def test_a_plan_counts_only_what_is_to_be_done():
    plan = [
        Line("prepare", "read", "done", None, 1.0),
        Line("train", "learn", "begun", Estimate(30.0, 1_000, 1e-3)),
        Line("score", "measure", "to do", Estimate(3.0)),
    ]
    shown = lines("plan:", plan)
    assert shown[1].endswith("done, took 1 min")
    assert shown[2].endswith("goes on; 1,000 steps, about 30 min")
    assert shown[4].startswith("  about 33 min, 0.0 GB of memory")


def test_more_memory_than_is_free_is_warned_of():
    plan = [Line("train", "learn", "to do", Estimate(1.0, 1, 1e6))]
    assert "may not fit into memory" in lines("plan:", plan)[-1]


@pytest.mark.parametrize(
    "minutes, shown", [(0.0, "1 s"), (0.5, "30 s"), (1.2, "1 min"), (59.6, "1 h 00 min"), (185, "3 h 05 min")]
)
def test_durations_are_short(minutes, shown):
    assert duration(minutes) == shown


def test_time_left_is_told_and_never_runs_out_before_the_end():
    told = []
    with TimeLeft("train", 1e-4, 2.0, told.append, every=0.01) as left:
        deadline = time.monotonic() + 10
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        assert left.minutes() > 2.0
        left.move(0.999)
        assert left.minutes() == pytest.approx(2.0, abs=0.01)
    assert told[0] == "train: about 2 min left of the whole"

import pytest

pytest.importorskip("tensorboard")
from torch.utils.tensorboard import SummaryWriter

from recipes.reporting.scalars import POINTS, read_curves, seconds_per_step
from voice.errors import ModelMissing


def write(folder, steps, value, first=0.0, pace=2.0, purge=None):
    writer = SummaryWriter(folder, purge_step=purge)
    for step in steps:
        writer.add_scalar("train/loss", value(step), step, walltime=1_000_000 + first + pace * step)
    writer.close()


def test_curves_are_read_by_name(tmp_path):
    write(tmp_path, range(1, 6), lambda step: step / 2)
    assert read_curves(tmp_path) == {"train/loss": [(1, 0.5), (2, 1.0), (3, 1.5), (4, 2.0), (5, 2.5)]}


def test_steps_that_were_repeated_count_once(tmp_path):
    write(tmp_path, range(1, 6), lambda step: 1.0)
    write(tmp_path, range(4, 8), lambda step: 2.0, first=100.0)
    for each, name in zip(
        sorted(tmp_path.iterdir()), ("events.out.tfevents.2", "events.out.tfevents.1"), strict=True
    ):
        each.rename(tmp_path / name)  # as those of one second may lie
    assert read_curves(tmp_path)["train/loss"] == [(step, 1.0 if step < 4 else 2.0) for step in range(1, 8)]


def test_long_curves_keep_their_ends(tmp_path):
    write(tmp_path, range(1, 3_001), float)
    points = read_curves(tmp_path)["train/loss"]
    assert len(points) == POINTS and points[0][0] == 1 and points[-1][0] == 3_000


def test_the_time_of_a_step_is_the_median(tmp_path):
    write(tmp_path, range(1, 9), float, pace=0.25)
    assert seconds_per_step(tmp_path) == pytest.approx(0.25)


def test_too_few_steps_tell_nothing(tmp_path):
    write(tmp_path, range(1, 3), float)
    with pytest.raises(ModelMissing, match="too few steps"):
        seconds_per_step(tmp_path)
    assert read_curves(tmp_path / "nothing") == {}

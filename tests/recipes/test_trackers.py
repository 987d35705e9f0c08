"""Curves, sounds and rates reach TensorBoard, and Weights & Biases where it is installed."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tensorboard")

from recipes.training import Deadline, Progress
from voice.errors import VoiceError


class Service(ModuleType):
    """As much of wandb as is used."""

    def __init__(self):
        super().__init__("wandb")
        self.begun, self.logged, self.finished = {}, [], False

    def init(self, **about):
        self.begun = about
        return self

    def log(self, values, step):
        self.logged.append((step, values))

    def finish(self):
        self.finished = True

    def Audio(self, samples, sample_rate):
        return len(samples), sample_rate


def show(folder, **options):
    progress = Progress(folder, first=0, steps=2, deadline=Deadline(), **options)
    progress.step(1, {"loss": torch.tensor(2.0)}, rate=0.5)
    progress.scores(1, {"wer": 0.25})
    progress.audio(1, "clip", np.zeros(2400, np.float32), 24_000)
    progress.close()


def test_curves_rates_and_sounds_are_in_the_event_file(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    show(tmp_path)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    found = {name: events.Scalars(name)[0].value for name in events.Tags()["scalars"]}
    assert found == {"train/loss": 2.0, "train/learning_rate": 0.5, "dev/wer": 0.25}
    (clip,) = events.Audio("dev/clip")
    assert clip.sample_rate == 24_000 and clip.length_frames == 2400


def test_the_same_is_shown_in_weights_and_biases(tmp_path, monkeypatch):
    service = Service()
    monkeypatch.setitem(sys.modules, "wandb", service)
    show(tmp_path / "run", wandb=True, config={"rate": 1})
    assert service.begun["name"] == "run" and service.begun["config"] == {"rate": 1}
    assert service.logged == [
        (1, {"train/loss": 2.0, "train/learning_rate": 0.5}),
        (1, {"dev/wer": 0.25}),
        (1, {"dev/clip": (2400, 24_000)}),
    ]
    assert service.finished


def test_without_it_the_option_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(VoiceError, match="pip install wandb"):
        show(tmp_path, wandb=True)

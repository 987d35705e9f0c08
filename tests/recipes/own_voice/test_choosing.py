"""Contrast, liveliness and gain: each is the best by its measure, and none costs words."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("numba", reason="recipes are not installed; pip install '.[train]'")
onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper

from recipes.own_voice import choosing
from recipes.own_voice.choosing import (
    CALM,
    CALMEST,
    LIVELIEST,
    LIVELY,
    Tried,
    best_contrast,
    change_contrast,
    choose,
    choose_gain,
    match_spread,
    pick_sentences,
)
from voice.types import Audio, Speech


def test_the_spread_of_pitch_becomes_that_of_the_recordings():
    assert match_spread(0.10, 0.16, 0.13) == pytest.approx((CALM + LIVELY) / 2)
    assert match_spread(0.10, 0.16, 0.30) == LIVELIEST and match_spread(0.20, 0.30, 0.05) == CALMEST
    assert match_spread(0.2, 0.2, 0.3) == match_spread(float("nan"), 0.2, 0.3) == CALM


def test_the_contrast_that_sounds_best_is_taken_unless_it_costs_words():
    tried = [Tried(1.0, 3.6, 0.05), Tried(1.15, 3.9, 0.06), Tried(1.3, 4.1, 0.06), Tried(1.45, 4.2, 0.12)]
    assert best_contrast(tried) == 1.3
    assert best_contrast([replace(each, errors=0.0) for each in tried]) == 1.45


def tone(amplitude, seconds=1.0):
    time = np.arange(round(24000 * seconds)) / 24000
    return Audio((amplitude * np.sin(2 * np.pi * 200 * time)).astype(np.float32), 24000)


def test_gain_brings_speech_to_a_level_and_not_beyond_full_scale():
    assert choose_gain([tone(0.1)], [tone(0.2)]) == pytest.approx(2.0, rel=0.01)
    assert choose_gain([tone(0.6)], [tone(0.9)]) == pytest.approx(1.5, rel=0.06)
    spiky = tone(0.1)
    spiky.samples[100] = 0.9
    assert choose_gain([spiky], [tone(0.9)]) < 1.1
    padded = Audio(np.concatenate([np.zeros(12000, np.float32), tone(0.1).samples]), 24000)
    assert choose_gain([padded], [tone(0.2)]) == pytest.approx(2.0, rel=0.02)


def test_sentences_are_at_most_half_of_the_dev_set_and_the_same_every_time():
    some = pick_sentences(["One.", "One.", "Two.", "Three."], 4)
    assert some[:2] == ["One.", "Two."] and len(some) == 4 and some == pick_sentences(["One.", "Two."], 4)
    assert len(pick_sentences((), 5)) == 5


@pytest.mark.parametrize("half", [True, False])
def test_an_exported_graph_gets_another_contrast(half):
    middle = np.arange(3 * 601, dtype=np.float32).reshape(1, 3, 601) / 1000
    kind, name = (np.float16, "offset.weight_half") if half else (np.float32, "offset.weight")
    tensors = [
        numpy_helper.from_array(np.ones((1, 1), np.float32), "factor.weight"),
        numpy_helper.from_array(np.zeros((1, 1803), kind), name),
        numpy_helper.from_array(np.full((2,), 5.0, np.float32), "other"),
    ]
    output = helper.make_tensor_value_info("other", TensorProto.FLOAT, [2])
    model = helper.make_model(helper.make_graph([], "sounds", [], [output], tensors))
    change_contrast(model, middle, 1.3)
    found = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    assert found["factor.weight"].item() == pytest.approx(1.3) and found[name].dtype == kind
    np.testing.assert_allclose(found[name][0], middle.ravel() * -0.3, rtol=2e-3)
    assert (found["other"] == 5.0).all()


class Said:
    """A voice that speaks a tone whose loudness is a tenth of its contrast."""

    rate = 24000

    def __init__(self, choice):
        self.choice = choice

    def speak(self, text):
        yield Speech(tone(0.1 * self.choice.contrast), text)


def test_all_is_chosen_on_the_same_sentences(monkeypatch):
    candidates = SimpleNamespace(voice=Said, range=SimpleNamespace(pitch_spread=0.2))
    monkeypatch.setattr(choosing.scores, "log_f0", lambda sound: np.zeros(1))

    def rate(sound):
        return float(np.abs(sound.samples).max())

    model = Said(SimpleNamespace(contrast=2.0))
    choice, tried = choose(candidates, ["so it is"], lambda sound: "so it is", rate, model)
    assert choice.contrast == 1.45 and [each.contrast for each in tried] == [1.0, 1.15, 1.3, 1.45]
    assert choice.gain == pytest.approx(2.0 / 1.45, rel=0.01) and choice.liveliness == CALM

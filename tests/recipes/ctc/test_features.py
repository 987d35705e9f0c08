from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchaudio")

from data.loading import AudioCache
from recipes.ctc.examples import select
from recipes.ctc.features import AugmentOptions, Changes, FrozenFeatures, SoundFeatures
from recipes.scaling import Precision

TINY = str(Path(__file__).parents[3] / "data/tiny/train.jsonl")
FASTER = Changes(AugmentOptions((0.8, 0.9, 1.1, 1.2), (), 0.0, False), None, 5)


class CountingEncoder(torch.nn.Module):
    """Gives every second frame, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, features, frames, chunk):
        self.calls += 1
        return features[:, ::2], (frames + 1) // 2


@pytest.fixture
def kept(tmp_path):
    """Make features of a frozen encoder of some clips."""

    def make(clips, changes=None, base="base", encoder=None) -> FrozenFeatures:
        sounds = SoundFeatures(AudioCache(clips, 16_000), "whisper", changes)
        precision = Precision(torch.device("cpu"))
        return FrozenFeatures(sounds, encoder or CountingEncoder(), base, tmp_path / "encoded", precision)

    return make


def test_a_frozen_encoder_hears_a_clip_once_whatever_the_batch_and_the_run(kept):
    clips, encoder = select([f"{TINY}:2"]), CountingEncoder()
    first = kept(clips, encoder=encoder)
    once = first(0, 1)
    np.testing.assert_array_equal(first(0, 7), once)
    np.testing.assert_array_equal(kept(clips[:1], encoder=encoder)(0), once)
    assert encoder.calls == 1
    expected = SoundFeatures(AudioCache(clips, 16_000), "whisper")(0)[::2]
    np.testing.assert_allclose(once, expected, atol=2e-3)


def test_another_encoder_or_another_change_is_heard_anew(kept):
    clips, encoder = select([f"{TINY}:1"]), CountingEncoder()
    for base, changes in (("one", None), ("two", None), ("one", FASTER)):
        kept(clips, changes, base, encoder)(0, 0)
    assert encoder.calls == 3


def test_a_clip_that_is_listed_several_times_is_changed_in_several_ways(kept):
    clips = select([f"{TINY}:1"] * 6)
    lengths = {len(kept(clips, FASTER)(index, 0)) for index in range(6)}
    assert len(lengths) > 1


def test_sounds_are_changed_anew_for_each_batch_and_heard_as_they_are_without_one():
    sounds = SoundFeatures(AudioCache(select([f"{TINY}:1"]), 16_000), "kaldi", FASTER)
    assert len({len(sounds(0, number)) for number in range(6)}) > 1
    np.testing.assert_array_equal(sounds(0, 3), sounds(0, 3))
    np.testing.assert_array_equal(sounds(0), SoundFeatures(sounds.sounds, "kaldi")(0))

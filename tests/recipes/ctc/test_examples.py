from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sentencepiece")

from data.batching import rng_for
from recipes.ctc import examples as data
from recipes.ctc.features import NOISE_SNR, AugmentOptions, Changes
from recipes.ctc.texts import train_text_encoder
from recipes.scaling import Scale, ScaleOptions
from voice.errors import VoiceError

TINY = str(Path(__file__).parents[3] / "data/tiny/train.jsonl")
PLAIN = AugmentOptions((), (), 0.0, False)


@pytest.fixture(scope="module")
def encode():
    return train_text_encoder(data.texts_of(data.select([TINY])), "spoken", "characters", 0)


@pytest.fixture(scope="module")
def examples(encode):
    return data.gather(data.select([f"{TINY}:6"]), encode, "kaldi")


def test_clips_that_cannot_be_learned_from_are_counted(encode):
    clips = data.select([f"{TINY}:4"])
    clips[0] = replace(clips[0], text=None)
    clips[1] = replace(clips[1], duration=31.0)
    clips[2] = replace(clips[2], text="—")
    found = data.gather(clips, encode, "kaldi")
    assert len(found.utterances) == 1
    assert found.dropped == {"without a transcript": 1, "over 30 s": 1, "without a word": 1}
    with pytest.raises(VoiceError, match="no clip can be learned from .1 without a transcript"):
        data.gather(clips[:1], encode, "kaldi")


def test_what_another_recognizer_wrote_is_a_transcript(encode):
    (clip,) = data.select([f"{TINY}:1"])
    heard = replace(clip, text=None, extra={"asr_text": "Good morning."})
    assert data.gather([heard], encode, "kaldi").utterances[0].text == "Good morning."


def test_batches_are_the_same_from_any_step_on(encode):
    changes = Changes(AugmentOptions((0.9, 1.1), (), 0.0, False), None, 1)
    examples = data.gather(data.select([f"{TINY}:6"]), encode, "kaldi", changes)

    def some(first: int) -> list:
        scale = Scale.join(ScaleOptions())
        made = data.batches(examples, first, 8.0, 1, scale)
        return [batch for (batch,) in islice(made, 4)]

    for (step, one), (again, other) in zip(some(0)[2:], some(2), strict=False):
        assert step == again
        torch.testing.assert_close(one.features, other.features, rtol=0, atol=0)
        assert one.labels.tolist() == other.labels.tolist()


def test_a_batch_has_the_labels_of_its_sounds(examples):
    batch = data.dev_batch(examples, [0, 1])
    assert batch.features.shape[0] == 2 and batch.features.shape[2] == 80
    for row, length, utterance in zip(batch.labels, batch.lengths, examples.utterances[:2], strict=True):
        assert tuple(row[:length].tolist()) == utterance.labels and not row[length:].any()


def test_speed_changes_the_length_and_noise_the_level():
    sound = np.sin(np.arange(16_000) / 20).astype(np.float32)
    fast = Changes(AugmentOptions((1.25,), (), 0.0, False), None, 0).apply(sound, rng_for(0))
    assert len(fast) == pytest.approx(12_800, abs=2)
    noise = np.random.default_rng(0).normal(0, 0.1, 3000).astype(np.float32)
    noisy = Changes(AugmentOptions((), (), 1.0, False), [noise], 0).apply(sound, rng_for(1))
    added = noisy - sound
    snr = 10 * np.log10(np.square(sound).mean() / np.square(added).mean())
    assert len(noisy) == len(sound) and NOISE_SNR[0] <= snr <= NOISE_SNR[1]
    np.testing.assert_array_equal(Changes(PLAIN, [noise], 0).apply(sound, rng_for(2)), sound)


def test_statistics_normalize_the_features(examples):
    mean, deviation = data.feature_statistics(examples)
    batch = data.dev_batch(examples, range(6))
    inside = torch.arange(batch.features.shape[1])[None] < batch.frames[:, None]
    normal = ((batch.features - mean) / deviation)[inside]
    torch.testing.assert_close(normal.mean(0), torch.zeros(80), atol=1e-3, rtol=0)
    torch.testing.assert_close(normal.std(0), torch.ones(80), atol=1e-2, rtol=0)

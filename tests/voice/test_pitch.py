"""Pitch: tones known exactly, noise, silence, and a teacher that tells the pitch it drew."""

import numpy as np
import pytest

from voice import pitch

RATE, HOP = 24_000, 300


def tone(hertz, seconds=0.8, harmonics=8):
    """(T,) a buzz whose pitch follows `hertz`, a number or one value a sample."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, int(seconds * RATE))) / RATE
    return sum(np.cos(h * phase) / h for h in range(1, harmonics + 1)).astype(np.float32) * 0.1


@pytest.mark.parametrize("hertz", [70.3, 98.7, 151.2, 219.9, 333.3, 452.1])
def test_finds_a_steady_tone_within_five_cents(hertz):
    found = pitch.f0(tone(hertz), RATE, HOP)[3:-3]
    assert np.all(found > 0)
    assert np.abs(1200 * np.log2(found / hertz)).max() < 5


@pytest.mark.parametrize("rate, hop", [(24000, 300), (16000, 160), (8000, 80), (44100, 441), (48000, 600)])
def test_follows_any_rate_and_hop(rate, hop):
    samples = np.sin(2 * np.pi * 187.0 * np.arange(rate) / rate).astype(np.float32)
    found = pitch.f0(samples, rate, hop)
    assert found.shape == (rate // hop,) and found.dtype == np.float32
    assert np.abs(1200 * np.log2(found[5:-5] / 187.0)).max() < 5


def test_follows_a_glide():
    truth = 120 * 2 ** np.linspace(0, 1, int(0.8 * RATE))
    found = pitch.f0(tone(truth), RATE, HOP)[4:-4]
    assert np.abs(1200 * np.log2(found / truth[::HOP][4:-4])).max() < 20


def test_hears_the_missing_fundamental():
    phase = 2 * np.pi * 200 * np.arange(RATE) / RATE
    samples = np.cos(3 * phase) + np.cos(4 * phase) + np.cos(5 * phase)
    assert np.abs(pitch.f0(samples, RATE, HOP)[5:-5] - 200).max() < 1


def test_noise_and_silence_are_unvoiced():
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    assert np.mean(pitch.f0(noise, RATE, HOP) > 0) < 0.02
    assert not pitch.f0(np.zeros(RATE, np.float32), RATE, HOP).any()
    assert pitch.f0(np.zeros(HOP - 1, np.float32), RATE, HOP).shape == (0,)
    assert pitch.f0(np.ones(HOP, np.float32), RATE, HOP).shape == (1,)


def test_voicing_starts_and_ends_where_the_tone_does():
    quiet = np.random.default_rng(0).standard_normal(RATE // 2).astype(np.float32) * 1e-4
    found = pitch.f0(np.concatenate([quiet, tone(180.0), quiet]), RATE, HOP) > 0
    first, last = np.flatnonzero(found)[[0, -1]]
    assert abs(first - 40) <= 2 and abs(last - 104) <= 2 and found[first : last + 1].all()


def test_does_not_depend_on_loudness():
    samples = tone(140.0)
    np.testing.assert_allclose(pitch.f0(samples, RATE, HOP), pitch.f0(samples * 0.01, RATE, HOP), rtol=1e-4)


def test_agrees_with_the_pitch_that_a_teacher_drew():
    hibari = pytest.importorskip("hibari")
    teacher = hibari.Hibari()
    (phonemes,) = teacher.phonemize("She sells sea shells by the sea shore, and he never saw any of them.")
    inputs = {"ids": np.asarray([teacher.ids(phonemes)]), "speed": np.ones(1, np.float32)}
    outputs = [output[0] for output in teacher.sess.run(None, inputs)]
    truth = outputs[-1]
    found = pitch.f0(hibari.dsp.synth(*outputs, np.random.default_rng(0)), RATE, HOP)
    both = (found > 0) & (truth > 40)
    cents = np.abs(1200 * np.log2(found[both] / truth[both]))
    assert both.sum() > 0.6 * (truth > 40).sum()
    assert np.mean(cents > 300) < 0.06 and np.median(cents) < 35
    assert np.mean(found[truth <= 40] > 0) < 0.12

"""The vocoder's runtime: sources, transforms, determinism, and what it says of wrong input."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import voice
from voice.errors import ModelDamaged, ModelMissing, VoiceError
from voice.tts import stft, vocoder
from voice.tts.vocoder import Vocoder, pulses

FRAMES = 40


class FakeSession:
    """A network that passes the pulse train through and adds a little noise."""

    def run(self, _, inputs):
        parts = np.zeros((1, 5, inputs["frames"].shape[2], stft.BINS), np.float32)
        parts[:, 0], parts[:, 2] = 1.0, 0.01
        return [parts]


class Averaging:
    """A network that looks `reach` frames to both sides of each, zeros beyond the ends."""

    def __init__(self, reach):
        self.reach, self.most = reach, 0

    def run(self, _, inputs):
        mel, count = inputs["frames"][0], inputs["frames"].shape[2]
        self.most = max(self.most, count)
        window = np.ones(2 * self.reach + 1) / (2 * self.reach + 1)
        seen = np.convolve(mel.mean(0) + inputs["f0"][0] / 200, window)[self.reach : self.reach + count]
        bins = np.linspace(0.5, 1.0, stft.BINS)
        parts = np.stack([seen[:, None] * bins * k for k in (0.3, -0.2, 0.1, 0.01, 0.02)])
        return [parts[None].astype(np.float32)]


def speech(frames=FRAMES):
    return np.zeros((100, frames), np.float32), np.full(frames, 200.0, np.float32)


def talk(frames, seed=0):
    """Mel and pitch that change all the time, voiced in stretches."""
    rng = np.random.default_rng(seed)
    hertz = 160 + 60 * np.sin(np.arange(frames) / 7) + rng.normal(0, 3, frames)
    voiced = np.sin(np.arange(frames) / 5 + seed) > -0.3
    return rng.normal(-4, 2, (100, frames)).astype(np.float32), np.where(voiced, hertz, 0).astype(np.float32)


def in_chunks(mel, f0, sizes):
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(f0):
            return
        yield mel[:, start : start + size], f0[start : start + size]
        start += size


def test_inverse_transform_undoes_the_transform():
    samples = np.random.default_rng(0).standard_normal(FRAMES * 300).astype(np.float32)
    np.testing.assert_allclose(stft.istft(stft.stft(samples)), samples, atol=1e-4)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_single_frames_are_transformed_too(frames):
    samples = np.ones(frames * 300, np.float32)
    assert stft.stft(samples).shape == (frames, 601)
    assert stft.istft(stft.stft(samples)).shape == (frames * 300,)


def test_pulses_have_all_harmonics_below_half_the_rate_at_one_amplitude():
    train = pulses(np.full(160, 200.0))[24_000:]  # one second of pulses with whole periods
    amplitudes = np.abs(np.fft.rfft(train)) / len(train) * 2
    harmonics = amplitudes[200:11_900:200]
    assert len(train) == 24_000
    np.testing.assert_allclose(harmonics, 1.0, atol=0.02)
    amplitudes[200:12_001:200] = 0
    assert amplitudes[1:].max() < 0.02


def test_pulses_stop_where_speech_is_unvoiced():
    f0 = np.zeros(FRAMES)
    f0[10:20] = 150.0
    train = pulses(f0)
    assert not train[: 9 * 300].any() and not train[20 * 300 :].any() and train[10 * 300 : 19 * 300].any()
    assert not pulses(np.zeros(FRAMES)).any()
    assert np.isfinite(pulses(np.full(FRAMES, 11_000.0))).all()


def test_pulses_do_not_depend_on_what_comes_later():
    f0 = np.where(np.arange(FRAMES) < 30, 120.0 + np.arange(FRAMES), 0.0)
    np.testing.assert_array_equal(pulses(f0)[: 24 * 300], pulses(f0[:25])[: 24 * 300])


def test_a_cosine_and_white_noise_have_unit_size_in_the_spectrum():
    cosine = np.cos(2 * np.pi * 400 * np.arange(FRAMES * 300) / 24_000).astype(np.float32)
    assert np.abs(stft.stft(cosine)[10, 20]) * vocoder.PULSE_SCALE == pytest.approx(1.0, abs=1e-3)
    noise = np.random.default_rng(0).standard_normal(800 * 300).astype(np.float32)
    power = np.mean(np.abs(stft.stft(noise)[2:-2, 1:-1] * vocoder.NOISE_SCALE) ** 2)
    assert power == pytest.approx(1.0, abs=0.01)


def test_the_same_seed_gives_the_same_samples():
    speak = Vocoder(FakeSession())
    samples = speak(*speech())
    assert samples.shape == (FRAMES * 300,) and samples.dtype == np.float32
    np.testing.assert_array_equal(samples, speak(*speech(), seed=0))
    assert not np.array_equal(samples, speak(*speech(), seed=1))


def test_a_filter_of_one_leaves_the_pulses_as_they_are():
    mel, f0 = speech()
    made = Vocoder(FakeSession()).render(mel, f0, pulses(f0), np.zeros(FRAMES * 300, np.float32))
    np.testing.assert_allclose(made, pulses(f0) * vocoder.PULSE_SCALE, atol=1e-5)


def test_no_frames_give_no_samples_and_wrong_shapes_an_error():
    speak = Vocoder(FakeSession())
    assert speak(*speech(0)).shape == (0,)
    with pytest.raises(VoiceError, match="100"):
        speak(np.zeros((80, 4)), np.zeros(4))
    with pytest.raises(VoiceError, match="pitch"):
        speak(np.zeros((100, 4)), np.zeros(5))


def test_a_missing_or_broken_file_says_so(tmp_path):
    with pytest.raises(ModelMissing, match="export"):
        Vocoder.open(tmp_path)
    (tmp_path / vocoder.FILE).write_bytes(b"not a network")
    with pytest.raises(ModelDamaged, match="vocoder.onnx"):
        Vocoder.open(tmp_path)


@pytest.mark.parametrize("frames", [1, 4, 30, 58, 200])
@pytest.mark.parametrize("sizes", [(1,), (7, 0, 50), (500,)])
def test_stream_equals_whole(frames, sizes):
    speak, (mel, f0) = Vocoder(Averaging(27)), talk(frames)
    pieces = list(speak.stream(in_chunks(mel, f0, sizes), seed=3))
    np.testing.assert_allclose(np.concatenate(pieces), speak(mel, f0, seed=3), atol=1e-4)


def test_no_chunks_give_no_samples():
    assert list(Vocoder(Averaging(27)).stream([])) == []


def test_looks_ahead_29_frames_and_no_more():
    speak, (mel, f0) = Vocoder(Averaging(27)), talk(200)
    assert speak.lookahead == 29 and speak.lookahead * 1000 * 300 / 24_000 == 362.5
    made, given = 0, 0

    def feeding():
        nonlocal given
        for chunk in in_chunks(mel, f0, (10,)):
            assert made == max(0, given - 29) * 300
            given += 10
            yield chunk

    for samples in speak.stream(feeding()):
        made += len(samples)
    assert made == 200 * 300


def test_what_comes_after_the_lookahead_changes_nothing():
    speak, (mel, f0), (other, _) = Vocoder(Averaging(27)), talk(200), talk(200, seed=1)
    changed = np.concatenate([mel[:, :129], other[:, 129:]], 1)
    pitch = np.where(np.arange(200) < 129, f0, 333.0)
    first, second = speak(mel, f0), speak(changed, pitch)
    np.testing.assert_allclose(first[: 100 * 300], second[: 100 * 300], atol=1e-6)
    assert np.abs(first - second)[100 * 300 : 102 * 300].max() > 1e-4


def test_a_stream_remembers_no_more_than_it_needs():
    network = Averaging(27)
    assert sum(map(len, Vocoder(network).stream(in_chunks(*talk(2000), (20,))))) == 2000 * 300
    assert network.most <= 20 + vocoder.FEW + 2 * vocoder.GROUP


def test_pulses_in_pieces_are_those_of_the_whole():
    _, f0 = talk(300)
    train = vocoder.Pulses()
    pieces = [train.push(f0[i : i + 3], last=i == 297) for i in range(0, 300, 3)]
    np.testing.assert_allclose(np.concatenate(pieces), pulses(f0), atol=1e-4)
    assert [len(piece) for piece in pieces[:3]] == [300, 900, 900]


@pytest.mark.parametrize("sizes", [(1,), (7,), (40, 9)])
def test_every_voice_of_ours_streams_as_it_speaks_at_once(sizes):
    folders = sorted(Path(voice.__file__).parent.glob(f"models/pretrained/*/{vocoder.FILE}"))
    assert folders
    for path in folders:
        speak, (mel, f0) = Vocoder.open(path), talk(150)
        pieces = list(speak.stream(in_chunks(mel, f0, sizes), seed=1))
        np.testing.assert_allclose(np.concatenate(pieces), speak(mel, f0, seed=1), atol=1e-4)

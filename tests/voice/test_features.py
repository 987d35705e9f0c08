from __future__ import annotations

import numpy as np
import pytest

from voice.features import kaldi_log_mel, mel_filters, voice_log_mel, whisper_log_mel


def noise(length: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)


@pytest.mark.parametrize(
    ("rate", "n_fft", "bands"), [(16000, 400, 80), (16000, 400, 128), (24000, 1200, 100)]
)
def test_mel_filters_equal_librosas(rate: int, n_fft: int, bands: int) -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=bands)
    np.testing.assert_allclose(mel_filters(rate, n_fft, bands), expected, atol=1e-7)


@pytest.mark.parametrize("bands", [80, 128])
def test_whisper_log_mel_equals_whispers_own_feature_extractor(bands: int) -> None:
    transformers = pytest.importorskip("transformers")
    samples = noise(30 * 16000)
    extractor = transformers.WhisperFeatureExtractor(feature_size=bands)
    expected = extractor(samples, sampling_rate=16000, return_tensors="np").input_features[0]
    np.testing.assert_allclose(whisper_log_mel(samples, bands), expected, atol=1e-4)


def test_voice_log_mel_equals_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    samples = noise(24000)
    mel = librosa.feature.melspectrogram(
        y=samples, sr=24000, n_fft=1200, hop_length=300, n_mels=100, power=1.0, pad_mode="reflect"
    )
    np.testing.assert_allclose(voice_log_mel(samples), np.log(np.maximum(mel, 1e-5))[:, :-1], atol=1e-3)


@pytest.mark.parametrize("length", [0, 1, 159, 160, 161, 4000])
def test_there_is_one_frame_for_each_whole_hop(length: int) -> None:
    assert whisper_log_mel(noise(length)).shape == (80, length // 160)
    assert whisper_log_mel(noise(length), 128).shape == (128, length // 160)
    assert voice_log_mel(noise(length)).shape == (100, length // 300)


def test_silence_is_finite() -> None:
    assert np.isfinite(whisper_log_mel(np.zeros(16000, np.float32))).all()
    assert np.isfinite(voice_log_mel(np.zeros(24000, np.float32))).all()


def test_kaldis_spectrum_has_a_frame_for_each_whole_window() -> None:
    lengths = {399: 0, 400: 1, 559: 1, 560: 2, 16_000: 98}
    assert {n: len(kaldi_log_mel(np.zeros(n, np.float32))) for n in lengths} == lengths


def test_kaldis_spectrum_peaks_where_a_tone_is_and_scales_with_it() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 16_000).astype(np.float32)
    mel = kaldi_log_mel(tone)
    edges = np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(8000 / 700), 82)
    nearest = np.abs(edges[1:-1] - 1127 * np.log1p(1000 / 700)).argmin()
    assert mel.dtype == np.float32 and set(mel.argmax(axis=1)) == {nearest}
    loud = mel > mel.min() + 5  # what stays above the floor when it is softer
    assert np.allclose(kaldi_log_mel(tone * np.float32(0.1))[loud], mel[loud] - 2 * np.log(10), atol=0.01)

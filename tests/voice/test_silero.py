from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice import audio
from voice.silero import Silero
from voice.vad import find_speech


def test_silero_finds_real_speech_and_no_noise(corpora: Path) -> None:
    detector = Silero.open()
    speech = audio.read(corpora / "librispeech/test/1089-134686-0000.flac", 16000)
    quiet = np.zeros(32000, np.float32)
    (found,) = find_speech([quiet, speech.samples, quiet], detector)
    assert found.start == pytest.approx(2.0, abs=0.6)
    assert found.end == pytest.approx(2.0 + speech.duration, abs=0.6)
    noise = np.random.default_rng(0).normal(0, 0.1, 160_000).astype(np.float32)
    assert list(find_speech([quiet, noise], detector)) == []


def test_silero_gives_frames_together_the_same_as_one_by_one(corpora: Path) -> None:
    detector = Silero.open()
    speech = audio.read(corpora / "librispeech/test/1089-134686-0000.flac", 16000)
    frames = speech.samples[: 512 * 60].reshape(-1, 512)
    one, several = detector.stream(), detector.stream_several()
    together = np.concatenate([several(part) for part in np.split(frames, [1, 30, 37])])
    np.testing.assert_array_equal(together, [np.float32(one(frame)) for frame in frames])


def test_silero_streams_share_no_state(corpora: Path) -> None:
    detector = Silero.open()
    samples = audio.read(corpora / "librispeech/test/1089-134686-0000.flac", 16000).samples[: 512 * 60]
    alone, one, other = detector.stream(), detector.stream(), detector.stream()
    expected = [alone(frame) for frame in samples.reshape(-1, 512)]
    seen = []
    for frame in samples.reshape(-1, 512):
        seen.append(one(frame))
        other(np.zeros(512, np.float32))
    assert seen == expected

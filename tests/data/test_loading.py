from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from data.loading import AudioCache
from voice.errors import AudioError


@dataclass(frozen=True)
class Recording:
    """What Sounds needs of a clip."""

    audio: Path
    duration: float
    extra: Mapping[str, Any] = field(default_factory=dict)


@pytest.fixture
def clips(tmp_path):
    made = []
    for index, rate in enumerate([16000, 24000, 8000]):
        path = tmp_path / f"{index}.flac"
        soundfile.write(path, 0.5 * np.sin(np.arange(rate) * 2 * np.pi * 440 / rate), rate)
        made.append(Recording(path, 1.0))
    return made


def test_clips_of_any_rate_come_out_at_the_rate_asked_for(clips):
    sounds = AudioCache(clips, 24000)
    for samples in sounds:
        assert samples.shape == (24000,) and samples.dtype == np.float32
        spectrum = np.abs(np.fft.rfft(samples))
        assert spectrum.argmax() == 440
        assert abs(samples[2000:-2000]).max() == pytest.approx(0.5, abs=0.01)


def test_a_clip_is_decoded_once(clips):
    sounds = AudioCache(clips, 16000)
    first = sounds[0]
    clips[0].audio.unlink()
    np.testing.assert_array_equal(sounds[0], first)


def test_samples_do_not_depend_on_what_is_kept(clips):
    kept, unkept = AudioCache(clips, 16000), AudioCache(clips, 16000, memory=0)
    for index in range(3):
        kept[index]
        np.testing.assert_array_equal(kept[index], unkept[index])


def test_memory_is_bounded(clips):
    sounds = AudioCache(clips, 16000, memory=2 * 16000 * 2)
    assert list(sounds.load_all(workers=2)) == [0, 1, 2]
    assert len(sounds._kept) == 2


def test_changing_what_was_given_out_changes_nothing_kept(clips):
    sounds = AudioCache(clips, 16000)
    sounds[0][:] = 0
    assert abs(sounds[0]).max() > 0.4


def test_threads_may_ask_for_the_same_clip(clips):
    sounds = AudioCache(clips, 16000)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(sounds.__getitem__, [0, 1, 2] * 8))
    np.testing.assert_array_equal(results[0], results[-3])


def test_two_channels_are_mixed(tmp_path):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([np.full(800, 0.5), np.zeros(800)], axis=1), 8000)
    np.testing.assert_allclose(AudioCache([Recording(path, 0.1)], 8000)[0], 0.25, atol=1e-4)


def test_a_file_that_is_not_audio_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "broken.wav"
    path.write_text("no sound")
    with pytest.raises(AudioError, match="broken.wav"):
        AudioCache([Recording(path, 1.0)], 16000)[0]


def test_the_corpora_decode_as_long_as_their_manifest_says(corpora):
    from voice.manifest import read_manifest

    clips = read_manifest(corpora / "kathleen" / "dev.jsonl")[:4]
    for clip, samples in zip(clips, AudioCache(clips, 24000), strict=True):
        assert len(samples) / 24000 == pytest.approx(clip.duration, abs=0.03)

from pathlib import Path

import numpy as np
import pytest

from recipes.endpoint.silences import find_silences, level_speech, why_unfit
from voice.manifest import Clip

RATE = 16_000


class LoudIsSpeech:
    """A detector that takes every loud sound for speech."""

    hop, rate = 512, RATE

    def stream_several(self):
        return lambda frames: (np.abs(frames).max(axis=1) > 0.02).astype(np.float32)


def encode(speech):
    """An encoder whose output is the loudness of each 20 ms."""
    frames = speech.samples[: len(speech.samples) // 320 * 320].reshape(-1, 320)
    return np.repeat(np.abs(frames).max(axis=1)[:, None], 4, axis=1)


def clip(text="This is one sentence.", duration=3.0, name="a"):
    return Clip(Path("/nowhere.wav"), text, duration, None, name)


def spoken(*parts):
    """Tones and silences in turn, by their seconds."""
    sounds = []
    for number, seconds in enumerate(parts):
        tone = np.sin(np.arange(round(seconds * RATE)) * 0.3) * (0.3 if number % 2 == 0 else 0.0)
        sounds.append(tone.astype(np.float32))
    return np.concatenate(sounds)


def test_the_last_silence_ends_the_sentence_and_the_others_are_pauses():
    found = find_silences(clip(), spoken(1.0, 0.5, 1.0, 0.3), LoudIsSpeech(), encode)
    assert [one.is_end for one in found] == [False, True]
    assert found[0].seconds == pytest.approx(0.5, abs=0.07)
    assert [one.at for one in found] == pytest.approx([1.0, 2.5], abs=0.1)
    assert all(one.clean.shape == one.noisy.shape == (6, 4) for one in found)


def test_only_what_was_said_before_is_heard():
    found = find_silences(clip(), spoken(1.0, 0.5, 1.0), LoudIsSpeech(), encode)
    assert found[0].clean[4].min() > 0.05  # the frames right before the silence are loud


def test_a_long_pause_begins_another_sentence():
    assert find_silences(clip(), spoken(1.0, 2.0, 1.0), LoudIsSpeech(), encode) == []


def test_silence_has_no_silences():
    assert find_silences(clip(), np.zeros(RATE, np.float32), LoudIsSpeech(), encode) == []


def test_the_same_recording_gives_the_same():
    first, second = (find_silences(clip(), spoken(1.0, 0.4, 0.8), LoudIsSpeech(), encode) for _ in "ab")
    assert all((a.noisy == b.noisy).all() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("One. Two.", "more than one sentence"),
        ("Is it? Yes", "more than one sentence"),
        ("And then, ", "breaks off"),
        ("Wait…", "breaks off"),
        ("CAPITALS WITHOUT MARKS", None),
        ("“Is it really so?”", None),
        (None, None),
    ],
)
def test_texts_tell_whether_a_recording_is_one_whole_sentence(text, reason):
    found = why_unfit(clip(text))
    assert (found is None) == (reason is None) and (reason or "") in (found or "")


def test_long_recordings_are_more_than_a_sentence():
    assert "longer than 12 s" in why_unfit(clip(duration=13.0))


def test_levels_are_even():
    quiet, loud = level_speech(spoken(1.0) * 0.01), level_speech(spoken(1.0))
    assert np.abs(quiet - loud).max() < 1e-3
    assert level_speech(np.zeros(10, np.float32)).tolist() == [0] * 10

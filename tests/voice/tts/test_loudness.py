"""Levels, gains and the limiter, measured in sound."""

from __future__ import annotations

import numpy as np
import pytest

from voice.loading import load_voice
from voice.media.loudness import measure
from voice.tts.loudness import CEILING, apply_gain, gain_of, limit
from voice.tts.voice import join
from voice.types import Audio, Controls

RATE = 24_000
TEXT = "We will meet at the harbor on Thursday. Bring the old map, please, and a lamp."


def tone(hertz: float, amplitude: float, seconds: float = 1.0) -> np.ndarray:
    turns = np.arange(round(seconds * RATE)) * hertz / RATE
    return (amplitude * np.sin(2 * np.pi * turns)).astype(np.float32)


@pytest.mark.parametrize("name", ["heart", "kathleen", "kumo", "lj"])
def test_every_voice_is_as_loud_as_it_is_asked_to_be(name):
    voice = load_voice(name, threads=1)
    for wanted in (-20.0, -16.0):
        sound = join(voice.speak(TEXT, Controls(loudness=wanted))).audio
        loud = measure(sound.samples, sound.rate)
        assert loud.integrated == pytest.approx(wanted, abs=1.5) and loud.peak <= -0.9


def test_without_a_level_a_voice_speaks_as_its_network_does():
    voice = load_voice("heart", threads=1)
    plain, leveled = (join(voice.speak("Hello there.", Controls(loudness=each))) for each in (None, -20.0))
    factor = gain_of(voice.level, -20.0)
    np.testing.assert_allclose(leveled.audio.samples, plain.audio.samples * factor, atol=1e-6)
    assert plain.words == leveled.words


def test_a_gain_is_the_difference_of_two_known_levels():
    assert gain_of(-26.0, -20.0) == pytest.approx(10 ** (6 / 20))
    assert gain_of(None, -20.0) == gain_of(-26.0, None) == 1.0


def test_what_is_soft_passes_the_limiter_untouched():
    soft = tone(200, 0.7)
    assert limit(soft, RATE) is soft
    assert limit(np.zeros(0, np.float32), RATE).size == 0


def test_a_loud_peak_is_limited_with_what_lies_around_it_alone():
    sound = tone(200, 0.4)
    sound[12_000:12_100] *= 4
    limited = limit(sound, RATE)
    assert np.abs(limited).max() <= CEILING and measure(limited, RATE).peak <= -0.95
    np.testing.assert_array_equal(limited[:11_000], sound[:11_000])
    np.testing.assert_array_equal(limited[13_000:], sound[13_000:])
    assert np.abs(np.diff(limited / np.where(sound == 0, 1, sound))[11_800:12_300]).max() < 1.0


def test_peaks_between_samples_count():
    turns = np.arange(RATE) / 4 + 1 / 8  # at a quarter of the rate, 45° from its peaks
    sound = (1.2 * np.hanning(RATE) * np.sin(2 * np.pi * turns)).astype(np.float32)
    assert np.abs(sound).max() < CEILING
    assert measure(limit(sound, RATE), RATE).peak < -0.9


def test_pieces_are_as_loud_as_the_whole():
    voice = load_voice("kathleen", threads=1)
    whole = join(voice.speak(TEXT))
    pieces = join(voice.stream(TEXT))
    np.testing.assert_allclose(pieces.audio.samples, whole.audio.samples, atol=1e-4)


def test_nothing_changes_without_a_gain():
    sound = Audio(tone(100, 0.99), RATE)
    assert apply_gain(sound.samples, 1.0, RATE) is sound.samples

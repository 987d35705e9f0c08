from __future__ import annotations

from recipes import levels
from voice.models.kokoro import loudness, names


def test_every_voice_of_kokoro_that_is_measured_is_one():
    assert set(loudness()) <= set(names()) and all(-35 < level < -10 for level in loudness().values())


def test_a_level_is_that_of_the_network_and_not_of_the_usual_loudness():
    asked = []

    class Voice:
        rate = 24_000

        def speak(self, text, controls):
            asked.append(controls.loudness)
            raise StopIteration

    try:
        levels.measure_level(Voice())
    except StopIteration:
        assert asked == [None]

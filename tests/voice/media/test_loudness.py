from __future__ import annotations

import numpy as np
import pytest

from voice.media.loudness import QUIETEST, measure


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_sine_of_997_hertz_is_three_decibels_below_its_peak(rate):
    sound = 0.1 * np.sin(2 * np.pi * 997 * np.arange(3 * rate) / rate)
    found = measure(sound.astype(np.float32), rate)
    assert found.integrated == pytest.approx(-23.0, abs=0.1) and found.peak == pytest.approx(-20.0, abs=0.1)


def test_silence_does_not_count():
    rate = 24_000
    sound = 0.1 * np.sin(2 * np.pi * 997 * np.arange(3 * rate) / rate)
    with_pause = np.concatenate([sound, np.zeros(5 * rate), sound]).astype(np.float32)
    assert measure(with_pause, rate).integrated == pytest.approx(-23.0, abs=0.3)
    assert measure(np.zeros(rate, np.float32), rate).integrated == QUIETEST
    assert measure(np.zeros(0, np.float32), rate).integrated == QUIETEST

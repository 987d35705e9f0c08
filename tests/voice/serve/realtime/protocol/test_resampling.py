from __future__ import annotations

import numpy as np
import pytest

from voice.serve.realtime.protocol.resampling import LowLatencyResampler

RATES = [(24_000, 16_000), (8_000, 16_000), (16_000, 24_000), (44_100, 16_000)]


@pytest.mark.parametrize("rates", RATES, ids=str)
def test_the_stream_equals_the_whole(rates: tuple[int, int]) -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    whole, parts = LowLatencyResampler(*rates)(sound), LowLatencyResampler(*rates)
    pieces = [parts(sound[at : at + size]) for at, size in zip(range(0, 5000, 37), [37] * 136, strict=True)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)


@pytest.mark.parametrize("rates", RATES, ids=str)
def test_a_tone_keeps_its_pitch_its_level_and_its_place_but_for_the_delay(rates: tuple[int, int]) -> None:
    source, target = rates
    resampler = LowLatencyResampler(source, target)
    heard = resampler(np.sin(2 * np.pi * 440 * np.arange(source) / source).astype(np.float32))
    expected = np.sin(2 * np.pi * 440 * (np.arange(target) / target - resampler.delay))
    assert abs(len(heard) - target) <= 1
    np.testing.assert_allclose(heard[500:target], expected[500 : len(heard)], atol=3e-3)
    assert resampler.delay <= 0.0016


def test_what_the_lower_rate_cannot_hold_is_taken_away() -> None:
    tone = np.sin(2 * np.pi * 10_000 * np.arange(24_000) / 24_000).astype(np.float32)
    assert np.abs(LowLatencyResampler(24_000, 16_000)(tone)[500:-500]).max() < 0.003


def test_nothing_in_gives_nothing_out() -> None:
    assert len(LowLatencyResampler(24_000, 16_000)(np.zeros(0, np.float32))) == 0

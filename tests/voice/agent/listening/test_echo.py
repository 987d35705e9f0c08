"""The agent's own voice coming back, alone and with somebody's over it."""

from __future__ import annotations

import numpy as np
import pytest

from voice.agent.listening.echo import Echo

RATE, HOP = 16_000, 512


def babble(seed: int, seconds: float) -> np.ndarray:
    """Something like speech: syllables of noise whose color and loudness change."""
    draw = np.random.default_rng(seed)
    syllables = []
    while sum(map(len, syllables)) < seconds * RATE:
        length = int(RATE * draw.uniform(0.08, 0.25))
        spectrum = np.fft.rfft(draw.standard_normal(length))
        frequencies = np.fft.rfftfreq(length, 1 / RATE)
        gain = sum(np.exp(-(((frequencies - at) / 200) ** 2)) for at in draw.uniform(200, 4000, 3))
        sound = np.fft.irfft(spectrum * gain, length) * np.hanning(length)
        syllables += [sound / np.abs(sound).max() * draw.uniform(0.1, 0.4), np.zeros(int(length * 0.3))]
    return np.concatenate(syllables)[: int(seconds * RATE)].astype(np.float32)


def back(played: np.ndarray, decibels: float, delay: float, reverberation: float) -> np.ndarray:
    """What a microphone hears of it in a room."""
    draw = np.random.default_rng(7)
    time = np.arange(int(reverberation * RATE)) / RATE
    room = draw.standard_normal(len(time)) * 10 ** (-3 * time / reverberation)
    room *= 10 ** (decibels / 20) / np.sqrt(np.sum(room**2))
    wet = np.concatenate((np.zeros(int(delay * RATE)), np.convolve(played, room)))[: len(played)]
    return (wet + 1e-4 * draw.standard_normal(len(played))).astype(np.float32)


def echo_flags(heard: np.ndarray, played: np.ndarray) -> list[bool]:
    echo = Echo(RATE)
    starts = range(0, len(heard) - HOP + 1, HOP)
    return [echo(heard[at : at + HOP], played[at : at + HOP]) for at in starts]


@pytest.mark.parametrize("decibels", [-6, -20])
@pytest.mark.parametrize("delay", [0.05, 0.3])
def test_its_own_voice_is_an_echo(decibels: float, delay: float) -> None:
    played = babble(1, 6)
    found = echo_flags(back(played, decibels, delay, 0.5), played)
    assert np.mean(found) > 0.97


def test_somebody_who_speaks_over_it_is_not() -> None:
    played = babble(1, 6)
    heard = back(played, -12, 0.15, 0.4)
    heard[4 * RATE :] += babble(2, 2)
    found = echo_flags(heard, played)
    assert np.mean(found[: 4 * RATE // HOP]) > 0.95
    assert np.mean(found[4 * RATE // HOP + 2 :]) < 0.35


def test_where_nothing_is_played_nothing_is_an_echo() -> None:
    heard = babble(3, 2)
    assert not any(echo_flags(heard, np.zeros_like(heard)))


def test_what_comes_before_it_was_played_is_not_its_echo() -> None:
    played = np.concatenate((np.zeros(2 * RATE, np.float32), babble(1, 2)))
    heard = np.concatenate((babble(2, 2), np.zeros(2 * RATE, np.float32)))
    assert not any(echo_flags(heard, played)[: 2 * RATE // HOP])


def test_it_knows_whether_the_loudspeaker_is_heard_at_all() -> None:
    played = babble(1, 4)
    for heard, returns in ((back(played, -12, 0.15, 0.4), True), (1e-4 * babble(3, 4), False)):
        echo = Echo(RATE)
        for at in range(0, len(heard) - HOP + 1, HOP):
            echo(heard[at : at + HOP], played[at : at + HOP])
        assert echo.returning is returns

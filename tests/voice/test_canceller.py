from __future__ import annotations

import numpy as np

from voice.agent.canceller import Canceller

RATE, HOP = 16_000, 512


def noise(seconds: float, seed: int) -> np.ndarray:
    """Bursts, as syllables are."""
    draw = np.random.default_rng(seed)
    loudness = np.repeat(draw.uniform(0, 0.2, round(seconds * 10)), RATE // 10)
    return (loudness * draw.standard_normal(len(loudness))).astype(np.float32)


def echo_of(played: np.ndarray, delay: float = 0.15) -> np.ndarray:
    response = np.zeros(round((delay + 0.1) * RATE))
    tail = np.arange(round(0.1 * RATE))
    response[-len(tail) :] = np.random.default_rng(9).standard_normal(len(tail)) * np.exp(-tail / 300) / 40
    return np.convolve(played, response)[: len(played)].astype(np.float32)


def cleaned(heard: np.ndarray, played: np.ndarray) -> np.ndarray:
    canceller = Canceller(RATE, HOP)
    starts = range(0, len(heard) // HOP * HOP, HOP)
    return np.concatenate([canceller(heard[at : at + HOP], played[at : at + HOP]) for at in starts])


def power(sound: np.ndarray) -> float:
    return 10 * np.log10(np.mean(sound**2) + 1e-12)


def test_an_echo_is_taken_out_once_the_way_is_known() -> None:
    played = noise(6, 0)
    heard = echo_of(played)
    left = cleaned(heard, played)
    assert power(left[4 * RATE :]) < power(heard[4 * RATE :]) - 12


def test_somebody_else_is_kept() -> None:
    played, person = noise(6, 0), noise(6, 1)
    person[: 4 * RATE] = 0
    heard = echo_of(played) + person
    left, length = cleaned(heard, played), 6 * RATE // HOP * HOP
    wrong = left[4 * RATE :] - person[4 * RATE : length]
    assert power(wrong) < power(person[4 * RATE :]) - 9


def test_through_headphones_a_person_sounds_the_same() -> None:
    played, person = noise(6, 0), noise(6, 1)
    left = cleaned(person, played)
    assert power(left - person[: len(left)]) < power(person) - 12


def test_what_is_heard_while_nothing_is_played_is_left_alone() -> None:
    person = noise(1, 1)
    assert np.array_equal(cleaned(person, np.zeros_like(person)), person[: len(person) // HOP * HOP])

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from voice import audio
from voice.silero import Silero
from voice.vad import (
    TARGET_PEAK,
    Hysteresis,
    QuietGain,
    Region,
    SpeechChunk,
    Thresholds,
    amplified_stream,
    find_speech,
)

FRAME = 0.032


class Loudness:
    """A fake detector: speech is what is loud."""

    rate = 16_000
    hop = 512

    def stream(self) -> Callable[[np.ndarray], float]:
        return lambda frame: float(np.abs(frame).max())


def regions(probabilities: list[float], thresholds: Thresholds) -> list[Region]:
    hysteresis = Hysteresis(thresholds, frame=0.1)
    found = [hysteresis(probability) for probability in probabilities]
    return [region for region in [*found, hysteresis.finish()] if region]


SLOW = Thresholds(on=0.5, off=0.3, shortest_speech=0.2, shortest_silence=0.3)


def test_speech_needs_to_last_and_silence_too() -> None:
    assert regions([0, 0.9, 0, 0, 0, 0], SLOW) == []
    assert regions([0, 0.9, 0.9, 0, 0, 0, 0], SLOW) == [Region(1, 3)]
    assert regions([0.9, 0.9, 0, 0, 0.9, 0, 0, 0], SLOW) == [Region(0, 5)]


def test_between_the_thresholds_nothing_changes() -> None:
    assert regions([0.4, 0.4, 0.4, 0.4], SLOW) == []
    assert regions([0.9, 0.4, 0.4, 0.4, 0.4], SLOW) == [Region(0, 5)]
    assert regions([0.9, 0.9, 0.1, 0.4, 0.4, 0.9], SLOW) == [Region(0, 2)]


def test_speech_under_way_at_the_end_counts() -> None:
    assert regions([0, 0.9, 0.9, 0.9], SLOW) == [Region(1, 4)]
    assert regions([0, 0.9, 0.9, 0.9, 0.1], SLOW) == [Region(1, 4)]


def test_speaking_is_known_while_it_lasts() -> None:
    hysteresis = Hysteresis(SLOW, frame=0.1)
    seen = []
    for probability in [0, 0.9, 0.9, 0, 0, 0, 0]:
        hysteresis(probability)
        seen.append(hysteresis.speaking)
    assert seen == [False, False, True, True, True, False, False]


def sound(*parts: tuple[float, float]) -> np.ndarray:
    """(seconds, loudness) parts, joined."""
    return np.concatenate([np.full(round(seconds * 16000), level, np.float32) for seconds, level in parts])


def spans(chunks: list[SpeechChunk]) -> list[tuple[float, float]]:
    return [(chunk.start, chunk.end) for chunk in chunks]


def test_chunks_have_their_surroundings_and_never_overlap() -> None:
    wave = sound((1, 0), (1, 0.9), (0.55, 0), (1, 0.9), (3, 0), (1, 0.9), (0.1, 0))
    found = list(find_speech([wave], Loudness(), pad=0.3))
    assert np.array(spans(found)) == pytest.approx(
        np.array([(0.7, 2.3), (2.3, 3.85), (6.25, 7.65)]), abs=2 * FRAME
    )
    assert all(one.end <= other.start + 1e-9 for one, other in zip(found, found[1:], strict=False))


def test_stream_equals_whole_however_it_is_cut() -> None:
    draw = np.random.default_rng(0)
    wave = np.repeat(draw.random(400), 1600).astype(np.float32)
    whole = list(find_speech([wave], Loudness(), longest=5))
    blocks = np.split(wave, np.sort(draw.integers(0, len(wave), 50)))
    pieces = list(find_speech(blocks, Loudness(), longest=5))
    assert spans(whole) == spans(pieces)
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(one.audio.samples, other.audio.samples)


def test_a_chunk_holds_the_samples_of_its_time() -> None:
    wave = sound((1, 0), (1, 0.9), (1, 0)) * np.linspace(1, 0.9, 48000, dtype=np.float32)
    (chunk,) = find_speech([wave], Loudness())
    first = round(chunk.start * 16000)
    np.testing.assert_array_equal(chunk.audio.samples, wave[first : first + len(chunk.audio.samples)])


def test_speech_without_a_pause_is_cut_where_it_is_least_likely() -> None:
    wave = sound((8, 0.9), (0.2, 0.4), (20, 0.9))
    found = list(find_speech([wave], Loudness(), longest=10))
    assert found[0].end == pytest.approx(8.1, abs=0.1)
    assert max(chunk.audio.duration for chunk in found) <= 10
    assert sum(len(chunk.audio.samples) for chunk in found) == len(wave)


def test_silence_and_nothing_hold_no_speech() -> None:
    assert list(find_speech([sound((5, 0))], Loudness())) == []
    assert list(find_speech([], Loudness())) == []


def test_memory_is_bounded_by_the_longest_chunk() -> None:
    endless = (sound((1, 0.9)) for _ in range(300))
    assert max(chunk.audio.duration for chunk in find_speech(endless, Loudness())) <= 29


@pytest.mark.parametrize("pad", [0.0, 0.1, 0.3, 0.5])
def test_speech_cut_in_the_silence_after_it_leaves_nothing_over(pad: float) -> None:
    for seconds in np.arange(9.5, 10.1, FRAME):  # its longest chunk ends before, in and after the silence
        wave = sound((seconds, 0.9), (3, 0), (1, 0.9), (2, 0))
        found = list(find_speech([wave], Loudness(), pad=pad, longest=10))
        assert found[-1].end == pytest.approx(seconds + 4 + pad, abs=2 * FRAME)
        assert all(one.end <= other.start + 1e-9 for one, other in zip(found, found[1:], strict=False))


def peaks(*levels: float) -> list[float]:
    """The peaks of frames of these peaks after the gain."""
    frames = np.array(levels, np.float32)[:, None] * np.ones(512, np.float32)
    return QuietGain(FRAME)(frames).max(axis=1).tolist()


def test_quiet_sound_is_amplified_and_ordinary_sound_is_not() -> None:
    assert peaks(0.5, 0.1, 0.005) == pytest.approx([0.5, 0.1, 0.005])
    assert peaks(0.0005, 0.0005) == pytest.approx([TARGET_PEAK, TARGET_PEAK])
    assert peaks(0.0005, 0.5) == pytest.approx([TARGET_PEAK, 0.5])


def test_what_may_be_nothing_but_rounding_is_not_amplified() -> None:
    assert peaks(0.0, 3e-5, 1e-4) == pytest.approx([0.0, 3e-5, 1e-4])


def test_noise_in_a_pause_of_loud_speech_is_not_amplified() -> None:
    noise = [0.001] * round(10 / FRAME)
    assert peaks(0.5, *noise)[1:] == pytest.approx(noise)
    assert peaks(0.5, *noise * 5)[-1] > 0.001


def far_speech(corpora: Path, decibels: float) -> np.ndarray:
    """A sentence so far below its level, in steps of 16 bits, between half seconds of silence."""
    speech = audio.read(next((corpora / "asterisk_allison/test").glob("*.flac")), 16_000).samples
    quiet = np.round(speech * 10 ** (decibels / 20) * 32768) / 32768
    return np.concatenate([np.zeros(8000), quiet, np.zeros(8000)]).astype(np.float32)


@pytest.mark.parametrize("decibels", [-50.0, -60.0])
def test_speech_far_below_its_level_is_found(corpora: Path, decibels: float) -> None:
    sound = far_speech(corpora, decibels)
    usual, quiet = (list(find_speech([each], Silero.open())) for each in (far_speech(corpora, 0.0), sound))
    assert [chunk.start for chunk in quiet] == pytest.approx([chunk.start for chunk in usual], abs=0.2)
    one = amplified_stream(Silero.open())
    assert max(one(frame) for frame in sound[: len(sound) // 512 * 512].reshape(-1, 512)) > 0.9


@pytest.mark.parametrize("steps", [0.4, 1.0, 2.0, 4.0])
def test_rounding_and_hiss_are_no_speech_however_far_they_are_amplified(steps: float) -> None:
    draw = np.random.default_rng(0)
    hiss = np.round(draw.normal(0, steps, 20 * 16_000)) / 32768
    assert list(find_speech([hiss.astype(np.float32)], Silero.open())) == []

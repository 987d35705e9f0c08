from __future__ import annotations

import numpy as np
import pytest

from voice.asr.whisper.timestamps import words_from_attention
from voice.asr.whisper.tokenizer import WordTokens
from voice.types import Audio

RATE = 16_000


def murmur(*parts: tuple[float, float]) -> Audio:
    """(seconds, loudness) parts of noise."""
    draw = np.random.default_rng(0)
    pieces = [draw.normal(0, level, round(seconds * RATE)) for seconds, level in parts]
    return Audio(np.concatenate(pieces).astype(np.float32), RATE)


def path(*frames: int) -> list[tuple[int, int]]:
    """A warping path on which token i begins at frames[i]."""
    ends = [max(following, first + 1) for first, following in zip(frames, [*frames[1:], 0], strict=True)]
    return [(token, frame) for token, first in enumerate(frames) for frame in range(first, ends[token])]


def test_words_begin_where_their_first_token_does() -> None:
    words = [WordTokens(" one", 0, 1), WordTokens(" twenty-two,", 1, 3)]
    found = words_from_attention(words, path(0, 20, 35, 50), [0.9, 0.8, 0.6], murmur((1.0, 0.1)))
    assert [(word.text, word.start, word.end) for word in found] == [
        ("one", 0.0, pytest.approx(0.4)),
        ("twenty-two,", pytest.approx(0.4), pytest.approx(1.0)),
    ]
    assert [word.confidence for word in found] == pytest.approx([0.9, 0.7])


def test_silence_around_a_word_is_not_part_of_it() -> None:
    speech = murmur((0.5, 0.001), (0.5, 0.1), (1.0, 0.001), (0.5, 0.1))
    words = [WordTokens(" one", 0, 1), WordTokens(" two", 1, 2)]
    one, two = words_from_attention(words, path(0, 100, 125), [1.0, 1.0], speech)
    assert (one.start, one.end) == pytest.approx((0.5, 1.0), abs=0.02)
    assert (two.start, two.end) == pytest.approx((2.0, 2.5), abs=0.02)


def test_times_never_run_backward_or_past_the_end() -> None:
    words = [WordTokens(f" w{i}", i, i + 1) for i in range(4)]
    found = words_from_attention(words, path(10, 10, 10, 60, 90), [1.0] * 4, murmur((1.0, 0.1)))
    times = [time for word in found for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= 1.0


@pytest.mark.parametrize("seed", range(10))
def test_whatever_the_path_words_last_and_do_not_overlap(seed: int) -> None:
    draw = np.random.default_rng(seed)
    count = int(draw.integers(1, 30))
    words = [WordTokens(f" w{i}", i, i + 1) for i in range(count)]
    frames = sorted(draw.integers(0, 60 if seed % 2 else 4, count + 1).tolist())
    found = words_from_attention(words, path(*frames), [1.0] * count, murmur((0.6, 0.1), (0.6, 0.001)))
    assert all(word.end - word.start > 0.03 for word in found)
    assert all(a.end <= b.start + 1e-9 for a, b in zip(found, found[1:], strict=False))
    assert found[0].start >= 0.0 and found[-1].end <= 1.2 + 1e-9

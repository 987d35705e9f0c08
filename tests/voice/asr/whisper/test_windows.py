from __future__ import annotations

import numpy as np

from voice.asr.whisper.windows import (
    WINDOW_SAMPLES,
    features,
    full_window_features,
    length_buckets,
    with_margin,
)
from voice.features import WHISPER_HOP, WHISPER_RATE


def test_groups_are_of_like_length_and_hold_everything_once() -> None:
    groups = list(length_buckets([3.0, 9.0, 3.5, 8.8, 1.0, 3.2], 0.7, 8))
    assert groups == [[1, 3], [2, 5, 0], [4]]
    assert list(length_buckets([2.0] * 5, 0.7, 2)) == [[0, 1], [2, 3], [4]]
    assert list(length_buckets([], 0.7, 8)) == []


def test_the_encoder_is_shown_the_frames_that_were_asked_for() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    assert full_window_features(samples, 80).shape == (80, 3000)
    assert full_window_features(samples, 128).shape == (128, 3000)
    assert features(samples, 130 * WHISPER_HOP).shape == (80, 130)
    assert features(samples, 50 * WHISPER_HOP, 128).shape == (128, 50)


def test_the_encoder_sees_a_margin_after_an_utterance_and_never_more_than_a_window() -> None:
    assert with_margin(WHISPER_RATE) == round(1.3 * WHISPER_RATE)
    assert with_margin(WINDOW_SAMPLES - 1) == WINDOW_SAMPLES

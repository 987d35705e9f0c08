"""What the encoder sees: its window, the margin after an utterance, log-mel features, length buckets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from voice.features import WHISPER_BANDS, WHISPER_HOP, WHISPER_RATE, whisper_log_mel

WINDOW = 30.0  # seconds that Whisper's encoder was trained on
WINDOW_SAMPLES = round(WINDOW * WHISPER_RATE)
WINDOW_FRAMES = WINDOW_SAMPLES // WHISPER_HOP
MARGIN = 0.3  # seconds of silence after an utterance, where the context is the utterance
MARGIN_SAMPLES = round(MARGIN * WHISPER_RATE)


def full_window_features(samples: np.ndarray, bands: int) -> np.ndarray:
    """Compute (bands, 3000) features as faster-whisper does, so that the same speech gives the same words."""
    frames = min(len(samples) // WHISPER_HOP, WINDOW_FRAMES)
    features = whisper_log_mel(np.pad(samples, (0, WHISPER_HOP)), bands)[:, :frames]
    return np.pad(features, ((0, 0), (0, WINDOW_FRAMES - frames)))


def features(samples: np.ndarray, length: int, bands: int = WHISPER_BANDS) -> np.ndarray:
    """Compute (bands, length // 160) features of (T,) samples, cut or filled with silence to `length`."""
    whole = np.zeros(length, np.float32)
    whole[: len(samples)] = samples[:length]
    return whisper_log_mel(whole, bands)


def with_margin(length: int) -> int:
    """Return how many samples the encoder sees of `length`: the margin too, at most a window."""
    return min(WINDOW_SAMPLES, length + MARGIN_SAMPLES)


def length_buckets(durations: Sequence[float], spread: float, size: int) -> Iterator[list[int]]:
    """Yield indexes of durations, the longest first, in groups of at most `size` that differ by `spread`."""
    group: list[int] = []
    for index in sorted(range(len(durations)), key=lambda index: -durations[index]):
        if group and (len(group) == size or durations[group[0]] - durations[index] > spread):
            yield group
            group = []
        group.append(index)
    if group:
        yield group

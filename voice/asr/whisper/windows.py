"""Speech as an encoder is shown it, alone or with others of like length."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from voice.asr.ctc.alphabet import FRAME
from voice.asr.whisper.decoding import Reading
from voice.features import WHISPER_HOP, WHISPER_RATE, whisper_log_mel
from voice.types import Audio

WINDOW = 30.0  # seconds that Whisper's encoder was trained on
FULL_FRAMES = round(WINDOW * WHISPER_RATE) // WHISPER_HOP


@dataclass(frozen=True, eq=False)
class Sound:
    """Speech and what the encoder makes of it (F, D); where there is a head, what that reads in it, and
    (F, 29) log-probabilities if it knows the language's spelling."""

    speech: Audio
    encoded: np.ndarray
    log_probs: np.ndarray | None
    reading: Reading | None = None

    def until(self, seconds: float | None) -> Sound:
        """Its beginning; the encoder's output stays whole."""
        if seconds is None:
            return self
        letters = None if self.log_probs is None else self.log_probs[: math.ceil(seconds / FRAME)]
        return replace(self, speech=self.speech.cut(0.0, seconds), log_probs=letters)


def padded(samples: np.ndarray, bands: int) -> np.ndarray:
    """(bands, 3000) features as faster-whisper makes them, so that the same speech gives the same words."""
    frames = min(len(samples) // WHISPER_HOP, FULL_FRAMES)
    features = whisper_log_mel(np.pad(samples, (0, WHISPER_HOP)), bands)[:, :frames]
    return np.pad(features, ((0, 0), (0, FULL_FRAMES - frames)))


def shown(samples: np.ndarray, frames: int, bands: int) -> np.ndarray:
    """(bands, frames) features of the samples and of silence after them."""
    whole = np.zeros(frames * WHISPER_HOP, np.float32)
    whole[: len(samples)] = samples[: len(whole)]
    return whisper_log_mel(whole, bands)


def length_buckets(durations: Sequence[float], spread: float, most: int) -> Iterator[list[int]]:
    """Indexes of durations, the longest first, in groups of at most `most` within `spread` of each other."""
    group: list[int] = []
    for index in sorted(range(len(durations)), key=lambda index: -durations[index]):
        if group and (len(group) == most or durations[group[0]] - durations[index] > spread):
            yield group
            group = []
        group.append(index)
    if group:
        yield group

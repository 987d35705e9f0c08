"""The vocoder's short-time Fourier transform and its inverse, of whole signals and of streams."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from voice.features import VOICE_HOP, VOICE_WINDOW

BINS = VOICE_WINDOW // 2 + 1
OVERLAP = VOICE_WINDOW // VOICE_HOP


def stft(samples: np.ndarray) -> np.ndarray:
    """Transform (F · 300,) → (F, 601) complex64; frame i is centered on sample 300 · i, zeros outside."""
    return short_time_spectrum(np.pad(samples, (VOICE_WINDOW // 2, VOICE_WINDOW // 2 - VOICE_HOP)))


def short_time_spectrum(samples: np.ndarray) -> np.ndarray:
    """Transform ((F + 3) · 300,) → (F, 601) complex64; frame i begins with sample 300 · i."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, VOICE_WINDOW)[::VOICE_HOP]
    return np.fft.rfft(frames * hann()).astype(np.complex64, copy=False)


def istft(spectrum: np.ndarray) -> np.ndarray:
    """Invert (F, 601) complex → (F · 300,) float32: overlap-add over the power of the windows."""
    return OverlapAdd().push(spectrum, last=True)


class OverlapAdd:
    """An inverse transform of frames that come in pieces.

    Its samples come two hops late, because the windows of two more frames overlap them.
    """

    def __init__(self) -> None:
        self._sum = np.zeros((OVERLAP - 1, VOICE_HOP), np.float32)  # of past frames, what overlaps the next
        self._weight = np.zeros_like(self._sum)
        self._before = OVERLAP // 2  # hops of the first window that lie before the first sample

    def push(self, spectrum: np.ndarray, last: bool = False) -> np.ndarray:
        """Take (n, 601) more frames; return the samples that they complete, with `last` all."""
        count = len(spectrum)
        frames = np.fft.irfft(spectrum, VOICE_WINDOW).astype(np.float32, copy=False) * hann()
        frames = frames.reshape(count, OVERLAP, VOICE_HOP)
        power = (hann() ** 2).reshape(OVERLAP, VOICE_HOP)
        total, weight = (np.pad(kept, ((0, count), (0, 0))) for kept in (self._sum, self._weight))
        for k in range(OVERLAP):
            total[k : k + count] += frames[:, k]
            weight[k : k + count] += power[k]
        ready = count + (OVERLAP // 2 if last else 0)
        first = min(self._before, ready)
        self._before -= first
        self._sum, self._weight = total[count:], weight[count:]
        samples: np.ndarray = total[first:ready].reshape(-1) / weight[first:ready].reshape(-1)
        return samples


@lru_cache
def hann() -> np.ndarray:
    """Return the periodic Hann window, (1200,) float32."""
    return np.hanning(VOICE_WINDOW + 1)[:-1].astype(np.float32)

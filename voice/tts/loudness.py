"""All voices as loud as each other: a gain per voice, known before anything is spoken, and a limiter.

Every voice has one level, measured once over CALIBRATION and written on its card: `loudness`, in LUFS. The
gain is the difference to the level that is asked for. So a stream is as loud as the whole, and a soft
sentence stays softer than its neighbors. A voice without that number on its card speaks as its network does.
"""

from __future__ import annotations

import numpy as np

from voice.media.loudness import measure
from voice.types import Audio

CEILING = 10 ** (-1 / 20)  # true peak of what leaves the limiter
OVERSAMPLING = 4  # for peaks between samples, as BS.1770-4 has it
WINDOW = 0.005  # seconds on both sides over which the limiter's gain passes from one value to another
SURE = 10 ** (-3 / 20)  # samples below it have no peaks above CEILING between them
CALIBRATION = (
    "The quick train left the station at noon, and nobody on the platform seemed to mind. "
    "Where did you put the letters that came this morning? "
    "Rain fell on the hills all night; by dawn, the river had risen over the road. "
    "What a beautiful garden you have! "
    "Please close the door behind you when you leave."
)


def gain_of(level: float | None, wanted: float | None) -> float:
    """Return the factor that brings a voice of `level` LUFS to the `wanted` one, 1 where one is unknown."""
    return 1.0 if level is None or wanted is None else 10 ** ((wanted - level) / 20)


def apply_gain(samples: np.ndarray, gain: float, rate: int) -> np.ndarray:
    """Return samples times `gain`, limited where their true peak would lie above CEILING."""
    if gain == 1.0:
        return samples
    return limit(samples * np.float32(gain), rate)


def limit(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return (T,) samples with a true peak of at most CEILING: softer around each louder peak."""
    if np.abs(samples).max(initial=0.0) <= SURE:
        return samples
    peaks = _true_peaks(samples, rate)
    wanted = np.minimum(1.0, CEILING / np.maximum(peaks, 1e-9))
    if wanted.min(initial=1.0) == 1.0:
        return samples
    reach = round(WINDOW * rate)
    held = np.lib.stride_tricks.sliding_window_view(
        np.pad(wanted, 2 * reach, mode="edge"), 2 * reach + 1
    ).min(1)
    window = np.hanning(2 * reach + 3)[1:-1]
    gain = np.convolve(held, window / window.sum(), mode="valid")
    limited: np.ndarray = np.clip(samples * gain, -CEILING, CEILING).astype(np.float32)
    return limited


def _true_peaks(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return (T,) the largest absolute value of the sound from half a sample before each to half after it."""
    import soxr

    dense = np.abs(soxr.resample(samples, rate, rate * OVERSAMPLING))
    count, half = len(samples) * OVERSAMPLING, OVERSAMPLING // 2
    dense = np.pad(dense, (half, max(0, count - half - len(dense))))[:count]
    peaks: np.ndarray = np.maximum(np.abs(samples), dense.reshape(-1, OVERSAMPLING).max(1))
    return peaks


def level_of(sound: Audio) -> float:
    """Return the level of a voice for its card, in LUFS to a tenth, from `sound`, its CALIBRATION."""
    return round(measure(sound.samples, sound.rate).integrated, 1)

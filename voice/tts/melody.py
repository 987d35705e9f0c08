"""The pitch curve of a sentence, F0 per frame, and moving it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SEMITONE = np.float32(np.log(2) / 12)  # of log-F0
VOICED = 40.0  # Hz; lower F0 is that of unvoiced frames


def scale_f0(f0: np.ndarray, ratio: np.ndarray | float) -> NDArray[np.float32]:
    """Return (F,) Hz times `ratio` where voiced, and voiced still."""
    return np.where(f0 > VOICED, np.maximum(f0 * ratio, VOICED + 1), f0).astype(np.float32)


def melody(f0: np.ndarray) -> np.ndarray:
    """Turn (F,) Hz into (F,) semitones, with lines drawn through what is not voiced."""
    voiced = np.flatnonzero(f0 > VOICED)
    if not len(voiced):
        return np.zeros(len(f0))
    semitones: np.ndarray = 12 * np.log2(np.interp(np.arange(len(f0)), voiced, f0[voiced]))
    return semitones

"""How the agent's voice comes back to its microphone in a room."""

from __future__ import annotations

import numpy as np

from benchmarks.turn_taking.noises import RATE

FRAME = RATE // 50


class Room:
    """From the loudspeaker to the microphone: (T,) impulse response, and a delay (s) before it.

    A frame in, a frame out: the response in parts of a frame, each multiplied in the frequency domain
    (uniformly partitioned overlap-save).
    """

    def __init__(self, response: np.ndarray, delay: float) -> None:
        whole = np.concatenate((np.zeros(round(delay * RATE), np.float32), response))
        parts = np.pad(whole, (0, -len(whole) % FRAME)).reshape(-1, FRAME)
        self._parts = np.fft.rfft(parts, 2 * FRAME).astype(np.complex64)
        self._past = np.zeros_like(self._parts)  # spectra of what was played, the newest first
        self._before = np.zeros(FRAME, np.float32)

    def __call__(self, played: np.ndarray) -> np.ndarray:
        self._past = np.roll(self._past, 1, axis=0)
        self._past[0] = np.fft.rfft(np.concatenate((self._before, played)))
        self._before = played
        return np.fft.irfft((self._parts * self._past).sum(axis=0))[FRAME:].astype(np.float32)

"""Takes what comes back from the loudspeaker out of what is heard, as far as it is only an echo.

The way from loudspeaker to microphone is a filter in parts of a frame (partitioned overlap-save); a
Kalman filter in each frequency learns it (Enzner and Vary 2006; Kuech, Mabande and Enzner 2014), the
more slowly the louder somebody else is. What it leaves over is judged by `echo.Echo`.
"""

from __future__ import annotations

import numpy as np

SPAN = 0.6  # seconds from what is played to the last of its echo
KEPT = 0.9997  # of the filter from frame to frame: rooms change slowly
DOUBT = 0.1  # variance of the filter where nothing has been learnt
SMOOTH = 0.6  # of the loudness of what is left over, from frame to frame
LEAST = 1e-10


class Canceller:
    """One loudspeaker and microphone, heard in frames of `hop` samples at `rate` Hz."""

    def __init__(self, rate: int, hop: int) -> None:
        shape = -(-round(SPAN * rate) // hop), hop + 1  # parts, frequencies
        self._hop, self._since = hop, shape[0]  # frames since something was played
        self._past = np.zeros(shape, np.complex64)  # spectra of what was played, the newest first
        self._before = np.zeros(hop, np.float32)
        self._filter = np.zeros(shape, np.complex64)
        self._doubt = np.full(shape, DOUBT, np.float32)
        self._left = np.full(hop + 1, 1e-3, np.float32)  # power of what is left over

    def __call__(self, heard: np.ndarray, played: np.ndarray) -> np.ndarray:
        """(hop,) heard while (hop,) was played → the same without the echo."""
        self._since = 0 if played.any() else self._since + 1
        if self._since > len(self._past):
            return heard
        self._past = np.roll(self._past, 1, axis=0)
        self._past[0] = np.fft.rfft(np.concatenate((self._before, played)))
        self._before = played
        echo = np.fft.irfft((self._past * self._filter).sum(axis=0))[self._hop :]
        rest = (heard - echo).astype(np.float32)
        self._learn(rest)
        return rest if np.dot(rest, rest) <= np.dot(heard, heard) else heard

    def _learn(self, rest: np.ndarray) -> None:
        error = np.fft.rfft(np.concatenate((np.zeros_like(rest), rest)))
        self._left = SMOOTH * self._left + (1 - SMOOTH) * np.abs(error) ** 2
        power = np.abs(self._past) ** 2
        gain = self._doubt / ((self._doubt * power).sum(axis=0) + 2 * self._left + LEAST)
        change = np.fft.irfft(gain * np.conj(self._past) * error, axis=1)
        change[:, self._hop :] = 0.0  # what a part cannot hold would wrap around
        self._filter = (KEPT * (self._filter + np.fft.rfft(change, axis=1))).astype(np.complex64)
        lessened = KEPT**2 * (1 - 0.5 * gain * power) * self._doubt
        self._doubt = (lessened + (1 - KEPT**2) * np.abs(self._filter) ** 2).astype(np.float32)

"""A resampler for live streams, which delays by a millisecond; soxr, for files, delays by 15 ms and more."""

from __future__ import annotations

from math import gcd

import numpy as np

from voice.types import Samples

CROSSINGS = 12  # zero crossings of the windowed sinc on either side, in periods of the lower rate
BETA = 6.0  # of its Kaiser window: 60 dB


class LowLatencyResampler:
    """Resamples (T,) float32 from `source` to `target` Hz, in pieces of any length.

    It is a polyphase filter: the sound is the same however it is cut into pieces. It comes `delay`
    seconds late.
    """

    def __init__(self, source: int, target: int) -> None:
        common = gcd(source, target)
        self._up, self._down = target // common, source // common
        widest = max(self._up, self._down)
        taps = -(-2 * CROSSINGS * widest // self._up)  # of each phase
        at = np.arange(taps * self._up) - (taps * self._up - 1) / 2
        filter_ = np.sinc(at / widest) * np.kaiser(len(at), BETA)
        filter_ *= self._up / filter_.sum()
        self._phases = filter_.reshape(taps, self._up).T[:, ::-1].astype(np.float32)  # oldest sample first
        self._past = np.zeros(taps - 1, np.float32)
        self._next = 0  # place of the next sample out, in steps of `up` for each sample in
        self.delay = (len(at) - 1) / 2 / self._up / source

    def __call__(self, samples: Samples) -> Samples:
        """Return the sound up to the next (T,) samples at the new rate."""
        if not len(samples):
            return np.zeros(0, np.float32)
        known = np.concatenate((self._past, samples), dtype=np.float32)
        places = np.arange(self._next, len(samples) * self._up, self._down)
        self._next += len(places) * self._down - len(samples) * self._up
        self._past = known[len(samples) :]
        taps = self._phases.shape[1]
        windows = np.lib.stride_tricks.sliding_window_view(known, taps)[places // self._up]
        resampled: Samples = np.einsum("nt,nt->n", windows, self._phases[places % self._up])
        return resampled

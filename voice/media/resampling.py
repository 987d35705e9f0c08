"""Pieces of sound from one sampling rate to another, and in blocks of one size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np

_CHUNK = 2**20  # samples that a resampler gives out at a time


def at_rate(pieces: Iterable[tuple[np.ndarray, int]], rate: int) -> Iterator[np.ndarray]:
    """Yield pieces at `rate` from pieces at their own rates, which may change on the way."""
    for own, group in groupby(pieces, key=itemgetter(1)):
        resampler, step = StreamResampler(own, rate), max(1, _CHUNK * own // rate)
        for samples, _ in group:
            for start in range(0, len(samples), step):
                yield resampler(samples[start : start + step])
        yield resampler.rest()


class StreamResampler:
    """A stream from one rate to another; nothing happens where they are equal."""

    def __init__(self, own: int, rate: int) -> None:
        self._stream = None
        if own != rate:
            import soxr

            self._stream = soxr.ResampleStream(own, rate, 1, dtype="float32")

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        return self._stream.resample_chunk(samples) if self._stream else samples

    def rest(self) -> np.ndarray:
        nothing = np.zeros(0, np.float32)
        return self._stream.resample_chunk(nothing, last=True) if self._stream else nothing


def regroup(pieces: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Yield blocks of `size` samples from pieces of any length, the last one shorter."""
    held, length = [], 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= size:
            joined = np.concatenate(held)
            whole = length - length % size
            yield from joined[:whole].reshape(-1, size)
            held, length = [joined[whole:].copy()], length - whole
    if length:
        yield np.concatenate(held)

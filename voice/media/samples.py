"""Samples of any width and layout → float32 in [-1, 1], and the rates that sound can have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from voice.errors import AudioError

if TYPE_CHECKING:
    from av import AudioFrame

LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000  # Hz
_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}  # FFmpeg's → NumPy's
PIECE = 2**16  # samples given out at a time


def check_rate(rate: int, called: str) -> None:
    """Raise AudioError for a rate in Hz that no sound has."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        usable = f"{LOWEST_RATE:,} to {HIGHEST_RATE:,} can be used"
        raise AudioError(f"{called} has {rate:,} samples per second; {usable}: convert it, to 16000 say")


def mono_pieces(frame: AudioFrame, start: int) -> Iterator[np.ndarray]:
    """Yield a decoded frame from sample `start` on as (T,) float32 pieces, the mean of its channels."""
    channels, kind = frame.layout.nb_channels, _TYPES[frame.format.name.removesuffix("p")]
    # From eight channels on PyAV finds no end of the planes: those behind the last channel are not ours.
    planes = [
        np.frombuffer(plane, kind)  # type: ignore[call-overload]  # PyAV does not declare buffers
        for plane in frame.planes[:channels]
    ]
    if not frame.format.is_planar:
        planes = [*planes[0][: frame.samples * channels].reshape(-1, channels).T]
    step = max(1, min(PIECE, 2**20 // channels))
    for first in range(start, frame.samples, step):
        last = min(first + step, frame.samples)
        total = sum((as_float(plane[first:last]) for plane in planes), np.float32(0.0))
        yield np.asarray(total / np.float32(channels))


def as_float(samples: np.ndarray) -> np.ndarray:
    """Return samples of any width as float32 in [-1, 1]. Raises AudioError for another type."""
    if np.issubdtype(samples.dtype, np.floating):
        return samples.astype(np.float32, copy=False)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128.0) / 128.0
    if np.issubdtype(samples.dtype, np.signedinteger):
        return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)
    raise AudioError(f"{samples.dtype} samples are no sound; give floats in [-1, 1] or signed integers")


def clip_samples(samples: np.ndarray, name: str) -> np.ndarray:
    """Return the samples clipped to [-1, 1].

    Raises AudioError for NaN and infinities: no repair of them is right.
    """
    if not np.isfinite(samples).all():
        raise AudioError(f"{name} holds samples that are not numbers (NaN or infinite); export it again")
    within: np.ndarray = np.clip(samples, -1.0, 1.0)
    return within


def as_int16(samples: np.ndarray) -> np.ndarray:
    """Return float samples as little-endian 16-bit integers; what lies outside [-1, 1] is clipped."""
    coded: np.ndarray = np.round(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2")
    return coded

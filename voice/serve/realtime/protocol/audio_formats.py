"""The audio formats of the protocol: 16-bit PCM at 24 kHz and the two laws of G.711 at 8 kHz.

The companding follows ITU-T G.711: 8 segments of 16 steps for each sign, A-law over 13 bits and
μ-law over 14.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from voice.serve.realtime.protocol.resampling import LowLatencyResampler
from voice.types import Audio, Samples

_ULAW_BIAS = 132  # of 16-bit samples: makes the segments powers of two
_FULL_SCALE = 32768.0


@dataclass(frozen=True)
class AudioFormat:
    """An encoding of sound: `name` in the protocol, `width` bytes for each of `rate` samples a second."""

    name: str
    old_name: str  # in the protocol's beta
    rate: int
    width: int

    def decode(self, data: bytes) -> Samples:
        """Decode bytes, a whole number of samples, to (T,) float32 at `rate`."""
        if self.width == 2:
            return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
        return _expansion_table(self.name)[np.frombuffer(data, np.uint8)]

    def encode(self, samples: Samples) -> bytes:
        """Encode (T,) float32 at `rate` as bytes; samples beyond full scale are clipped."""
        linear = np.clip(np.rint(samples * _FULL_SCALE), -32768, 32767).astype("<i2")
        if self.width == 2:
            return bytes(linear.tobytes())
        return bytes(_compression_table(self.name)[linear.view(np.uint16)].tobytes())

    def seconds(self, data: bytes) -> float:
        """Return the duration of encoded sound."""
        return len(data) / self.width / self.rate


PCM = AudioFormat("audio/pcm", "pcm16", 24_000, 2)
FORMATS = (
    PCM,
    AudioFormat("audio/pcmu", "g711_ulaw", 8_000, 1),
    AudioFormat("audio/pcma", "g711_alaw", 8_000, 1),
)


def find_format(name: str) -> AudioFormat | None:
    """Return the format of a name, of today or of the beta; None where there is none."""
    return next((each for each in FORMATS if name in (each.name, each.old_name)), None)


class InputDecoder:
    """Decodes a client's sound as it arrives, cut anywhere, to samples at another rate."""

    def __init__(self, form: AudioFormat, rate: int) -> None:
        self._form = form
        self._rest = b""  # the first byte of a sample whose second one has not come
        self._resample = LowLatencyResampler(form.rate, rate) if form.rate != rate else None

    def __call__(self, data: bytes) -> Samples:
        """Decode the next bytes to (T,) float32 at `rate`; T varies."""
        data = self._rest + data
        whole = len(data) - len(data) % self._form.width
        self._rest = data[whole:]
        samples = self._form.decode(data[:whole])
        return self._resample(samples) if self._resample else samples


def encode_audio(audio: Audio, form: AudioFormat) -> bytes:
    """Encode a piece of speech in the client's format."""
    if audio.rate != form.rate:
        from voice.audio import resample

        audio = resample(audio, form.rate)
    return form.encode(audio.samples)


@cache
def _expansion_table(name: str) -> Samples:
    """Return (256,) float32: the sample that each byte of a law stands for."""
    codes = np.arange(256)
    levels = _ulaw_levels(codes) if name == "audio/pcmu" else _alaw_levels(codes)
    return (levels / _FULL_SCALE).astype(np.float32)


def _ulaw_levels(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    codes = ~codes & 0xFF
    sign, segment, step = codes & 0x80, codes >> 4 & 7, codes & 15
    size = ((step << 3) + _ULAW_BIAS << segment) - _ULAW_BIAS
    return np.where(sign, -size, size)


def _alaw_levels(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    codes = codes ^ 0x55
    sign, segment, step = codes & 0x80, codes >> 4 & 7, codes & 15
    size = np.where(segment == 0, (step << 4) + 8, (step << 4) + 264 << np.maximum(segment, 1) - 1)
    return np.where(sign, size, -size)


@cache
def _compression_table(name: str) -> NDArray[np.uint8]:
    """Return (65536,) uint8, by the bits of a 16-bit sample: the byte whose level is nearest."""
    levels = _expansion_table(name).astype(np.float64) * _FULL_SCALE
    order = np.argsort(levels, kind="stable")
    middles = (levels[order][1:] + levels[order][:-1]) / 2
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.float64)
    return order[np.searchsorted(middles, samples, side="right")].astype(np.uint8)

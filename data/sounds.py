"""What the sound of a recording is like, measured in one pass: levels, noise, bandwidth, clipping, channels.

A recording of hours is never whole in memory: what is kept of it are 50 numbers a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from voice.media.container import open_container
from voice.media.resampling import at_rate, regroup
from voice.media.samples import as_float
from voice.media.source import convert_read_errors, open_media
from voice.media.track import pieces

FRAME = 0.02  # seconds of which a level is measured
_LOUD, _QUIET = (
    95,
    10,
)  # percentiles of the levels of all frames that stand for speech and for what is between
_PIECE = 2**16  # samples measured at a time
_BINS = 1024  # samples of which a spectrum is taken
_WINDOW = np.hanning(_BINS).astype(np.float32)
_AUDIBLE = -70.0  # dB below the strongest band, down to which a recording reaches
_FAINT = 0.02  # a peak below which the steps of 16 bits look as if they had been clipped
_FLAT = 2 / 32768  # how far samples at the peak may differ that were clipped
_RUN = 3  # such samples one after the other
_CHANNELS = 20.0  # seconds of which the channels are compared
_DARK = 1e-12  # power of digital silence


@dataclass(frozen=True)
class SoundFacts:
    """What was measured of a recording.

    `level` and `noise` are dB below full scale: of the loudest twentieth of the frames and of the quietest
    tenth. `bandwidth` (Hz) is the highest frequency within 70 dB of the strongest. `clipped` is the share of
    samples at the peak in a row. `correlation` is that of the first two channels, None where there is one;
    `empty_channel` tells whether one of them holds nothing. `lost` is what the decoder says of damage.
    """

    seconds: float
    rate: int
    peak: float
    offset: float
    level: float
    noise: float
    bandwidth: float
    clipped: float
    is_finite: bool = True
    correlation: float | None = None
    empty_channel: bool = False
    lost: str | None = None

    @property
    def snr(self) -> float:
        """Return how far speech is above the noise, in dB: the difference of the two levels."""
        return self.level - self.noise


def measure_sound(path: Path, *, spectrum: bool = True) -> SoundFacts:
    """Return what a recording sounds like. Raises AudioError where nothing of it can be decoded.

    Without `spectrum` no bandwidth is measured; it is 0.
    """
    told: list[str] = []
    channels = _channels(path)
    found = pieces(path, told.append)
    first = next(found)
    sums = _Sums(first[1], spectrum)
    for samples in regroup(at_rate(chain([first], found), first[1]), _PIECE):
        sums.add(samples)
    return sums.facts(channels, "; ".join(told) or None)


@dataclass
class _Sums:
    """What is known of the pieces so far."""

    rate: int
    spectrum: bool
    count: int = 0
    total: float = 0.0
    levels: list[np.ndarray] = field(default_factory=list)
    peaks: list[tuple[float, int]] = field(
        default_factory=list
    )  # of each piece, and how many samples are there
    power: np.ndarray = field(default_factory=lambda: np.zeros(_BINS // 2 + 1))

    def add(self, samples: np.ndarray) -> None:
        """Take the next piece, (T,) samples."""
        self.count += len(samples)
        self.total += float(samples.sum(dtype=np.float64))
        size = max(1, round(FRAME * self.rate))
        whole = samples[: len(samples) - len(samples) % size].reshape(-1, size)
        if len(whole):
            self.levels.append(np.square(whole, dtype=np.float64).mean(axis=1))
        blocks = samples[: len(samples) - len(samples) % _BINS].reshape(-1, _BINS)
        if self.spectrum and len(blocks):
            self.power += np.square(np.abs(np.fft.rfft(blocks * _WINDOW))).sum(axis=0)
        if len(samples):
            self.peaks.append(_at_the_peak(samples))

    def facts(self, channels: _Channels, lost: str | None) -> SoundFacts:
        """Return what all pieces together are like."""
        levels = np.concatenate(self.levels) if self.levels else np.array([_DARK])
        loud, quiet = (10 * np.log10(np.percentile(levels, each) + _DARK) for each in (_LOUD, _QUIET))
        peak = max((each for each, _ in self.peaks), default=0.0)
        at_peak = (count for each, count in self.peaks if each >= peak - _FLAT)
        clipped = sum(at_peak) if peak >= _FAINT else 0
        return SoundFacts(
            seconds=self.count / self.rate,
            rate=self.rate,
            peak=peak,
            offset=self.total / max(1, self.count),
            level=float(loud),
            noise=float(quiet),
            bandwidth=self._bandwidth(),
            clipped=clipped / max(1, self.count),
            is_finite=channels.is_finite,
            correlation=channels.correlation,
            empty_channel=channels.is_empty,
            lost=lost,
        )

    def _bandwidth(self) -> float:
        strongest = float(self.power[1:].max())  # without what does not swing
        if strongest <= 0:
            return 0.0
        audible = np.flatnonzero(10 * np.log10(self.power / strongest + 1e-30) > _AUDIBLE)
        return float(audible[-1]) * self.rate / _BINS if len(audible) else 0.0


def _at_the_peak(samples: np.ndarray) -> tuple[float, int]:
    """Return the peak of a piece and how many of its samples are there, three or more in a row."""
    loudness = np.abs(samples)
    peak = float(loudness.max())
    there = np.concatenate([[False], loudness >= peak - _FLAT, [False]])
    edges = np.flatnonzero(there[1:] != there[:-1])
    runs = edges[1::2] - edges[::2]
    return peak, int(runs[runs >= _RUN].sum())


@dataclass(frozen=True)
class _Channels:
    """What the channels are like before they are mixed."""

    is_finite: bool = True
    correlation: float | None = None
    is_empty: bool = False


def _channels(path: Path) -> _Channels:
    """Return what the first two channels of a recording are like, by its first 20 seconds."""
    finite, products = True, np.zeros(3)
    for frame in _frames(path):
        finite = finite and bool(np.isfinite(frame).all())
        if len(frame) > 1 and finite:
            left, right = frame[0].astype(np.float64), frame[1].astype(np.float64)
            products += (left @ left, right @ right, left @ right)
    left, right, both = (float(each) for each in products)
    if max(left, right) <= 0:
        return _Channels(finite)
    empty = min(left, right) < 1e-6 * max(left, right)
    return _Channels(finite, None if empty else both / float(np.sqrt(left * right)), empty)


def _frames(path: Path) -> Iterator[np.ndarray]:
    """Yield decoded frames, (channels, T) float32.

    All of sound stored as floats, else the first 20 seconds.
    """
    with open_media(path) as media, convert_read_errors(media.called), open_container(media) as container:
        track = next(iter(container.streams.audio), None)
        if track is None:
            return
        codec = track.codec_context
        if codec.channels < 2 and not codec.name.startswith("pcm_f"):
            return
        seconds = float("inf") if codec.name.startswith("pcm_f") else _CHANNELS
        clock = 0.0
        for frame in container.decode(track):
            values = frame.to_ndarray()
            channels = frame.layout.nb_channels
            yield as_float(values if frame.format.is_planar else values.reshape(-1, channels).T)
            clock += frame.samples / frame.sample_rate
            if clock > seconds:
                return

"""A watermark that nobody hears, in the sound itself: it outlives the file's tags, encoding and resampling.

It is Perth's (Resemble AI, MIT), whose weights its package on the index carries; the package's own code needs
PyTorch and is not used. Six convolutions say by how much the magnitudes below 2 kHz change, frame by frame;
three other stacks of them, on the sound at three speeds, say how sure it is that a sound has the mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from voice import audio
from voice.errors import ModelDamaged
from voice.models.pickled import read_arrays
from voice.types import Audio

WEIGHTS_FILE = "perth_net_250000.pth.tar"
MARK_RATE = 32_000  # Hz
FRAME, STEP = 2048, 320  # samples of a frame, and from one to the next
MARKED_BINS = 128  # up to 2 kHz
SILENCE, HEADROOM = -180.0, 15.0  # dB: what counts as 0, and how far 0 dB lies below 1
QUIET = 0.05  # of the loudest frame's magnitudes, below which a frame is left as it is
SPEEDS = {"slow": 1.25, "normal": 1.0, "fast": 0.75}  # the frames of each stack for one of the sound
LAYERS = 7
SLOPE = 0.01

Weights = Mapping[str, np.ndarray]


class Watermarker:
    """Marks sounds and finds the mark; it holds no state."""

    rate = MARK_RATE

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    @classmethod
    def open(cls, folder: Path) -> Watermarker:
        """Load the weights in `folder`. Raises ModelDamaged."""
        weights = read_arrays(Path(folder) / WEIGHTS_FILE, "model")
        if "encoder.layers.0.conv.weight" not in weights:
            raise ModelDamaged(
                f"{folder} has no weights of the watermark; fetch it again: voice models get perth"
            )
        return cls(weights)

    def mark(self, sound: Audio) -> Audio:
        """Return a sound with the mark, as long and at the same rate; what is added is all that changes."""
        if not len(sound.samples):
            return sound
        samples = audio.resample(sound, MARK_RATE).samples
        spectrum = _analyze(samples)
        level = _level(spectrum)
        change = self._stack(level[:MARKED_BINS], "encoder.layers") * _audible(level)
        inner = spectrum[:MARKED_BINS]
        factor = 10 ** (change * (HEADROOM - SILENCE) / 20) - 1
        added = np.zeros_like(spectrum)
        added[:MARKED_BINS] = inner * factor
        difference = audio.resample(Audio(_synthesize(added, len(samples)), MARK_RATE), sound.rate).samples
        count = min(len(difference), len(sound.samples))
        marked = sound.samples.copy()
        marked[:count] += difference[:count]
        return Audio(np.clip(marked, -1.0, 1.0), sound.rate)

    def score(self, sound: Audio) -> float:
        """Return how sure it is that a sound has the mark, 0 to 1."""
        level = _level(_analyze(audio.resample(sound, MARK_RATE).samples))
        audible = _audible(level)
        votes, weights = [], []
        for name, speed in SPEEDS.items():
            count = max(1, int(level.shape[1] * speed))
            read = self._stack(_stretch(level[:MARKED_BINS], count), f"decoder.{name}_layers")
            heard = audible[(np.arange(count) * len(audible) / count).astype(int)]
            weight, vote = (read * heard).sum(1) / max(float(heard.sum()), 1.0)
            votes.append(vote)
            weights.append(np.exp(weight))
        return float(np.clip(np.dot(votes, weights) / np.sum(weights), 0.0, 1.0))

    def _stack(self, x: np.ndarray, name: str) -> np.ndarray:
        """(C, T) → (O, T): LAYERS convolutions, all but the last with a leaky rectifier after them."""
        for number in range(LAYERS):
            weight = self._weights[f"{name}.{number}.conv.weight"]  # (O, C, K)
            reach = weight.shape[2] // 2
            padded, count = np.pad(x, ((0, 0), (reach, reach))), x.shape[1]
            x = sum(weight[:, :, k] @ padded[:, k : k + count] for k in range(weight.shape[2]))
            x = x + self._weights[f"{name}.{number}.conv.bias"][:, None]
            x = np.where(x > 0, x, SLOPE * x) if number + 1 < LAYERS else x
        return x


def _window() -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)


def _analyze(samples: np.ndarray) -> np.ndarray:
    """(T,) → (1025, F) complex: frame i is centered on sample 320 · i."""
    half = FRAME // 2
    mode = "reflect" if len(samples) > half else "constant"
    padded = np.pad(samples, half, mode=mode)  # type: ignore[call-overload]  # it takes each of both
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::STEP]
    spectrum: np.ndarray = np.fft.rfft(frames * _window()).T
    return spectrum


def _synthesize(spectrum: np.ndarray, count: int) -> np.ndarray:
    """(1025, F) → (count,) float32, the least squares inverse of `_analyze`."""
    window, frames = _window(), np.fft.irfft(spectrum.T, FRAME) * _window()
    whole, weight = (np.zeros(STEP * (len(frames) - 1) + FRAME) for _ in range(2))
    for number, frame in enumerate(frames):
        place = slice(number * STEP, number * STEP + FRAME)
        whole[place] += frame
        weight[place] += window**2
    made = (whole / np.maximum(weight, 1e-8))[FRAME // 2 :][:count]
    return np.pad(made, (0, count - len(made))).astype(np.float32)


def _level(spectrum: np.ndarray) -> np.ndarray:
    """(1025, F) → (1025, F) magnitudes in dB, from 0 for silence."""
    decibels = 20 * np.log10(np.maximum(np.abs(spectrum), 10 ** (SILENCE / 20)))
    level: np.ndarray = ((decibels - SILENCE) / (HEADROOM - SILENCE)).astype(np.float32)
    return level


def _audible(level: np.ndarray) -> np.ndarray:
    """(1025, F) → (F,) 1 where there is something to mark."""
    total = level.sum(0)
    audible: np.ndarray = (total > QUIET * total.max()).astype(np.float32)
    return audible


def _stretch(level: np.ndarray, count: int) -> np.ndarray:
    """(C, F) → (C, count) on straight lines between the frames."""
    places = np.linspace(0, level.shape[1] - 1, count)
    before = np.minimum(places.astype(int), max(0, level.shape[1] - 2))
    share = (places - before).astype(np.float32)
    after = np.minimum(before + 1, level.shape[1] - 1)
    stretched: np.ndarray = level[:, before] * (1 - share) + level[:, after] * share
    return stretched

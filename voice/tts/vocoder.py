"""From a mel spectrum and a pitch curve to sound: a small network around a harmonic source, without torch.

The network says, frame by frame and bin by bin, how to filter a pulse train, how loud noise is, and
what else there is; the rest is one inverse STFT. `recipes/vocoder` trains it and explains the idea.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from voice.errors import VoiceError
from voice.features import VOICE_BANDS, VOICE_HOP, VOICE_RATE, VOICE_WINDOW
from voice.tts.graphs import open_graph

FILE = "vocoder.onnx"
BINS = VOICE_WINDOW // 2 + 1
OVERLAP = VOICE_WINDOW // VOICE_HOP
PULSE_SCALE = 4.0 / VOICE_WINDOW  # a cosine of amplitude 1 then peaks at 1 in the STFT
NOISE_SCALE = (8.0 / (3.0 * VOICE_WINDOW)) ** 0.5  # white noise of variance 1 then has power 1 in each bin
SINGULAR = 1e-3  # |sin| below which a pulse is at its peak


class Vocoder:
    """(100, F) log-mel and (F,) Hz → (F · 300,) float32 samples at 24 kHz.

    Frame i is centered on sample 300 · i. The network sees `reach` frames on both sides of each. The same
    seed gives the same samples; nothing is kept between calls, so that threads may share it.
    """

    rate = VOICE_RATE

    def __init__(self, session: object) -> None:
        self._session = session

    @classmethod
    def open(cls, path: Path, *, threads: int = 1) -> Vocoder:
        """`path`: an ONNX file, or a folder with `vocoder.onnx`. Raises ModelMissing, ModelDamaged."""
        path = Path(path)
        return cls(open_graph(path / FILE if path.is_dir() else path, threads=threads))

    def __call__(self, mel: np.ndarray, f0: np.ndarray, seed: int = 0) -> np.ndarray:
        """`mel`: natural log as `voice_log_mel` gives it; `f0`: Hz, 0 where unvoiced."""
        mel, f0 = np.asarray(mel, np.float32), np.asarray(f0, np.float32)
        if mel.shape != (VOICE_BANDS, len(f0)):
            shapes = f"not {mel.shape} and {f0.shape}"
            raise VoiceError(f"the vocoder takes ({VOICE_BANDS}, F) mel and (F,) pitch, {shapes}")
        if len(f0) == 0:
            return np.zeros(0, np.float32)
        noise = np.random.default_rng(seed).standard_normal(len(f0) * VOICE_HOP, dtype=np.float32)
        return self.render(mel, f0, pulses(f0), noise)

    def render(self, mel: np.ndarray, f0: np.ndarray, pulse: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The same from a given pulse train and white noise, (F · 300,) each."""
        (parts,) = self._session.run(None, {"mel": mel[None], "f0": f0[None]})
        return istft(combined(parts[0], pulse, noise))


def combined(parts: np.ndarray, pulse: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Network's (5, F, 601) and both sources (F · 300,) → (F, 601) complex64 spectrum.

    Parts: the pulse filter's real and imaginary part, the noise's magnitude, the rest's real and
    imaginary part.
    """
    spectrum = stft(pulse) * (PULSE_SCALE * _complex(parts[0], parts[1]))
    spectrum += stft(noise) * (NOISE_SCALE * parts[2])
    spectrum += _complex(parts[3], parts[4])
    return spectrum


def _complex(real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
    both = np.empty(real.shape, np.complex64)
    both.real, both.imag = real, imaginary
    return both


def pulses(f0: np.ndarray) -> np.ndarray:
    """(F,) Hz, 0 where unvoiced → (F · 300,) float32: all harmonics below 12 kHz, cosines of amplitude 1.

    The sum over h ≤ H of cos(h t) is sin((H + ½) t) / (2 sin(t / 2)) − ½. Pitch is interpolated between
    frames, across unvoiced ones too; at the edges of voicing the pulses fade over one frame.
    """
    voiced = f0 > 0
    if not voiced.any():
        return np.zeros(len(f0) * VOICE_HOP, np.float32)
    hertz = between_frames(_filled(f0))
    angle = 2 * np.pi * np.modf(np.cumsum(hertz) / VOICE_RATE)[0]
    harmonics = np.floor(VOICE_RATE / 2 / hertz - 0.5) + 0.5
    below = 2 * np.sin(angle / 2)
    peak = np.abs(below) < SINGULAR
    train = np.where(peak, harmonics, np.sin(harmonics * angle) / np.where(peak, 1.0, below)) - 0.5
    return (train * between_frames(voiced.astype(np.float64))).astype(np.float32)


def _filled(f0: np.ndarray) -> np.ndarray:
    """Pitch in unvoiced frames is a straight line between its neighbors."""
    at = np.flatnonzero(f0 > 0)
    return np.interp(np.arange(len(f0)), at, f0[at].astype(np.float64))


def between_frames(values: np.ndarray) -> np.ndarray:
    """(F,) values at samples 0, 300, … → (F · 300,), linear between them, the last one held."""
    following = np.append(values[1:], values[-1])
    share = np.arange(VOICE_HOP) / VOICE_HOP
    return (values[:, None] + (following - values)[:, None] * share).reshape(-1)


def stft(samples: np.ndarray) -> np.ndarray:
    """(F · 300,) → (F, 601) complex64; frame i is centered on sample 300 · i, zeros beyond the ends."""
    padded = np.pad(samples, VOICE_WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, VOICE_WINDOW)[:-1:VOICE_HOP]
    return np.fft.rfft(frames * hann()).astype(np.complex64, copy=False)


def istft(spectrum: np.ndarray) -> np.ndarray:
    """(F, 601) complex → (F · 300,) float32: overlap-add of windowed frames over the windows' power."""
    count = len(spectrum)
    frames = np.fft.irfft(spectrum, VOICE_WINDOW).astype(np.float32, copy=False) * hann()
    frames = frames.reshape(count, OVERLAP, VOICE_HOP)
    power = (hann() ** 2).reshape(OVERLAP, VOICE_HOP)
    total = np.zeros((count + OVERLAP - 1, VOICE_HOP), np.float32)
    weight = np.zeros_like(total)
    for k in range(OVERLAP):
        total[k : k + count] += frames[:, k]
        weight[k : k + count] += power[k]
    first = VOICE_WINDOW // 2
    last = first + count * VOICE_HOP
    return total.reshape(-1)[first:last] / weight.reshape(-1)[first:last]


@lru_cache
def hann() -> np.ndarray:
    """Periodic Hann window, (1200,) float32."""
    return np.hanning(VOICE_WINDOW + 1)[:-1].astype(np.float32)

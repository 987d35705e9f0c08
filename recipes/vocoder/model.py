"""The generator: mel and pitch → what to do with a pulse train and noise → sound.

A ConvNeXt backbone at frame rate and an inverse STFT, as in Vocos (Siuzdak 2023); its head filters a harmonic
source and noise in the STFT domain, which neural source-filter models (Wang et al. 2019) and HiFTNet
(Li et al. 2023) do in time. `voice/tts/vocoder.py` is the same computation without torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recipes.modules import ConvNeXtBlock
from voice.features import VOICE_BANDS, VOICE_HOP, VOICE_RATE, VOICE_WINDOW, mel_filters
from voice.tts.stft import BINS, OVERLAP, hann
from voice.tts.vocoder import NOISE_SCALE, PULSE_SCALE

PARTS = 5  # log |pulse filter|, its phase, log |noise|, log |rest|, its phase
LOUDEST = 6.0  # log-magnitudes stop there, lest one bad step overflows
REST_START = -3.0  # the free part begins e^-3 below the envelope
KERNEL = 7


@dataclass(frozen=True)
class Size:
    """`tiny` runs in tests; `base` has 3.9 M parameters."""

    width: int = 256
    hidden: int = 704
    layers: int = 8

    @property
    def reach(self) -> int:
        """Frames on each side that a frame depends on."""
        return (self.layers + 1) * (KERNEL // 2)


SIZES = {"base": Size(), "tiny": Size(width=32, hidden=64, layers=2)}


class Generator(nn.Module):
    """Keeps the frame rate throughout."""

    spread: Tensor
    offset: Tensor

    def __init__(self, size: Size, plain: bool = False):
        """`plain` has no sources: magnitude and phase of everything are the network's, as in Vocos."""
        super().__init__()
        self.size, self.plain = size, plain
        self.enter = nn.Conv1d(VOICE_BANDS + 2, size.width, KERNEL, padding=KERNEL // 2)
        self.blocks = nn.ModuleList(_block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.leave = nn.Linear(size.width, PARTS * BINS)
        nn.init.normal_(self.leave.weight, std=0.01)
        nn.init.zeros_(self.leave.bias)
        spread, offset = envelope_map()
        self.register_buffer("spread", torch.from_numpy(spread), persistent=False)
        self.register_buffer("offset", torch.from_numpy(offset), persistent=False)
        self.sound = Synthesis()

    def forward(self, mel: Tensor, f0: Tensor, pulse: Tensor, noise: Tensor) -> Tensor:
        """mel [B, 100, F], f0 [B, F] in Hz (0: unvoiced), pulse and noise [B, F · 300] → [B, F · 300]"""
        return self.sound(self.parts(mel, f0), pulse, noise)

    def parts(self, mel: Tensor, f0: Tensor) -> Tensor:
        """mel [B, 100, F], f0 [B, F] → [B, 5, F, 601]: what `voice.tts.vocoder.combined` takes.

        Log-magnitudes are corrections to the envelope that the mel itself spreads over the bins.
        """
        raw = self._head(self._inputs(mel, f0)).float()
        raw = raw.unflatten(2, (PARTS, BINS)).transpose(1, 2)
        envelope = mel.transpose(1, 2) @ self.spread + self.offset  # [B, F, 601]
        pulse = torch.exp((envelope + raw[:, 0]).clamp(max=LOUDEST))
        turn = torch.pi * torch.tanh(raw[:, 1])
        noise = torch.exp((envelope + raw[:, 2]).clamp(max=LOUDEST))
        rest_start = 0.0 if self.plain else REST_START
        rest = torch.exp((envelope + rest_start + raw[:, 3]).clamp(max=LOUDEST))
        if self.plain:
            pulse, noise = torch.zeros_like(pulse), torch.zeros_like(noise)
        return filters(pulse, turn, noise, rest, torch.pi * raw[:, 4])

    def _inputs(self, mel: Tensor, f0: Tensor) -> Tensor:
        """→ [B, 102, F], of about unit scale"""
        voiced = (f0 > 0).to(mel.dtype)
        pitch = torch.log2(f0.clamp(min=50.0) / 200.0) * voiced
        return torch.cat([(mel + 6.0) / 3.0, pitch[:, None], voiced[:, None]], 1)

    def _head(self, x: Tensor) -> Tensor:
        """[B, 102, F] → [B, F, 5 · 601]"""
        x = self.enter(x).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.leave(self.norm(x))


def _block(size: Size) -> ConvNeXtBlock:
    """Return one layer of the backbone."""
    return ConvNeXtBlock(size.width, size.hidden, KERNEL, scale=1.0 / size.layers, gelu="tanh")


def filters(pulse: Tensor, turn: Tensor, noise: Tensor, rest: Tensor, free: Tensor) -> Tensor:
    """Magnitude and angle of the pulse filter, magnitude of the noise, both of the rest, [B, F, 601] each
    → [B, 5, F, 601]: what `voice.tts.vocoder.combined` takes."""
    harmonic, other = (pulse * turn.cos(), pulse * turn.sin()), (rest * free.cos(), rest * free.sin())
    return torch.stack([*harmonic, noise, *other], 1)


class Synthesis(nn.Module):
    """The parts of a spectrum and both sources → sound; holds no weights."""

    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.from_numpy(hann().copy()), persistent=False)

    def forward(self, parts: Tensor, pulse: Tensor, noise: Tensor) -> Tensor:
        """[B, 5, F, 601], [B, F · 300] twice → [B, F · 300]"""
        return self.waveform(self.spectrum(parts, pulse, noise))

    def spectrum(self, parts: Tensor, pulse: Tensor, noise: Tensor) -> Tensor:
        """[B, 5, F, 601], [B, F · 300] twice → [B, F, 601] complex"""
        harmonic = self._stft(pulse * PULSE_SCALE) * torch.complex(parts[:, 0], parts[:, 1])
        noisy = self._stft(noise * NOISE_SCALE) * parts[:, 2]
        return harmonic + noisy + torch.complex(parts[:, 3], parts[:, 4])

    def _stft(self, samples: Tensor) -> Tensor:
        """[B, F · 300] → [B, F, 601] complex, zeros beyond the ends"""
        frames = F.pad(samples, (VOICE_WINDOW // 2, VOICE_WINDOW // 2 - 1)).unfold(1, VOICE_WINDOW, VOICE_HOP)
        return torch.fft.rfft(frames * self.window)

    def waveform(self, spectrum: Tensor) -> Tensor:
        """[B, F, 601] → [B, F · 300], overlap-add in steps of a hop"""
        frames = torch.fft.irfft(spectrum, VOICE_WINDOW) * self.window
        power = (self.window**2).expand(1, frames.shape[1], -1)
        first = VOICE_WINDOW // 2
        kept = slice(first, first + frames.shape[1] * VOICE_HOP)
        return _overlap_add(frames)[:, kept] / _overlap_add(power)[:, kept]


def _overlap_add(frames: Tensor) -> Tensor:
    """Sum frames a hop apart: [B, F, 1200] → [B, (F + 3) · 300]."""
    hops = frames.unflatten(2, (OVERLAP, VOICE_HOP))
    rows = [F.pad(hops[:, :, k], (0, 0, k, OVERLAP - 1 - k)) for k in range(OVERLAP)]
    return torch.stack(rows).sum(0).flatten(1)


def envelope_map() -> tuple[np.ndarray, np.ndarray]:
    """(100, 601), (601,): log-mel @ spread + offset is a log-magnitude for each bin of the STFT.

    A band holds the sum of its filter times the magnitudes, so their mean is that over the filter's sum;
    between the bands' centers the logarithm is interpolated.
    """
    filters = mel_filters(VOICE_RATE, VOICE_WINDOW, VOICE_BANDS).astype(np.float64)
    centers = (filters * np.arange(BINS)).sum(1) / filters.sum(1)
    one_hot = np.eye(VOICE_BANDS)
    spread = np.stack([np.interp(np.arange(BINS), centers, row) for row in one_hot])
    return spread.astype(np.float32), (-np.log(filters.sum(1)) @ spread).astype(np.float32)

"""How far generated speech is from the recording, as spectra of several resolutions hear it.

Multi-resolution STFT loss after Parallel WaveGAN (Yamamoto et al. 2020), with mel spectra of the same
resolutions as in the Descript codec (Kumar et al. 2023).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from voice.features import VOICE_FLOOR, VOICE_RATE, mel_filters

RESOLUTIONS = ((2048, 128), (1200, 100), (512, 64), (256, 32))  # window, mel bands
MEL_WEIGHT = 2.0
LOG_FLOOR = 1e-4


class Spectrum(nn.Module):
    """Magnitudes at one resolution, plain and through mel filters; hop is a quarter of the window."""

    window: Tensor
    filters: Tensor

    def __init__(self, window: int, bands: int):
        super().__init__()
        self.size = window
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        filters = torch.from_numpy(mel_filters(VOICE_RATE, window, bands))
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """[B, T] → magnitudes [B, window / 2 + 1, N], log-mel [B, bands, N]"""
        spectrum = torch.stft(samples, self.size, self.size // 4, window=self.window, return_complex=True)
        magnitudes = torch.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-12)
        return magnitudes, torch.log((self.filters @ magnitudes).clamp(min=VOICE_FLOOR))


class SpectralLoss(nn.Module):
    """Spectral convergence + L1 of log-magnitudes + MEL_WEIGHT · L1 of log-mel, mean over resolutions."""

    def __init__(self, resolutions: Sequence[tuple[int, int]] = RESOLUTIONS):
        super().__init__()
        self.spectra = [Spectrum(window, bands) for window, bands in resolutions]
        self.resolutions = nn.ModuleList(self.spectra)  # so that they move with this module

    def forward(self, made: Tensor, real: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """[B, T] twice → the loss and its terms"""
        terms = torch.stack([_distances(spectrum, made, real) for spectrum in self.spectra]).mean(0)
        convergence, log_magnitude, mel = terms
        parts = {"convergence": convergence, "log": log_magnitude, "mel": mel}
        return convergence + log_magnitude + MEL_WEIGHT * mel, {name: t.detach() for name, t in parts.items()}


def _distances(spectrum: Spectrum, made: Tensor, real: Tensor) -> Tensor:
    """Return spectral convergence, log-magnitude and mel distances of one resolution, (3,)."""
    magnitudes, mel = spectrum(made)
    with torch.no_grad():
        target, target_mel = spectrum(real)
    off = torch.linalg.vector_norm(magnitudes - target, dim=(1, 2))
    convergence = off / (torch.linalg.vector_norm(target, dim=(1, 2)) + 1e-2)
    logs = torch.log(magnitudes.clamp(min=LOG_FLOOR)) - torch.log(target.clamp(min=LOG_FLOOR))
    return torch.stack([convergence.mean(), logs.abs().mean(), (mel - target_mel).abs().mean()])

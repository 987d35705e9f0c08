"""The critics: of folded waveforms (HiFi-GAN, Kong et al. 2020), of spectra (EnCodec, Défossez et al. 2022).

Small enough that a step on one CPU core stays well under a second. `--discriminator hifigan` takes
speechbrain's full-size ones instead, which want a GPU.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from recipes.vocoder.losses import Judgment

PERIODS = (2, 3, 5, 7, 11)
WINDOWS = (2048, 1024, 512)
SLOPE = 0.1
GAIN = 10.0  # brings speech, with an RMS of about 0.05, to the scale that the layers are made for


class PeriodDiscriminator(nn.Module):
    """Sees the waveform folded into rows of `period` samples."""

    def __init__(self, period: int, width: int):
        super().__init__()
        self.period = period
        sizes = [1, width, 2 * width, 4 * width, 8 * width]
        self.layers = nn.ModuleList(convolution(a, b, (5, 1), (3, 1)) for a, b in pairwise(sizes))
        self.last = convolution(sizes[-1], 1, (3, 1))

    def forward(self, samples: Tensor) -> Judgment:
        """[B, T] → scores, features"""
        whole = samples.shape[1] // self.period * self.period
        return _judged(GAIN * samples[:, :whole].unflatten(1, (1, -1, self.period)), self.layers, self.last)


class SpectrumDiscriminator(nn.Module):
    """Sees real and imaginary parts of an STFT, halving the frequency axis layer by layer."""

    def __init__(self, window: int, width: int):
        super().__init__()
        self.size = window
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        sizes = [2, width, 2 * width, 2 * width, 2 * width]
        self.layers = nn.ModuleList(convolution(a, b, (5, 3), (2, 1)) for a, b in pairwise(sizes))
        self.last = convolution(sizes[-1], 1, (3, 3))

    def forward(self, samples: Tensor) -> Judgment:
        """[B, T] → scores, features"""
        samples = samples * (GAIN / self.size**0.5)
        spectrum = torch.stft(samples, self.size, self.size // 4, window=self.window, return_complex=True)
        spectrum = spectrum[:, :-1]  # an even number of bins
        image = torch.stack([spectrum.real, spectrum.imag], 1)
        loudness = torch.sqrt(image.square().sum(1, keepdim=True) + 1e-6)
        return _judged(image / loudness.sqrt(), self.layers, self.last)  # compressed, phase kept


def convolution(
    channels: int, out: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)
) -> nn.Module:
    """Weight-normalized, keeping the size but for the stride, and at first the variance."""
    layer = nn.Conv2d(channels, out, kernel, stride, padding=(kernel[0] // 2, kernel[1] // 2))
    nn.init.kaiming_normal_(layer.weight, SLOPE, nonlinearity="leaky_relu")
    return weight_norm(layer)


def _judged(x: Tensor, layers: nn.ModuleList, last: nn.Module) -> Judgment:
    features = []
    for layer in layers:
        x = F.leaky_relu(layer(x), SLOPE)
        features.append(x)
    return last(x).float(), features


class Discriminators(nn.Module):
    """Several critics as one: [B, T] → one judgment each."""

    def __init__(self, critics: list[nn.Module]):
        super().__init__()
        self.critics = nn.ModuleList(critics)

    def forward(self, samples: Tensor) -> list[Judgment]:
        return [critic(samples) for critic in self.critics]


class SpeechBrainDiscriminators(nn.Module):
    """speechbrain's HiFi-GAN critics (multi-period and multi-scale, 71 M parameters)."""

    def __init__(self) -> None:
        super().__init__()
        from speechbrain.lobes.models.HifiGAN import HifiganDiscriminator

        self.critics = HifiganDiscriminator()

    def forward(self, samples: Tensor) -> list[Judgment]:
        scores, features = self.critics(samples[:, None])
        return [(score.float(), layers[:-1]) for score, layers in zip(scores, features, strict=True)]


def discriminators(kind: str, width: int = 16) -> nn.Module:
    """`kind`: "small" or "hifigan"; `width`: channels of the small ones' first layer."""
    if kind == "hifigan":
        return SpeechBrainDiscriminators()
    periods = [PeriodDiscriminator(period, width) for period in PERIODS]
    return Discriminators(periods + [SpectrumDiscriminator(window, width) for window in WINDOWS])

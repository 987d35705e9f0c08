"""What brings drawn spectra to life: regression draws the mean of all that might be said, which sounds dull.

`Refiner` adds to it what flow matching (Lipman et al. 2023; in speech: Matcha-TTS, Mehta et al. 2024) has learned of the
rest, in a few steps from noise. `MelCritic` is a discriminator of spectra, as in GANSpeech (Yang et al. 2021): it costs
nothing when speaking.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from recipes.tts.corpus import Batch
from recipes.vocoder.discriminators import SLOPE, convolution
from recipes.vocoder.losses import Judgment
from voice.features import VOICE_BANDS

REST = 0.35  # about the standard deviation of what regression leaves over, in units of the mel's spread
WAVES = 8  # sines and cosines of the time
EXCERPT = 128  # frames that the critic sees of each example


class Refiner(nn.Module):
    """The velocity (B, F, C) at which noise becomes what was said."""

    def __init__(self, blocks: nn.Module, width: int, channels: int):
        super().__init__()
        self.enter = nn.Linear(channels, width)
        self.time = nn.Linear(2 * WAVES, width)
        self.given = nn.Linear(width, width)
        self.blocks = blocks
        self.leave = nn.Linear(width, channels)

    def forward(
        self, noisy: torch.Tensor, time: torch.Tensor, given: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """noisy (B, F, C), time (B,) between 0, noise, and 1; given (B, F, width) what is known."""
        angles = time[:, None] * torch.pi * torch.arange(1, WAVES + 1, device=time.device) / 2
        now = self.time(torch.cat([angles.sin(), angles.cos()], -1))[:, None]
        return self.leave(self.blocks(self.enter(noisy) + self.given(given) + now, mask))

    def drawn(self, noise: torch.Tensor, given: torch.Tensor, mask: torch.Tensor, steps: int) -> torch.Tensor:
        """Noise (B, F, C) → what it becomes, by Euler's method."""
        x = noise
        for step in range(steps):
            time = torch.full_like(noise[:, 0, 0], step / steps)
            x = x + self(x, time, given, mask).float() / steps
        return x

    def loss(self, wanted: torch.Tensor, given: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mean squared error of the velocity towards `wanted` (B, F, C) at random times."""
        noise, time = torch.randn_like(wanted), torch.rand_like(wanted[:, 0, 0])
        noisy = torch.lerp(noise, wanted, time[:, None, None])
        wrong = self(noisy, time, given, mask).float() - (wanted - noise)
        return (wrong.square().mean(-1) * mask[..., 0]).sum() / mask.sum()


def flow_loss(
    refiner: Refiner, drawn: torch.Tensor, inside: torch.Tensor, batch: Batch, mel_spread: torch.Tensor
) -> torch.Tensor:
    """Of what regression left over; `drawn` (B, F, 100), `inside` (B, F, width)."""
    rest = (batch.mel - drawn.detach()) / (REST * mel_spread)
    return refiner.loss(rest, inside.detach(), batch.frame_mask)


class MelCritic(nn.Module):
    """Judges patches of a mel spectrum."""

    def __init__(self, width: int = 24):
        super().__init__()
        sizes = [1, width, 2 * width, 3 * width, 3 * width]
        strides = [(1, 2), (2, 2), (2, 2), (1, 1)]
        self.layers = nn.ModuleList(
            convolution(a, b, (5, 5), stride) for (a, b), stride in zip(pairwise(sizes), strides, strict=True)
        )
        self.last = convolution(sizes[-1], 1, (3, 3))

    def forward(self, mel: torch.Tensor) -> list[Judgment]:
        """(B, F, 100) in standard deviations → scores, features"""
        x, features = mel[:, None], []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return [(self.last(x).float(), features)]


def excerpts(drawn: torch.Tensor, batch: Batch, mean: torch.Tensor, spread: torch.Tensor, step: int):
    """(B, ≤ EXCERPT, 100) twice, drawn and true, in standard deviations; silence where an example is over."""
    shortest = int(batch.frame_mask.sum(1).min())
    length = min(EXCERPT, shortest)
    first = step * 7919 % (shortest - length + 1)
    kept = slice(first, first + length)
    return tuple((mel[:, kept] - mean) / spread for mel in (drawn, batch.mel))

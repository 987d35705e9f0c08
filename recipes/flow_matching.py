"""Flow matching (Lipman et al. 2023; in speech: Matcha-TTS, Mehta et al. 2024).

From noise to what might be said, in a few steps, where regression would give the mean of it.
"""

from __future__ import annotations

import torch
from torch import nn

WAVES = 8  # sines and cosines of the time


class Flow(nn.Module):
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

    def sample(
        self, noise: torch.Tensor, given: torch.Tensor, mask: torch.Tensor, steps: int
    ) -> torch.Tensor:
        """Integrate from noise (B, F, C) to a sample (B, F, C) by Euler's method."""
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

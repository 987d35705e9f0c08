"""What several recipes build their networks of."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

WAVES = 8  # sines and cosines of the time of a flow


@dataclass(frozen=True)
class BlockNames:
    """What the parts of a ConvNeXt block are called among stored weights, where shipped models have them."""

    depthwise: str = "depthwise"
    norm: str = "norm"
    widen: str = "widen"
    narrow: str = "narrow"
    scale: str = "scale"


class ConvNeXtBlock(nn.Module):
    """ConvNeXt (Liu et al. 2022) in one dimension: a depthwise convolution along time, then two layers at
    each moment, scaled and added to the input."""

    def __init__(
        self, width: int, hidden: int, kernel: int, *, scale: float, dropout: float = 0.0,
        gelu: str = "none", names: BlockNames = BlockNames(),
    ):  # fmt: skip
        """`scale`: what the layer scale begins with; `gelu`: how the activation is computed, "none" (exactly)
        or "tanh"."""
        super().__init__()
        self.names, self.gelu = names, gelu
        convolution = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.add_module(names.depthwise, convolution)
        self.add_module(names.norm, nn.LayerNorm(width))
        self.add_module(names.widen, nn.Linear(width, hidden))
        self.add_module(names.narrow, nn.Linear(hidden, width))
        self.register_parameter(names.scale, nn.Parameter(torch.full((width,), scale)))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None, tone: Tensor | None = None) -> Tensor:
        """(B, T, C) → (B, T, C). `mask` (B, T, 1) hides moments from their neighbors; `tone` (B, 2, C) scales
        and shifts what is normalized."""
        names = self.names
        depthwise, norm = getattr(self, names.depthwise), getattr(self, names.norm)
        widen, narrow = getattr(self, names.widen), getattr(self, names.narrow)
        shown = x if mask is None else x * mask
        y = norm(depthwise(shown.transpose(1, 2)).transpose(1, 2))
        if tone is not None:
            y = y * (1 + tone[:, :1]) + tone[:, 1:]
        y = narrow(functional.gelu(widen(y), approximate=self.gelu))
        return x + self.dropout(getattr(self, names.scale) * y)


class Flow(nn.Module):
    """The velocity (B, F, C) at which noise becomes what was said; regression would give the mean of it.

    Flow matching: Lipman et al. 2023; in speech Matcha-TTS, Mehta et al. 2024.
    """

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

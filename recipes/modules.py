"""What several recipes build their networks of."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


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

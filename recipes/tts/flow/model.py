"""Symbols → a mel spectrum and a pitch curve, by flow matching: an acoustic model after Matcha-TTS.

An encoder reads the symbols; a predictor says how many frames each takes; spread over these frames, its
output gives a mean spectrum, and the ordinary differential equation of a flow leads from noise to a sample
around that mean (Mehta et al. 2024, Matcha-TTS; Lipman et al. 2023 for the flow and its optimal-transport
path). Unlike there, lengths come from the alignment of `recipes/tts/prepare.py`, the networks are ConvNeXt
blocks, and two channels beside the mel are the pitch and the voicing that our vocoder is driven by.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recipes.modules import Flow
from recipes.tts.flow.batches import Batch
from recipes.tts.model import Blocks
from recipes.tts.sounds import Size, TextModel
from voice.tts.flow_matching import CHANNELS
from voice.tts.frames import FEATURES

TEXT_KERNEL, KERNEL = 5, 7


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; stored with its weights."""

    speakers: tuple[str, ...]
    text: int = 128  # width of the encoder
    text_blocks: int = 2
    rounds: int = 4  # of its attention layer
    heads: int = 2
    predictor: int = 2  # blocks that predict lengths
    width: int = 256  # of the flow
    blocks: int = 6
    dropout: float = 0.1

    @property
    def encoder(self) -> Size:
        """Return the size of the encoder, which is the one of `recipes/tts/sounds.py`."""
        return Size(self.speakers, self.text, self.text_blocks, self.rounds, self.heads)


class FlowModel(nn.Module):
    """Everything that is trained: encoder, lengths, mean and flow."""

    center: Tensor
    spread: Tensor

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.text = TextModel(shape.encoder)
        self.predictor = Blocks(shape.predictor, shape.text, 2, TEXT_KERNEL, shape.dropout)
        self.length = nn.Linear(shape.text, 1)
        known = shape.text + FEATURES
        self.mean = nn.Sequential(nn.Linear(known, shape.width), nn.GELU(), nn.Linear(shape.width, CHANNELS))
        self.given = nn.Linear(known + CHANNELS, shape.width)
        blocks = Blocks(shape.blocks, shape.width, 3, KERNEL, shape.dropout)
        self.flow = Flow(blocks, shape.width, CHANNELS)
        self.register_buffer("center", torch.zeros(CHANNELS))
        self.register_buffer("spread", torch.ones(CHANNELS))

    def set_range(self, frames: Tensor) -> None:
        """Take mean and standard deviation of each channel from (N, CHANNELS) frames of the training data."""
        self.center.copy_(frames.mean(0))
        self.spread.copy_(frames.std(0).clamp(min=1e-3))

    def encode(self, tokens: Tensor, speaker: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """tokens (B, L), speaker (B,), mask (B, L, 1) → what is known of each symbol (B, L, text) and the
        logarithm of one plus its frames (B, L).

        The predictor teaches the encoder nothing, as in Matcha-TTS: lengths are soon learned by heart.
        """
        hidden = self.text(tokens, speaker, mask)
        return hidden, self.length(self.predictor(hidden.detach(), mask))[..., 0]

    def sample(self, hidden: Tensor, features: Tensor, noise: Tensor, mask: Tensor, steps: int) -> Tensor:
        """Return (B, F, CHANNELS) frames: the flow from noise (B, F, CHANNELS), in `steps` steps of Euler's.

        hidden (B, F, text) of each frame's symbol; features (B, F, FEATURES); mask (B, F, 1).
        """
        mean, given = self._condition(hidden, features)
        return self.flow.sample(noise, given, mask, steps) * self.spread + self.center

    def _condition(self, hidden: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean (B, F, CHANNELS), scaled, and what the flow is given (B, F, width)."""
        known = torch.cat([hidden, features], -1)
        mean = self.mean(known)
        return mean, self.given(torch.cat([known, mean], -1))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of lengths, mean and flow; each is a mean square in standard deviations."""
        hidden, lengths = self.encode(batch.tokens, batch.speaker, batch.token_mask)
        frames = hidden.gather(1, batch.index[..., None].expand(-1, -1, hidden.shape[-1]))
        mean, given = self._condition(frames, batch.features)
        wanted = (batch.wanted - self.center) / self.spread
        wrong = (lengths.float() - torch.log1p(batch.durations.float())).square()
        return {
            "duration": _mean(wrong, batch.token_mask[..., 0]),
            "mean": _mean((mean.float() - wanted).square().mean(-1), batch.frame_mask[..., 0]),
            "flow": self.flow.loss(wanted, given, batch.frame_mask),
        }


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum()

"""Prosody: symbols → how long, high and loud each is, and from that how high and loud each frame is, and if
voiced.

ConvNeXt blocks (Liu et al. 2022; in speech: Siuzdak 2023, Vocos) where FastSpeech 2 (Ren et al. 2021) has
transformers, which learn slower from an hour of speech. `ProsodyModel` and `CurveModel` are trained by
`train_prosody.py`; what lies between them, making lengths, is `voice.tts.frames.frame_features`, in
training and at run time alike. How it then sounds is `sounds.py`'s part.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from recipes.modules import BlockNames, ConvNeXtBlock, Flow
from recipes.tts.corpus import Batch
from voice.text.alphabet import SYMBOLS
from voice.tts.frames import FEATURES, LOUDNESS, PITCH

PLACES = 3
MELODY_BLOCKS = 3
MELODY_STEPS = 4
NOISES = 512  # tokens until the noise repeats
CURVES = 3  # per frame: pitch, loudness, voicing
KERNEL = 7  # frames that a block of curves sees
NAMES = BlockNames(depthwise="along", widen="up", narrow="down")  # as checkpoints have it


@dataclass(frozen=True)
class Shape:
    """Sizes of both models; stored with their weights."""

    speakers: tuple[str, ...]
    width: int = 128
    predictor: int = 4  # blocks of prosody
    encoder: int = 2  # blocks of curves, over symbols
    decoder: int = 3  # over frames
    dropout: float = 0.25


class Blocks(nn.Module):
    """(B, T, C) → (B, T, C): ConvNeXt blocks one after the other, then a norm."""

    def __init__(self, count: int, width: int, expansion: int, kernel: int, dropout: float):
        super().__init__()
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(width, expansion * width, kernel, scale=0.2, dropout=dropout, names=NAMES)
            for _ in range(count)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x) * mask


class ProsodyModel(nn.Module):
    """How long, high and loud each token is: of the symbols alone, so that it can stop learning before the
    rest does.

    Small, with much dropout: an hour of a speaker is enough to learn sounds by heart, not melodies.
    """

    noise: torch.Tensor

    def __init__(self, shape: Shape):
        super().__init__()
        width = shape.width
        self.symbols = nn.Embedding(len(SYMBOLS), width)
        self.speakers = nn.Embedding(len(shape.speakers), width)
        for embedding in (self.symbols, self.speakers):
            nn.init.normal_(embedding.weight, std=0.3)
        self.places = nn.Linear(PLACES, width)
        self.near = Blocks(shape.predictor // 2, width, 2, 9, shape.dropout)
        self.whole = nn.Linear(width, width)
        self.far = Blocks(shape.predictor - shape.predictor // 2, width, 2, 9, shape.dropout)
        self.dropout = nn.Dropout(shape.dropout)
        self.heads = nn.Linear(width, 3)
        self.flow = Flow(Blocks(MELODY_BLOCKS, width, 2, 9, 0.1), width, 3)
        self.register_buffer("noise", torch.zeros(NOISES, 3))  # scaled by the export; zeros are the likeliest

    def forward(self, tokens: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """tokens (B, L), speaker (B,), mask (B, L, 1) → (B, L, 3) duration, pitch, energy: their means."""
        return self.heads(self.inside(tokens, speaker, mask))

    def inside(self, tokens: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """→ (B, L, width) what is known of each token."""
        voice = self.speakers(speaker)[:, None]
        x = self.near(self.dropout(self.symbols(tokens)) + voice + self.places(_places(mask)), mask)
        everywhere = (x * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        return self.far(x + self.whole(everywhere) + voice, mask)

    def loss(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Of the means, and of the flow that says how speech departs from them."""
        wanted = torch.stack([torch.log1p(batch.durations.float()), batch.pitch, batch.energy], -1)
        inside, mask = self.inside(batch.tokens, batch.speaker, batch.token_mask), batch.token_mask
        wrong = ((self.heads(inside).float() - wanted) ** 2 * mask).sum((0, 1)) / mask.sum()
        parts = dict(zip(("duration", "pitch", "energy"), wrong, strict=True))
        return parts | {"flow": self.flow.loss(wanted, inside, mask)}

    def sample(self, tokens: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return (B, L, 3) of a sample: the flow from the noise kept for each place, the same every time."""
        inside = self.inside(tokens, speaker, mask)
        places = torch.arange(tokens.shape[1], device=tokens.device) % NOISES
        return self.flow.sample(self.noise[places].expand(len(tokens), -1, -1), inside, mask, MELODY_STEPS)


def _places(mask: torch.Tensor) -> torch.Tensor:
    """(B, L, 1) → (B, L, PLACES): the share of the sentence that is over, and how near its two ends are."""
    place, count = mask.cumsum(1) - 0.5, mask.sum(1, keepdim=True)
    start, end = (place / 30).clamp(max=1.0), ((count - place) / 30).clamp(0.0, 1.0)
    return torch.cat([place / count, start, end], -1) * mask


class CurveModel(nn.Module):
    """Fine pitch, loudness and voicing, given each symbol's own."""

    def __init__(self, shape: Shape):
        super().__init__()
        width = shape.width
        self.symbols = nn.Embedding(len(SYMBOLS), width)
        self.speakers = nn.Embedding(len(shape.speakers), width)
        for embedding in (self.symbols, self.speakers):
            nn.init.normal_(embedding.weight, std=0.3)
        self.encoder = Blocks(shape.encoder, width, 2, KERNEL, shape.dropout / 2)
        self.features = nn.Linear(FEATURES, width)
        self.decoder = Blocks(shape.decoder, width, 2, KERNEL, 0.0)
        self.head = nn.Linear(width, CURVES)

    @property
    def reach(self) -> int:
        """Frames on each side that a frame depends on."""
        return len(self.decoder.blocks) * (KERNEL // 2)

    def hidden_states(self, tokens: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Encode tokens (B, L) of speaker (B,) with mask (B, L, 1) → (B, L, width)."""
        voice = self.speakers(speaker)[:, None]
        return self.encoder(self.symbols(tokens) + voice, mask) + voice

    def forward(self, hidden: torch.Tensor, features: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """hidden (B, F, width) of each frame's token, features (B, F, FEATURES), mask (B, F, 1) → (B, F,
        CURVES).

        Pitch and loudness, in the speaker's standard deviations, are those in `features` plus a correction;
        voicing is a logit.
        """
        drawn = self.head(self.decoder(hidden + self.features(features), mask)).float()
        given = torch.stack(
            [features[..., PITCH], features[..., LOUDNESS], torch.zeros_like(features[..., 0])], -1
        )
        return drawn + given

    def loss(self, batch: Batch) -> dict[str, torch.Tensor]:
        hidden = self.hidden_states(batch.tokens, batch.speaker, batch.token_mask)
        hidden = hidden.gather(1, batch.index[..., None].expand(-1, -1, hidden.shape[-1]))
        pitch, loud, voicing = self(hidden, batch.features, batch.frame_mask).unbind(-1)
        frames = batch.frame_mask[..., 0]
        switch = functional.binary_cross_entropy_with_logits(voicing, batch.voiced, reduction="none")
        return {
            "curve": _mean((pitch - batch.curve).abs(), batch.voiced * frames),
            "loudness": _mean((loud - batch.loud).abs(), frames),
            "voicing": _mean(switch, frames),
        }


class SpeakingModel(nn.Module):
    """Both, as they are trained and exported: side by side, nothing shared."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.prosody, self.curves = ProsodyModel(shape), CurveModel(shape)

    def loss(self, batch: Batch) -> dict[str, torch.Tensor]:
        return self.prosody.loss(batch) | self.curves.loss(batch)


def _mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1.0)

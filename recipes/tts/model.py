"""The acoustic model: tokens → durations, pitch, energy → mel and F0, all frames at once.

After FastSpeech 2 (Ren et al. 2021), with ConvNeXt blocks (Liu et al. 2022; in speech: Siuzdak
2023, Vocos) in place of transformers, which learn slower from an hour of speech. `SentenceModel`
and `FrameModel` are the two graphs that get exported; what lies between them, making lengths, is
`voice.tts.acoustic.frame_features`, in training and at run time alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from recipes.tts.corpus import Batch
from voice.features import VOICE_BANDS
from voice.tts.acoustic import FEATURES, SYMBOLS


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; stored with its weights."""

    speakers: tuple[str, ...]
    width: int = 192
    expansion: int = 3
    encoder: int = 4  # blocks
    predictor: int = 4
    decoder: int = 6
    kernel: int = 7
    dropout: float = 0.1  # of what is computed per token
    prosody_width: int = 128
    prosody_dropout: float = 0.25


@dataclass(frozen=True, eq=False)
class Sentence:
    """What the text says, per token."""

    hidden: torch.Tensor  # (B, L, width)
    duration: torch.Tensor  # (B, L) log(1 + frames)
    pitch: torch.Tensor  # (B, L) in the speaker's standard deviations
    energy: torch.Tensor  # (B, L)


@dataclass(frozen=True, eq=False)
class Frames:
    """What is drawn, per frame."""

    mel: torch.Tensor  # (B, F, 100) natural log
    curve: torch.Tensor  # (B, F) pitch in the speaker's standard deviations
    voicing: torch.Tensor  # (B, F) logit


class Block(nn.Module):
    """(B, T, C) → (B, T, C): a wide look along time, then two layers at each moment."""

    def __init__(self, width: int, expansion: int, kernel: int, dropout: float):
        super().__init__()
        self.along = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, width * expansion)
        self.down = nn.Linear(width * expansion, width)
        self.scale = nn.Parameter(torch.full((width,), 0.2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        inner = self.along((x * mask).transpose(1, 2)).transpose(1, 2)
        inner = self.down(functional.gelu(self.up(self.norm(inner))))
        return x + self.dropout(self.scale * inner)


class Blocks(nn.Module):
    def __init__(self, count: int, width: int, expansion: int, kernel: int, dropout: float):
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, expansion, kernel, dropout) for _ in range(count))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x) * mask


class ProsodyModel(nn.Module):
    """How long, high and loud each token is: of the symbols alone, so that it can stop learning before the rest does.

    Small, with much dropout: an hour of a speaker is enough to learn sounds by heart, not melodies.
    """

    def __init__(self, shape: Shape):
        super().__init__()
        width = shape.prosody_width
        self.symbols = nn.Embedding(len(SYMBOLS), width)
        self.speakers = nn.Embedding(len(shape.speakers), width)
        for embedding in (self.symbols, self.speakers):
            nn.init.normal_(embedding.weight, std=0.3)
        self.places = nn.Linear(PLACES, width)
        self.near = Blocks(shape.predictor // 2, width, 2, 9, shape.prosody_dropout)
        self.whole = nn.Linear(width, width)
        self.far = Blocks(shape.predictor - shape.predictor // 2, width, 2, 9, shape.prosody_dropout)
        self.dropout = nn.Dropout(shape.prosody_dropout)
        self.heads = nn.Linear(width, 3)

    def forward(self, tokens: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """tokens (B, L), speaker (B,), mask (B, L, 1) → (B, L, 3) duration, pitch, energy."""
        voice = self.speakers(speaker)[:, None]
        x = self.near(self.dropout(self.symbols(tokens)) + voice + self.places(_places(mask)), mask)
        everywhere = (x * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        return self.heads(self.far(x + self.whole(everywhere) + voice, mask))


PLACES = 3


def _places(mask: torch.Tensor) -> torch.Tensor:
    """(B, L, 1) → (B, L, PLACES): the share of the sentence that is over, and how near its two ends are."""
    place, count = mask.cumsum(1) - 0.5, mask.sum(1, keepdim=True)
    start, end = (place / 30).clamp(max=1.0), ((count - place) / 30).clamp(0.0, 1.0)
    return torch.cat([place / count, start, end], -1) * mask


class SentenceModel(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.symbols = nn.Embedding(len(SYMBOLS), shape.width)
        self.speakers = nn.Embedding(len(shape.speakers), shape.width)
        for embedding in (self.symbols, self.speakers):
            nn.init.normal_(embedding.weight, std=0.3)
        self.encoder = Blocks(shape.encoder, shape.width, shape.expansion, shape.kernel, shape.dropout)
        self.prosody = ProsodyModel(shape)

    def forward(self, tokens: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> Sentence:
        """tokens (B, L), speaker (B,), mask (B, L, 1)."""
        voice = self.speakers(speaker)[:, None]
        hidden = self.encoder(self.symbols(tokens) + voice, mask) + voice
        duration, pitch, energy = self.prosody(tokens, speaker, mask).float().unbind(-1)
        return Sentence(hidden, duration, pitch, energy)


class FrameModel(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.features = nn.Linear(FEATURES, shape.width)
        self.decoder = Blocks(shape.decoder, shape.width, shape.expansion, shape.kernel, 0.0)
        self.head = nn.Linear(shape.width, VOICE_BANDS + 2)
        self.register_buffer("mel_mean", torch.zeros(VOICE_BANDS))
        self.register_buffer("mel_spread", torch.ones(VOICE_BANDS))

    def forward(self, hidden: torch.Tensor, features: torch.Tensor, mask: torch.Tensor) -> Frames:
        """hidden (B, F, width) of each frame's token, features (B, F, FEATURES), mask (B, F, 1).

        The drawn pitch curve is the one in `features` plus a correction.
        """
        drawn = self.head(self.decoder(hidden + self.features(features), mask)).float()
        mel = drawn[..., :VOICE_BANDS] * self.mel_spread + self.mel_mean
        curve = drawn[..., VOICE_BANDS] + features[..., FEATURES - 2]
        return Frames(mel, curve, drawn[..., VOICE_BANDS + 1])


class AcousticModel(nn.Module):
    """Both, as they are trained: with the true lengths, pitch and energy between them."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.sentence = SentenceModel(shape)
        self.frames = FrameModel(shape)

    def forward(self, batch: Batch) -> tuple[Sentence, Frames]:
        said = self.sentence(batch.tokens, batch.speaker, batch.token_mask)
        index = batch.index[..., None].expand(-1, -1, said.hidden.shape[-1])
        hidden = said.hidden.gather(1, index)
        return said, self.frames(hidden, batch.features, batch.frame_mask)


def losses(said: Sentence, drawn: Frames, batch: Batch, mel_spread: torch.Tensor) -> dict[str, torch.Tensor]:
    """Each part of the loss, averaged over what is there."""
    mask = batch.frame_mask
    tokens, frames = batch.token_mask[..., 0], mask[..., 0]
    voiced = batch.voiced * frames
    wanted, got = batch.mel / mel_spread, drawn.mel / mel_spread
    switch = functional.binary_cross_entropy_with_logits(drawn.voicing, batch.voiced, reduction="none")
    return {
        "mel": _mean((got - wanted).abs().mean(-1), frames),
        "blur": _dissimilarity(got * mask, wanted * mask) * frames.numel() / frames.sum(),
        "duration": _mean((said.duration - torch.log1p(batch.durations.float())) ** 2, tokens),
        "pitch": _mean((said.pitch - batch.pitch) ** 2, tokens),
        "energy": _mean((said.energy - batch.energy) ** 2, tokens),
        "curve": _mean((drawn.curve - batch.curve).abs(), voiced),
        "voicing": _mean(switch, frames),
    }


WEIGHTS = {
    "mel": 2.0, "blur": 1.0, "duration": 1.0, "pitch": 0.3, "energy": 0.3, "curve": 0.5, "voicing": 0.5,
}  # fmt: skip


def total(parts: dict[str, torch.Tensor]) -> torch.Tensor:
    return sum(WEIGHTS[name] * part for name, part in parts.items())


def _mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1.0)


def _dissimilarity(a: torch.Tensor, b: torch.Tensor, size: int = 7, stride: int = 3) -> torch.Tensor:
    """(B, F, 100) twice → one minus the mean structural similarity (Wang et al. 2004) of square windows.

    Sensitive to contrast, which an absolute difference alone lets blur away.
    """
    x, y = a[:, None], b[:, None]
    products = torch.cat([x, y, x * x, y * y, x * y], 1)
    mean_x, mean_y, xx, yy, xy = functional.avg_pool2d(products, size, stride).unbind(1)
    variance_x, variance_y, covariance = xx - mean_x**2, yy - mean_y**2, xy - mean_x * mean_y
    means = (2 * mean_x * mean_y + 0.1) / (mean_x**2 + mean_y**2 + 0.1)
    return 1.0 - (means * (2 * covariance + 0.1) / (variance_x + variance_y + 0.1)).mean()

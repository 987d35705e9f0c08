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
from recipes.tts.finish import REST, Refiner
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
    refiner: int = 0  # blocks of the flow that sharpens what is drawn


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
    inside: torch.Tensor  # (B, F, width) what they were drawn from


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
        self.flow = Refiner(Blocks(MELODY_BLOCKS, width, 2, 9, 0.1), width, 3)
        self.register_buffer("noise", torch.zeros(NOISES, 3))  # scaled by the export; zeros speak with means alone

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

    def said(self, tokens: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(B, L, 3) as one might say it: the flow from the noise kept for each place, the same every time."""
        inside = self.inside(tokens, speaker, mask)
        places = torch.arange(tokens.shape[1], device=tokens.device) % NOISES
        return self.flow.drawn(self.noise[places].expand(len(tokens), -1, -1), inside, mask, MELODY_STEPS)


PLACES = 3
MELODY_BLOCKS = 3
MELODY_STEPS = 6
NOISES = 512  # tokens until the noise repeats


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
        duration, pitch, energy = self.prosody.said(tokens, speaker, mask).unbind(-1)
        return Sentence(self.hidden(tokens, speaker, mask), duration, pitch, energy)

    def hidden(self, tokens: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """→ (B, L, width) what each token sounds like here."""
        voice = self.speakers(speaker)[:, None]
        return self.encoder(self.symbols(tokens) + voice, mask) + voice


class FrameModel(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.features = nn.Linear(FEATURES, shape.width)
        self.decoder = Blocks(shape.decoder, shape.width, shape.expansion, shape.kernel, 0.0)
        self.head = nn.Linear(shape.width, VOICE_BANDS + 2)
        if shape.refiner:
            blocks = Blocks(shape.refiner, shape.width, 2, shape.kernel, 0.0)
            self.refiner = Refiner(blocks, shape.width, VOICE_BANDS)
        self.register_buffer("mel_mean", torch.zeros(VOICE_BANDS))
        self.register_buffer("mel_spread", torch.ones(VOICE_BANDS))

    def forward(self, hidden: torch.Tensor, features: torch.Tensor, mask: torch.Tensor) -> Frames:
        """hidden (B, F, width) of each frame's token, features (B, F, FEATURES), mask (B, F, 1).

        The drawn pitch curve is the one in `features` plus a correction.
        """
        inside = self.decoder(hidden + self.features(features), mask)
        drawn = self.head(inside).float()
        mel = drawn[..., :VOICE_BANDS] * self.mel_spread + self.mel_mean
        curve = drawn[..., VOICE_BANDS] + features[..., FEATURES - 2]
        return Frames(mel, curve, drawn[..., VOICE_BANDS + 1], inside)

    def refined(self, drawn: Frames, noise: torch.Tensor, mask: torch.Tensor, steps: int) -> torch.Tensor:
        """(B, F, 100): the mel with the rest that the flow makes of `noise`."""
        return drawn.mel + REST * self.mel_spread * self.refiner.drawn(noise, drawn.inside, mask, steps)


class AcousticModel(nn.Module):
    """Both, as they are trained: with the true lengths, pitch and energy between them."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.sentence = SentenceModel(shape)
        self.frames = FrameModel(shape)

    def forward(self, batch: Batch) -> Frames:
        hidden = self.sentence.hidden(batch.tokens, batch.speaker, batch.token_mask)
        index = batch.index[..., None].expand(-1, -1, hidden.shape[-1])
        return self.frames(hidden.gather(1, index), batch.features, batch.frame_mask)


def losses(drawn: Frames, batch: Batch, mel_spread: torch.Tensor) -> dict[str, torch.Tensor]:
    """Each part of the loss, averaged over what is there."""
    mask = batch.frame_mask
    frames = mask[..., 0]
    wanted, got = batch.mel / mel_spread, drawn.mel / mel_spread
    switch = functional.binary_cross_entropy_with_logits(drawn.voicing, batch.voiced, reduction="none")
    return {
        "mel": _mean((got - wanted).abs().mean(-1), frames),
        "blur": _dissimilarity(got * mask, wanted * mask) * frames.numel() / frames.sum(),
        "curve": _mean((drawn.curve - batch.curve).abs(), batch.voiced * frames),
        "voicing": _mean(switch, frames),
    }


WEIGHTS = {"mel": 2.0, "blur": 1.0, "curve": 0.5, "voicing": 0.5}


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

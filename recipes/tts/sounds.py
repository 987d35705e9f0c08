"""The sounds of a voice: phonemes, pitch and loudness → what to do with a pulse train and noise → speech.

One network from phonemes to a spectrum, without a mel between that would have to be guessed. Its form is that
of hibari's voice (Apache-2.0): two ConvNeXt blocks and one shared attention layer over the sentence, eight
ConvNeXt blocks over its frames. `warm.py` brings that voice's weights, so that a new one begins where a good
one is; here each speaker has vectors of its own, which begin at zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from recipes.modules import BlockNames, ConvNeXtBlock
from recipes.vocoder.model import PARTS, filters
from voice.text.alphabet import SYMBOLS
from voice.tts.stft import BINS

LOUD = (1.761, 6.844)  # times the logarithm of a mel frame's amplitude, plus that: loudness as hibari has it
MAGNITUDES = (0, 2, 3)  # the places of the logarithms among the PARTS
LOUDEST = 7.0  # log-magnitudes stop there, lest one bad step overflows
KERNEL, TEXT_KERNEL = 7, 5
NAMES = BlockNames("dw", "norm", "pw1", "pw2", "gamma")


@dataclass(frozen=True)
class Size:
    """Of the network; stored with its weights. Only the defaults can start from hibari's voice."""

    speakers: tuple[str, ...]
    text: int = 128
    text_blocks: int = 2
    rounds: int = 4  # of the one attention layer
    heads: int = 2
    width: int = 256
    hidden: int = 768
    blocks: int = 8

    @property
    def reach(self) -> int:
        """Frames on each side that a frame depends on."""
        return (self.blocks + 1) * (KERNEL // 2)


def _block(width: int, hidden: int, kernel: int) -> ConvNeXtBlock:
    """Return one of the network's blocks, whose parts are called as hibari's are."""
    return ConvNeXtBlock(width, hidden, kernel, scale=0.2, names=NAMES)


class Attention(nn.Module):
    """A transformer layer that normalizes first; several rounds share its weights (as in ALBERT)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.linear1, self.linear2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """(B, L, C), (B, 1, 1, L) very low where nothing is → (B, L, C)"""
        parts = self.qkv(self.norm1(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        weights = torch.softmax(query @ key.transpose(2, 3) / query.shape[-1] ** 0.5 + bias, -1)
        x = x + self.out((weights @ value).transpose(1, 2).flatten(2))
        return x + self.linear2(functional.gelu(self.linear1(self.norm2(x))))


class TextModel(nn.Module):
    """What each symbol of a sentence sounds like where it stands."""

    def __init__(self, size: Size):
        super().__init__()
        self.rounds = size.rounds
        self.emb = nn.Embedding(len(SYMBOLS), size.text)
        self.speakers = nn.Embedding(len(size.speakers), size.text)
        self.convs = nn.ModuleList(
            _block(size.text, 2 * size.text, TEXT_KERNEL) for _ in range(size.text_blocks)
        )
        self.attn = Attention(size.text, size.heads)
        self.norm = nn.LayerNorm(size.text)
        nn.init.zeros_(self.speakers.weight)

    def forward(self, tokens: Tensor, speaker: Tensor, mask: Tensor) -> Tensor:
        """tokens (B, L), speaker (B,), mask (B, L, 1) → (B, L, text)"""
        x = self.emb(tokens) + self.speakers(speaker)[:, None]
        for block in self.convs:
            x = block(x * mask)
        bias = ((mask - 1) * 1e4).transpose(1, 2)[:, None]
        for _ in range(self.rounds):
            x = self.attn(x, bias)
        return self.norm(x)


class Decoder(nn.Module):
    """Frames of text, pitch and loudness → the five parts of each frame's spectrum."""

    def __init__(self, size: Size):
        super().__init__()
        self.size = size
        self.enter = nn.Conv1d(size.text + 2, size.width, KERNEL, padding=KERNEL // 2)
        self.blocks = nn.ModuleList(_block(size.width, size.hidden, KERNEL) for _ in range(size.blocks))
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, PARTS * BINS)
        self.tones = nn.Embedding(len(size.speakers), size.blocks * 2 * size.width)
        nn.init.zeros_(self.tones.weight)

    def forward(self, features: Tensor, f0: Tensor, speaker: Tensor) -> Tensor:
        """features (B, text + 1, F): text and loudness; f0 (B, F) Hz, 0 unvoiced; speaker (B,)
        → (B, 5, F, 601)"""
        return spectrum(self.raw(features, f0, speaker))

    def raw(self, features: Tensor, f0: Tensor, speaker: Tensor) -> Tensor:
        """→ (B, F, 5, 601): the PARTS as they are predicted, logarithms and angles"""
        pitch, loud = torch.log1p(f0)[:, None] / 5, (LOUD[0] * features[:, -1:] + LOUD[1]) / 5
        x = self.enter(torch.cat([features[:, :-1], pitch, loud], 1)).transpose(1, 2)
        tones = self.tones(speaker).unflatten(1, (len(self.blocks), 2, -1))
        for i, block in enumerate(self.blocks):
            x = block(x, tone=tones[:, i])
        return self.head(self.norm(x)).float().unflatten(2, (PARTS, BINS))


def spectrum(raw: Tensor, magnitudes: Sequence[Tensor] | None = None) -> Tensor:
    """(B, F, 5, 601) PARTS → (B, 5, F, 601): what `voice.tts.vocoder.combined` takes.

    `magnitudes`: three times (B, F, 601) logarithms to take instead.
    """
    logarithms = magnitudes or [raw[:, :, i] for i in MAGNITUDES]
    pulse, noise, rest = (torch.exp(each.clamp(max=LOUDEST)) for each in logarithms)
    turn, free = torch.pi * torch.tanh(raw[:, :, 1]), raw[:, :, 4]
    return filters(pulse, turn, noise, rest, free)


class SoundModel(nn.Module):
    """Both, as they are trained: with the true lengths, pitch and loudness between them."""

    def __init__(self, size: Size):
        super().__init__()
        self.size = size
        self.text, self.decoder = TextModel(size), Decoder(size)

    def forward(
        self, tokens: Tensor, speaker: Tensor, mask: Tensor, index: Tensor, f0: Tensor, loud: Tensor
    ) -> Tensor:
        """tokens (B, L), mask (B, L, 1); of F frames: index (B, F) of the symbol, f0, loud (B, F)
        → (B, 5, F, 601)"""
        hidden = self.text(tokens, speaker, mask)
        frames = hidden.gather(1, index[..., None].expand(-1, -1, hidden.shape[-1]))
        return self.decoder(torch.cat([frames, loud[..., None]], -1).transpose(1, 2), f0, speaker)

"""The network: an encoder, a CTC layer on top, and beside it a decoder that attends to the encoder.

Gulati et al. 2020, "Conformer"; Watanabe et al. 2017, "Hybrid CTC/Attention Architecture for End-to-End
Speech Recognition". Chunks are those of Zhang et al. 2020, "Unified Streaming and Non-streaming Two-pass
End-to-end Model for Speech Recognition": a frame sees its own chunk and all before it.

Padding never changes a row: convolutions look back only, and what they read beyond a row's end is zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from speechbrain.lobes.models.transformer.Conformer import ConformerEncoderLayer, ConvolutionModule
from torch import Tensor, nn

from recipes.options import option
from voice.asr.ctc.alphabet import BLANK

IGNORED = -100
EDGE = BLANK  # begins and ends what the attention decoder reads and writes: the blank is never a label


class Encoder(Protocol):
    """A module from features (B, T, D), their frames (B,) and a chunk () to (B, F, width) and frames (B,).

    `chunk` counts output frames: frame f sees the frames up to the end of its own chunk.
    """

    width: int

    def __call__(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class Size:
    """The sizes of a network from scratch; the defaults are the small Conformer's with 16 million weights."""

    layers: int = option(12, "Conformer layers")
    width: int = option(256, "channels of the encoder")
    heads: int = option(4, "heads of its attention")
    feed_forward: int = option(1024, "channels inside its feed-forward layers")
    kernel: int = option(15, "frames that its convolutions span, the last of them the present one")
    subsampling: int = option(4, "input frames of 10 ms for each output frame: 2, 4 or 8")
    dropout: float = option(0.1, "share of values that are dropped in training")
    decoder_layers: int = option(3, "layers of the attention decoder")


class Subsampling(nn.Module):
    """Convolutions of stride 2: (B, T, D) → (B, ceil(T / factor), width)."""

    def __init__(self, inputs: int, width: int, factor: int) -> None:
        super().__init__()
        if factor not in (2, 4, 8):
            raise ValueError(f"subsampling is {factor}; it is 2, 4 or 8")
        channels = [1] + [max(8, width // 4)] * (factor.bit_length() - 1)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(one, other, 3, stride=2, padding=1)
            for one, other in zip(channels, channels[1:], strict=False)
        )
        self.leave = nn.Linear(channels[-1] * math.ceil(inputs / factor), width)

    def forward(self, features: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs and how many there are of each row (B,)."""
        x = zero_padding(features, frames)[:, None]  # (B, 1, T, D)
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
            frames = (frames + 1) // 2
            x = x * is_inside(frames, x.shape[2])[:, None, :, None]
        return self.leave(x.transpose(1, 2).flatten(2)), frames


class FrameStacking(nn.Module):
    """Each `factor` frames of another encoder beside each other: (B, T, D) → (B, ceil(T / factor), width)."""

    def __init__(self, inputs: int, width: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.leave = nn.Linear(factor * inputs, width)

    def forward(self, features: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs and how many there are of each row (B,)."""
        x = F.pad(zero_padding(features, frames), (0, 0, 0, self.factor - 1))
        count = x.shape[1] // self.factor
        x = x[:, : count * self.factor].unflatten(1, (count, self.factor)).flatten(2)
        return self.leave(x), torch.div(frames + self.factor - 1, self.factor, rounding_mode="floor")


class Conformer(nn.Module):
    """An encoder from scratch, in speechbrain's layers; `mean` and `scale` (D,) normalize what it takes.

    `enter` brings (B, T, D) to the width of the layers, and to fewer frames.
    """

    def __init__(self, enter: nn.Module, inputs: int, size: Size) -> None:
        super().__init__()
        self.width = size.width
        self.mean = nn.Buffer(torch.zeros(inputs))
        self.scale = nn.Buffer(torch.ones(inputs))
        self.enter = enter
        self.dropout = nn.Dropout(size.dropout)
        self.layers = nn.ModuleList(_layer(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)

    def normalize(self, mean: Tensor, deviation: Tensor) -> None:
        """Bring features of this mean and standard deviation (D,) to 0 and 1."""
        self.mean.copy_(mean)
        self.scale.copy_(1 / deviation)

    def forward(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]:
        x, frames = self.enter((features - self.mean) * self.scale, frames)
        positions = relative_positions(x.shape[1], self.width).to(x)
        hidden, padded = hides(x.shape[1], chunk, x.device), ~is_inside(frames, x.shape[1])
        x = self.dropout(x * math.sqrt(self.width))
        for layer in self.layers:
            x, _ = layer(x, src_mask=hidden, src_key_padding_mask=padded, pos_embs=positions)
        return self.norm(x), frames


def _layer(size: Size) -> nn.Module:
    """Return a layer of speechbrain's Conformer whose convolution looks back only."""
    layer = ConformerEncoderLayer(
        size.width, size.feed_forward, size.heads, size.kernel, dropout=size.dropout,
        attention_type="RelPosMHAXL",
    )  # fmt: skip
    layer.convolution_module = ConvolutionModule(
        size.width, size.kernel, dropout=size.dropout, causal=True
    )  # the layer's own `causal` would take the positions of later frames away too
    made: nn.Module = layer
    return made


def relative_positions(frames: int, width: int) -> Tensor:
    """Return the encoding of the distances frames - 1 … 1 - frames: (1, 2 · frames - 1, width).

    Dai et al. 2019, "Transformer-XL". speechbrain's own gives a later frame the encoding of an earlier one.
    """
    distances = torch.arange(frames - 1, -frames, -1, dtype=torch.float32)[:, None]
    rates = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * -(math.log(10_000.0) / width))
    angles = distances * rates
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)[None]


def is_inside(frames: Tensor, longest: int) -> Tensor:
    """Tell of each place whether it is one of a row's frames: (B,) → (B, longest) bool."""
    return torch.arange(longest, device=frames.device)[None] < frames[:, None]


def zero_padding(x: Tensor, frames: Tensor) -> Tensor:
    """Return (B, T, D) with zeros beyond each row's frames."""
    return x * is_inside(frames, x.shape[1])[..., None]


def hides(frames: int, chunk: Tensor, device: torch.device) -> Tensor:
    """Tell which frames each frame must not see: (frames, frames) bool, True where the column is later."""
    number = torch.div(torch.arange(frames, device=device), chunk, rounding_mode="floor")
    return number[None] > number[:, None]


class AttentionDecoder(nn.Module):
    """Predicts each label from those before it and from the encoder: the second loss of a joint model."""

    def __init__(self, classes: int, memory: int, size: Size) -> None:
        super().__init__()
        self.embed = nn.Embedding(classes, size.width)
        self.adapt = nn.Linear(memory, size.width)
        layer = nn.TransformerDecoderLayer(
            size.width, size.heads, size.feed_forward, size.dropout, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerDecoder(layer, size.decoder_layers, nn.LayerNorm(size.width))
        self.leave = nn.Linear(size.width, classes)
        self.width = size.width

    def forward(self, encoded: Tensor, frames: Tensor, labels: Tensor) -> Tensor:
        """Compute logits (B, L + 1, classes) of encoder output (B, F, D), frames (B,) and labels (B, L)."""
        read = F.pad(labels, (1, 0), value=EDGE)
        length = read.shape[1]
        places = relative_positions(length, self.width)[:, :length].flip(1).to(encoded)
        x = self.embed(read) * math.sqrt(self.width) + places
        later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        padded = ~is_inside(frames, encoded.shape[1])
        hidden = self.layers(
            x, self.adapt(encoded), tgt_mask=later, memory_key_padding_mask=padded, tgt_is_causal=True
        )
        logits: Tensor = self.leave(hidden)
        return logits


class CTCModel(nn.Module):
    """An encoder, its CTC head (B, F, width) → (B, F, classes), and the attention decoder if there is one."""

    def __init__(self, encoder: nn.Module, head: nn.Module, decoder: AttentionDecoder | None) -> None:
        super().__init__()
        self.encoder, self.labels, self.decoder = encoder, head, decoder
        self.dropout = nn.Dropout(0.1)

    def encode(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoder's output (B, F, width) and its frames (B,)."""
        encoded, frames = self.encoder(features, frames, chunk)
        return encoded, frames

    def log_probs(self, encoded: Tensor) -> Tensor:
        """Return the log-probabilities (B, F, classes) of an encoder's output."""
        inner = encoded if isinstance(self.labels, Correction) else self.dropout(encoded)
        return F.log_softmax(self.labels(inner).float(), dim=-1)

    def forward(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-probabilities (B, F, classes) and frames (B,): what is exported."""
        encoded, frames = self.encode(features, frames, chunk)
        return self.log_probs(encoded), frames


class BesideLetters(nn.Module):
    """An encoder, and beside what it gives the last `letters` numbers of each frame that it was given."""

    def __init__(self, encoder: Conformer, letters: int) -> None:
        super().__init__()
        self.encoder, self.letters = encoder, letters
        self.width = encoder.width + letters

    def forward(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]:
        encoded, frames = self.encoder(features, frames, chunk)
        return torch.cat((encoded, features[..., -self.letters :].to(encoded)), -1), frames


class Correction(nn.Module):
    """What BesideLetters gives → logits of letters: those that were read, and what is added to them.

    It begins by adding nothing.
    """

    def __init__(self, width: int, letters: int, dropout: float) -> None:
        super().__init__()
        self.letters, self.dropout = letters, nn.Dropout(dropout)
        self.add = nn.Linear(width - letters, letters)
        nn.init.zeros_(self.add.weight)
        nn.init.zeros_(self.add.bias)

    def forward(self, encoded: Tensor) -> Tensor:
        found, read = encoded[..., : -self.letters], encoded[..., -self.letters :]
        logits: Tensor = read + self.add(self.dropout(found))
        return logits


class JointLoss(nn.Module):
    """The loss of a model, (1 - share) · CTC + share · attention, as one module that devices can share."""

    def __init__(self, model: CTCModel, share: float) -> None:
        super().__init__()
        self.model, self.share = model, share

    def forward(
        self, features: Tensor, frames: Tensor, labels: Tensor, lengths: Tensor, chunk: Tensor
    ) -> dict[str, Tensor]:
        """Return the losses in nats a label: "ctc", "attention" if there is a decoder, and their sum "loss".

        `labels` (B, L) are padded with the blank, `lengths` (B,) says how many count. A row with more labels
        than its frames can hold has no CTC loss.
        """
        encoded, frames = self.model.encode(features, frames, chunk)
        ctc = ctc_loss(self.model.log_probs(encoded), frames, labels, lengths)
        if self.model.decoder is None or self.share == 0:
            return {"loss": ctc, "ctc": ctc.detach()}
        attention = attention_loss(self.model.decoder(encoded, frames, labels), labels, lengths)
        loss = (1 - self.share) * ctc + self.share * attention
        return {"loss": loss, "ctc": ctc.detach(), "attention": attention.detach()}


def ctc_loss(log_probs: Tensor, frames: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """Return the nats a label of log-probabilities (B, F, classes)."""
    each = F.ctc_loss(
        log_probs.transpose(0, 1), labels, frames, lengths, blank=BLANK, reduction="none", zero_infinity=True
    )
    return each.sum() / lengths.sum()


def attention_loss(logits: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """Return the smoothed cross-entropy of logits (B, L + 1, classes): each label, and at last the end."""
    wanted = F.pad(labels, (0, 1), value=EDGE)
    wanted = wanted.masked_fill(~is_inside(lengths + 1, wanted.shape[1]), IGNORED)
    return F.cross_entropy(
        logits.flatten(0, 1).float(), wanted.flatten(), ignore_index=IGNORED, label_smoothing=0.1
    )

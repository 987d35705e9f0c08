"""Whisper's encoder in two parts: the lower layers, which stay as they are, and the upper ones, which learn.

What the lower layers give for a window never changes, so it is computed once and kept; a step of training
pays for the upper layers and the decoder alone. With all layers learning, the "states" are log-mel features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from peft import LoraConfig, inject_adapter_in_model
from torch import nn
from transformers import WhisperForConditionalGeneration

MASKS, LONGEST_MASK, MASKED_SHARE = 2, 25, 0.1  # of frames of 20 ms, and at most so much of a window


def learns_whole(model: WhisperForConditionalGeneration, top: int) -> bool:
    """Tell whether all encoder layers are among the `top` ones that learn."""
    return top >= len(model.model.encoder.layers)


def lower_states(model: WhisperForConditionalGeneration, features: torch.Tensor, top: int) -> torch.Tensor:
    """Return what enters the `top` encoder layers: (B, F, D) of log-mel (B, bands, T), or that itself."""
    if learns_whole(model, top):
        return features
    encoder = model.model.encoder
    hidden = F.gelu(encoder.conv2(F.gelu(encoder.conv1(features)))).transpose(1, 2)
    hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
    for layer in encoder.layers[: len(encoder.layers) - top]:
        hidden = layer(hidden, None)
    return hidden


def upper_encoded(model: WhisperForConditionalGeneration, states: torch.Tensor, top: int) -> torch.Tensor:
    """Return the encoder's output (B, F, D) of what `lower_states` gave."""
    encoder = model.model.encoder
    if learns_whole(model, top):
        top, states = len(encoder.layers), _first_layer_input(model, states)
    for layer in encoder.layers[len(encoder.layers) - top :]:
        states = layer(states, None)
    return encoder.layer_norm(states)


def _first_layer_input(model: WhisperForConditionalGeneration, features: torch.Tensor) -> torch.Tensor:
    """Return what enters the first layer (B, F, D) of log-mel (B, bands, T)."""
    encoder = model.model.encoder
    hidden = F.gelu(encoder.conv2(F.gelu(encoder.conv1(features)))).transpose(1, 2)
    return hidden + encoder.embed_positions.weight[: hidden.shape[1]]


def add_low_rank(model: WhisperForConditionalGeneration, rank: int, top: int) -> None:
    """Freeze the model; give the decoder and the `top` encoder layers low-rank additions to learn."""
    model.requires_grad_(False)
    first = max(0, len(model.model.encoder.layers) - top)
    linears = [
        name
        for name, module in model.model.named_modules()
        if isinstance(module, nn.Linear) and _learns(name, first)
    ]
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=rank, target_modules=linears), model.model)


def _learns(name: str, first: int) -> bool:
    """Tell whether a linear layer is in the decoder, or in the encoder's layer `first` or above."""
    side, _, rest = name.partition(".layers.")
    return side == "decoder" or int(rest.partition(".")[0]) >= first


def mask(states: torch.Tensor, generator: torch.Generator, *, mel: bool) -> torch.Tensor:
    """Return states with SpecAugment's time masks (Park et al. 2019), and bands too where they are log-mel.

    Masked frames get the mean of their window. `generator` decides where they are.
    """
    states = states.clone()
    frames = states.shape[-1] if mel else states.shape[1]
    for row in states:
        mean = row.mean(dim=-1 if mel else 0, keepdim=True)
        for _ in range(MASKS):
            first, last = _span(frames, (2 if mel else 1) * LONGEST_MASK, generator)
            if mel:
                row[:, first:last] = mean
            else:
                row[first:last] = mean
        if mel:
            first, last = _span(row.shape[0], round(row.shape[0] / 5), generator)
            row[first:last] = row.mean()
    return states


def _span(count: int, longest: int, generator: torch.Generator) -> tuple[int, int]:
    """Return a random stretch of at most `longest` places and a tenth of `count`."""
    most = max(1, min(longest, int(MASKED_SHARE * count)))
    width = int(torch.randint(0, most + 1, (1,), generator=generator))
    first = int(torch.randint(0, count - width + 1, (1,), generator=generator))
    return first, first + width

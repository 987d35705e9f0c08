"""Whisper for training: `transformers`' classes from CTranslate2's tensors, and back; low-rank additions.

Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision"; Hu et al. 2021,
"LoRA: Low-Rank Adaptation of Large Language Models".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers import WhisperConfig, WhisperForConditionalGeneration

from voice.models.ct2 import Ct2Model, read_model

LAYER = {  # CTranslate2's name inside a layer → transformers' modules, stacked in this order
    "self_attention/layer_norm": ("self_attn_layer_norm",),
    "self_attention/linear_0": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attention/linear_1": ("self_attn.out_proj",),
    "attention/layer_norm": ("encoder_attn_layer_norm",),
    "attention/linear_0": ("encoder_attn.q_proj",),
    "attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
    "attention/linear_2": ("encoder_attn.out_proj",),
    "ffn/layer_norm": ("final_layer_norm",),
    "ffn/linear_0": ("fc1",),
    "ffn/linear_1": ("fc2",),
}
DOWN, UP = ".lora_A.default.weight", ".lora_B.default.weight"  # peft's names of what is added
STORED = {DOWN: ".down", UP: ".up"}  # a checkpoint's names of them
FEED_FORWARD_GELU = 3  # CTranslate2's number of the activation


def load(folder: Path, device: torch.device | str = "cpu") -> WhisperForConditionalGeneration:
    """Return the model of a folder as the catalog has it, in float32, for evaluation until `.train()`."""
    model = from_ct2(read_model(Path(folder) / "model.bin"))
    nn.Module.to(model, device)  # transformers' own hides what it takes
    return model


def mel_bands(folder: Path) -> int:
    """Return how many mel bands the model of a folder takes: 80, or 128 of large-v3 and what came of it."""
    return int(read_model(Path(folder) / "model.bin").tensors["encoder/conv1/weight"].shape[1])


def from_ct2(source: Ct2Model) -> WhisperForConditionalGeneration:
    """Return the same network as a torch module, float32."""
    config = _config(source)
    if not torch.cuda.is_available():
        # Torch's fused kernel takes twice as long on CPUs, backwards above all.
        config._attn_implementation = "eager"
    model = WhisperForConditionalGeneration(config)
    state = model.state_dict()
    with torch.no_grad():
        for name, targets in _tensors(model.config):
            parts = np.split(source.tensors[name], len(targets))
            for target, part in zip(targets, parts, strict=True):
                if target in state:  # a key projection has no bias
                    state[target].copy_(torch.from_numpy(part.astype(np.float32)))
    return model.eval()


def to_ct2(model: WhisperForConditionalGeneration) -> Ct2Model:
    """Return the module's weights as CTranslate2 keeps them, float16, every tensor in its order by name."""
    state = {name: value.detach().float().cpu().numpy() for name, value in model.state_dict().items()}
    tensors = _settings(model.config)
    for name, targets in _tensors(model.config):
        parts = [state[t] if t in state else np.zeros(model.config.d_model) for t in targets]
        tensors[name] = np.concatenate(parts).astype(np.float16)
    aliases = {"decoder/projection/weight": "decoder/embeddings/weight"}
    return Ct2Model("WhisperSpec", 3, dict(sorted(tensors.items())), aliases)


def _config(source: Ct2Model) -> WhisperConfig:
    """Return the sizes of a model by the shapes of its tensors."""
    shape = {name: tensor.shape for name, tensor in source.tensors.items()}
    layers = {
        side: sum(n.startswith(f"{side}/layer_") and n.endswith("ffn/linear_0/bias") for n in shape)
        for side in ("encoder", "decoder")
    }
    vocabulary, width = shape["decoder/embeddings/weight"]
    return WhisperConfig(
        vocab_size=vocabulary,
        num_mel_bins=shape["encoder/conv1/weight"][1],
        d_model=width,
        encoder_layers=layers["encoder"],
        decoder_layers=layers["decoder"],
        encoder_attention_heads=int(source.tensors["encoder/num_heads"]),
        decoder_attention_heads=int(source.tensors["decoder/num_heads"]),
        encoder_ffn_dim=shape["encoder/layer_0/ffn/linear_0/bias"][0],
        decoder_ffn_dim=shape["decoder/layer_0/ffn/linear_0/bias"][0],
        max_source_positions=shape["encoder/position_encodings/encodings"][0],
        max_target_positions=shape["decoder/position_encodings/encodings"][0],
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
    )


def _tensors(config: WhisperConfig) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (CTranslate2's tensor, the names in a state dict that it stacks) for every weight."""
    yield "decoder/embeddings/weight", ("model.decoder.embed_tokens.weight",)
    for conv in ("conv1", "conv2"):
        for kind in ("weight", "bias"):
            yield f"encoder/{conv}/{kind}", (f"model.encoder.{conv}.{kind}",)
    for side, layers in (("encoder", config.encoder_layers), ("decoder", config.decoder_layers)):
        yield f"{side}/position_encodings/encodings", (f"model.{side}.embed_positions.weight",)
        yield from _pair(f"{side}/layer_norm", (f"model.{side}.layer_norm",))
        for layer in range(layers):
            for name, targets in LAYER.items():
                if side == "decoder" or not name.startswith("attention/"):
                    inside = tuple(f"model.{side}.layers.{layer}.{target}" for target in targets)
                    yield from _pair(f"{side}/layer_{layer}/{name}", inside)


def _pair(name: str, modules: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield weight and bias of a layer as `_tensors` does."""
    kinds = ("gamma", "beta") if name.endswith("layer_norm") else ("weight", "bias")
    for kind, own in zip(kinds, ("weight", "bias"), strict=True):
        yield f"{name}/{kind}", tuple(f"{module}.{own}" for module in modules)


def _settings(config: WhisperConfig) -> dict[str, np.ndarray]:
    """Return what CTranslate2 keeps as scalars beside the weights."""
    small = {f"decoder/{name}": 0 for name in ("alibi", "scale_embeddings", "start_from_zero_embedding")}
    small |= {"decoder/activation": FEED_FORWARD_GELU, "decoder/pre_norm": 1}
    wide = {
        "decoder/alignment_heads": 1,
        "decoder/alignment_layer": -1,
        "decoder/num_heads": config.decoder_attention_heads,
        "encoder/num_heads": config.encoder_attention_heads,
    }
    settings = {name: np.array(value, np.int8) for name, value in small.items()}
    return settings | {name: np.array(value, np.int16) for name, value in wide.items()}


def encode(model: WhisperForConditionalGeneration, features: torch.Tensor) -> torch.Tensor:
    """Encode log-mel (B, bands, T) of any length up to 30 s → (B, ceil(T / 2), width).

    `transformers`' own forward insists on 3000 frames.
    """
    encoder = model.model.encoder
    hidden = F.gelu(encoder.conv2(F.gelu(encoder.conv1(features)))).transpose(1, 2)
    hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
    for layer in encoder.layers:
        hidden = layer(hidden, None)
    return encoder.layer_norm(hidden)


def decode(
    model: WhisperForConditionalGeneration, encoded: torch.Tensor, tokens: torch.Tensor
) -> torch.Tensor:
    """Return the last hidden states (B, L, width) of encoder output (B, S, width) and tokens (B, L)."""
    return model.model.decoder(
        input_ids=tokens, encoder_hidden_states=encoded, use_cache=False
    ).last_hidden_state


def project(model: WhisperForConditionalGeneration, hidden: torch.Tensor) -> torch.Tensor:
    """Return the logits (…, vocabulary) of hidden states (…, width); the projection is the embeddings'."""
    return F.linear(hidden, model.model.decoder.embed_tokens.weight)


def add_low_rank(model: WhisperForConditionalGeneration, rank: int) -> None:
    """Freeze the model and give every linear layer of encoder and decoder its low-rank addition."""
    model.requires_grad_(False)
    linears = [name for name, module in model.model.named_modules() if isinstance(module, nn.Linear)]
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=linears)  # added as they are: alpha / r = 1
    inject_adapter_in_model(config, model.model)


def low_ranks(model: nn.Module) -> dict[str, LoraLayer]:
    """Return each low-rank layer by its module's name; none of a model that is trained whole."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLayer)}


def learning_weights(model: nn.Module) -> nn.ParameterDict:
    """Return the parameters that learn, themselves and not copies, by their names in checkpoints."""
    learning = {stored_name(n): p for n, p in model.named_parameters() if p.requires_grad}
    return nn.ParameterDict(learning)


def stored_name(parameter: str) -> str:
    """Return what a run's checkpoint calls a parameter that learns."""
    for theirs, ours in STORED.items():
        parameter = parameter.replace(theirs, ours)
    return parameter.replace(".", "/")


def parameter_name(stored: str) -> str:
    """Return what the model calls a parameter of a run's checkpoint."""
    stored = stored.replace("/", ".")
    for theirs, ours in STORED.items():
        if stored.endswith(ours):
            stored = stored.removesuffix(ours) + theirs
    return stored


def halve_frozen(model: WhisperForConditionalGeneration, dtype: torch.dtype = torch.bfloat16) -> None:
    """Keep the frozen matrices in `dtype`, so that autocast need not convert them at every step."""
    for layer in low_ranks(model).values():
        layer.get_base_layer().to(dtype)
    model.model.decoder.embed_tokens.to(dtype)


def adapter_tensors(model: WhisperForConditionalGeneration) -> dict[str, torch.Tensor]:
    """Return the low-rank additions under the names that `voice.models.adapter` reads, float16."""
    layers, tensors = low_ranks(model), {}
    for name, targets in _tensors(model.config):
        for place, target in enumerate(targets):
            layer = layers.get(target.removesuffix(".weight"))
            if layer is not None:
                down, up = (getattr(layer, part)["default"].weight for part in ("lora_A", "lora_B"))
                row = place * len(up)
                tensors[f"{name}:{row}.down"] = down.detach().half().cpu().contiguous()
                tensors[f"{name}:{row}.up"] = up.detach().half().cpu().contiguous()
    return tensors

"""Encoders that know speech already: Whisper's, and wav2vec 2.0's and HuBERT's of the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, WhisperForConditionalGeneration

from recipes.asr import model as whisper
from recipes.asr.head import FILE, Head, head_like
from recipes.ctc.model import hides, is_inside, zero_padding
from voice.asr.whisper.checkpoint import open_checkpoint
from voice.asr.whisper.encoder import storage_view
from voice.errors import ModelMissing

UNLIKELY = -12.0  # log-probability of a letter; which of the lower ones it is tells nothing
HUB = "hf:"  # how a name of the Hub begins; a folder may stand after it too


class WhisperEncoder(nn.Module):
    """The encoder of a Whisper: (B, T, 80) → (B, ceil(T / 2), width), of any length up to 30 s."""

    def __init__(self, model: WhisperForConditionalGeneration) -> None:
        super().__init__()
        self.encoder = model.model.encoder
        self.width = model.config.d_model

    def forward(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]:
        x = zero_padding(features, frames).transpose(1, 2)
        x = F.gelu(self.encoder.conv1(x)) * is_inside(frames, features.shape[1])[:, None]
        x = F.gelu(self.encoder.conv2(x)).transpose(1, 2)
        frames = (frames + 1) // 2
        x = x + self.encoder.embed_positions.weight[: x.shape[1]]
        hidden = (
            hides(x.shape[1], chunk, x.device)[None, None] | ~is_inside(frames, x.shape[1])[:, None, None]
        )
        mask = torch.zeros(hidden.shape, device=x.device, dtype=x.dtype).masked_fill(hidden, -1e9)
        for layer in self.encoder.layers:
            x = layer(x, mask)
        encoded: Tensor = self.encoder.layer_norm(x)
        return encoded, frames


class QuantizedEncoder(nn.Module):
    """The encoder of a Whisper as CTranslate2 runs it in use, for one utterance at a time: twice as fast.

    It sees each utterance whole and does not learn: `chunk` is ignored.
    """

    def __init__(self, folder: Path, width: int) -> None:
        super().__init__()
        threads = torch.get_num_threads()
        self.encoder = open_checkpoint(folder, compute_type="int8", threads=threads, workers=1)
        self.width = width

    def forward(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]:
        given = F.pad(features, (0, 0, 0, features.shape[1] % 2)).transpose(1, 2).numpy()
        encoded = np.asarray(self.encoder.encode(storage_view(given), to_cpu=True))
        return torch.from_numpy(encoded), (frames + 1) // 2


class SamplesEncoder(nn.Module):
    """A model of the Hub that takes samples: (B, T, 1) at 16 kHz → (B, F, width), a frame each 20 ms.

    It sees each utterance whole: `chunk` is ignored. Its convolutions over samples do not learn.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model: Any = model
        self.width: int = model.config.hidden_size
        model.feature_extractor._freeze_parameters()

    def forward(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]:
        samples = zero_padding(features, frames).squeeze(-1)
        counts = self.model._get_feat_extract_output_lengths(frames)
        encoded = self.model(samples, attention_mask=is_inside(frames, samples.shape[1]).long())
        return encoded.last_hidden_state, counts


class WithLetters(nn.Module):
    """An encoder, and beside each of its frames what a head of letters reads: (B, F, width + letters)."""

    def __init__(self, encoder: Any, head: Head) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        self.width: int = encoder.width + head.letters.out_features

    def forward(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]:
        encoded, frames = self.encoder(features, frames, chunk)
        letters = self.head(encoded, is_inside(frames, encoded.shape[1])).clamp(min=UNLIKELY)
        return torch.cat((encoded, letters.to(encoded)), -1), frames


class OnFrozen(nn.Module):
    """An encoder `top` on what a frozen one gives, of which each `factor` frames are one of its own."""

    def __init__(self, base: Any, top: Any, factor: int) -> None:
        super().__init__()
        self.base, self.top, self.factor = base.requires_grad_(False), top, factor
        self.width: int = top.width

    def forward(self, features: Tensor, frames: Tensor, chunk: Tensor) -> tuple[Tensor, Tensor]:
        encoded, frames = self.base(features, frames, chunk * self.factor)
        encoded, frames = self.top(encoded, frames, chunk)
        return encoded, frames


def whisper_encoder(folder: Path) -> WhisperEncoder:
    """Return the encoder of a model in CTranslate2's form, such as `quick`."""
    return WhisperEncoder(whisper.load(folder))


def letter_head(folder: Path) -> Head:
    """Return the CTC head of English letters that lies beside a model, as `quick` has one.

    Raises ModelMissing where there is none.
    """
    path = folder / FILE
    if not path.is_file():
        raise ModelMissing(f"{folder} has no {FILE}: leave --base-head out, or begin with quick")
    weights = {name: torch.from_numpy(values) for name, values in head_weights(path).items()}
    head = head_like(weights)
    head.load_state_dict(weights)
    return head


def head_weights(path: Path) -> dict[str, np.ndarray]:
    """Return the weights of an exported head by their names in recipes.asr.head.

    The exporter keeps the names of all but matrices, which are told by the biases added after them.
    """
    import onnx

    graph = onnx.load(path).graph
    tensors = {each.name: onnx.numpy_helper.to_array(each).astype(np.float32) for each in graph.initializer}
    tensors |= {
        n.output[0]: tensors[n.input[0]] for n in graph.node if n.op_type == "Cast" and n.input[0] in tensors
    }
    products = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    found = {name: value for name, value in tensors.items() if "." in name and not name.endswith("_half")}
    for node in graph.node:
        bias = next((name for name in node.input if name.endswith(".bias")), None)
        product = next((name for name in node.input if name in products), None)
        if node.op_type == "Add" and bias and product:
            found[bias.removesuffix("bias") + "weight"] = tensors[products[product]].T.copy()
    return found


def hub_encoder(name: str) -> SamplesEncoder:
    """Return the encoder of `hf:NAME` or `hf:FOLDER`. Raises ModelMissing without one of a known kind."""
    place = name.removeprefix(HUB)
    try:
        config = AutoConfig.from_pretrained(place)
        if config.model_type not in ("wav2vec2", "hubert", "wavlm"):
            raise ModelMissing(f"{name} is a {config.model_type}; name a wav2vec2, a hubert or a wavlm")
        config.apply_spec_augment = False  # the recipe masks on its own
        config.layerdrop = 0.0
        model = AutoModel.from_pretrained(place, config=config)
    except (OSError, ValueError) as error:
        raise ModelMissing(f"{name} cannot be had ({error}); name a folder, or fetch it first") from error
    return SamplesEncoder(model)

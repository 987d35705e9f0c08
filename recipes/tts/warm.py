"""The weights of hibari's voice (Apache-2.0), from its package's ONNX file, for a new voice to begin with.

Its matrices are stored in eight bits; here they are floats again. The network is that of `sounds.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from recipes.tts.sounds import SoundModel
from voice.text.alphabet import BOUNDARY, SYMBOLS
from voice.text.english.pronunciation import alphabet
from voice.tts.heart import package

if TYPE_CHECKING:
    import onnx

# How parts are called there, and here; the first that fits counts.
_NAMES = (
    ("text.attn.self_attn.in_proj_", "text.attn.qkv."), ("text.attn.self_attn.out_proj.", "text.attn.out."),
    ("text.emb.", "text.emb."), ("text.", "text."), ("dec_in.", "decoder.enter."),
    ("dec_norm.", "decoder.norm."), ("dec.", "decoder.blocks."), ("head.", "decoder.head."),
)  # fmt: skip
_MODEL = "m."  # what the names of its sound network begin with; another one speaks of prosody
_PAD = 0  # its symbol for the silence at both ends


def heart_weights(model: SoundModel, path: Path | None = None) -> dict[str, torch.Tensor]:
    """Return the state of `model` with all that hibari's network knows; its own where that knows nothing.

    Speakers' vectors stay as they are. Raises RuntimeError from `load_state_dict` where sizes differ.
    """
    own = {name: value.clone() for name, value in model.state_dict().items()}
    for name, value in _tensors(path or package() / "hibari.onnx"):
        found = torch.from_numpy(value)
        if name == "text.emb.weight":
            ids = alphabet() | {BOUNDARY: _PAD}
            found = found[[ids[symbol] for symbol in SYMBOLS]]
        if name.startswith("decoder.head."):
            found = _in_our_units(found)
        own[name] = found
    return own


def _in_our_units(head: torch.Tensor) -> torch.Tensor:
    """Their noise has twice the power, in complex bins; the head's rows are log-magnitudes and angles."""
    rows = head.unflatten(0, (5, -1)).clone()
    if head.dim() == 1:
        rows[2] += np.log(2) / 2
    return rows.flatten(0, 1)


def _tensors(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Our name of each weight of the sound network, and its values."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    held = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    for name, value in held.items():
        if ours := _new_name(name):
            yield ours, value.copy()
    for node in graph.node:
        for bias in node.input if node.op_type == "Add" else ():
            ours = _new_name(bias)
            if ours:
                product = made_by[next(name for name in node.input if name != bias)]
                yield ours.removesuffix("bias") + "weight", _matrix(product, made_by, held)


def _matrix(
    product: onnx.NodeProto, made_by: Mapping[str, onnx.NodeProto], held: Mapping[str, np.ndarray]
) -> np.ndarray:
    """(out, in) float32 of a product computed in eight bits: scaled = cast(integers) · (scale · scale)."""
    cast, scales = (made_by[name] for name in product.input)
    integers = made_by[cast.input[0]]
    weight, zero = (held[integers.input[i]].astype(np.float32) for i in (1, 3))
    scaled: np.ndarray = (weight - zero) * held[scales.input[1]]
    return scaled.T.copy()


def _new_name(name: str) -> str | None:
    """Return our name of a parameter of hibari's file; None for one of another network."""
    if not name.startswith(_MODEL):
        return None
    name = name.removeprefix(_MODEL)
    return next((new + name.removeprefix(old) for old, new in _NAMES if name.startswith(old)), None)

"""The weights of Whisper's decoder in 8 bits, for the graphs of `recipes/asr/graphs.py`.

The graphs come with a model, a few kilobytes each; the weights are made of the merged model once and lie
beside them in `weights.safetensors`: of a matrix its bytes, and a scale for every block of a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from voice.errors import ModelDamaged
from voice.models.ct2 import Ct2Model, read_model
from voice.models.tensors import write_tensors

CROSS, DECODER, QUANTIZED = "cross.onnx", "decoder.onnx", "weights.safetensors"
BLOCK = 128  # where a row divides into such, else what it does divide into
ZERO = 128  # the byte that stands for 0


def block_of(columns: int) -> int:
    """Return how many values of a row share a scale: a power of two."""
    return min(BLOCK, columns & -columns)


def quantize_blocks(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantize (N, K) to (N, blocks, values of a block) bytes and (N blocks,) scales.

    Weight ≈ (bytes - ZERO) scale.
    """
    blocks = weight.astype(np.float32).reshape(len(weight), -1, block_of(weight.shape[1]))
    scales = np.maximum(np.abs(blocks).max(axis=2, keepdims=True) / 127, 1e-8)
    return (np.rint(blocks / scales) + ZERO).astype(np.uint8), scales.reshape(-1)


def tensors(model: Ct2Model) -> Iterator[tuple[str, np.ndarray]]:
    """Return the tensors that the graphs take, by name."""
    for name, tensor in model.tensors.items():
        if not name.startswith("decoder/") or not tensor.ndim or tensor.dtype == np.int16:
            continue  # numbers and lists that configure the model
        if tensor.dtype == np.int8:
            raise ModelDamaged(f"{name} is in 8 bits already; derive from weights in 16 or 32")
        if tensor.ndim == 2 and name.endswith("/weight"):
            bytes_, scales = quantize_blocks(tensor)
            yield f"{name}:bytes", bytes_
            yield f"{name}:scales", scales
        else:
            yield name, tensor.astype(np.float32)


def write_quantized(path: Path, model: Ct2Model) -> None:
    """Write the weights of `model` in 8 bits, whole or not at all."""
    write_tensors(path, {name: np.ascontiguousarray(tensor) for name, tensor in tensors(model)})


def complete(folder: Path) -> None:
    """Make the weights that the graphs of a model folder take, if it has graphs, from its `model.bin`."""
    if (folder / DECODER).is_file():
        write_quantized(folder / QUANTIZED, read_model(folder / "model.bin"))


def for_cross(name: str) -> bool:
    """Tell whether a weight belongs to the graph CROSS; all others are DECODER's."""
    return "/attention/linear_1/" in name


def read_quantized(path: Path) -> dict[str, np.ndarray]:
    """Read the weights by name. Raises ModelDamaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelDamaged(
            f"{path} cannot be read ({error}); run `voice models get` for it, or export it again"
        ) from error

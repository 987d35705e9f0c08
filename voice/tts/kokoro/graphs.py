"""Opening Kokoro's graphs: they stand in this folder without weights, which are read out of the export.

`recipes/kokoro/graphs.py` makes them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from voice.errors import ModelDamaged, ModelMissing
from voice.models.sessions import session_of

MODEL_FILE = "model.onnx"
HERE = Path(__file__).parent


class Graphs(NamedTuple):
    """Sessions of the three graphs.

    `text`: tokens (1, L) and style (1, 256) → lengths (1, L) in frames, hidden (1, L, 640), sounds (1, 512,
    L). `curves`: hidden (1, 640, F) and style → F0 in Hz and energy, (1, 2 F) each. `decoder`: sounds (1,
    512, F), F0, energy and style → audio (600 F,).
    """

    text: Any
    curves: Any
    decoder: Any


def open_graphs(folder: Path, threads: int) -> Graphs:
    """Open the graphs with the weights in `folder`. Raises ModelMissing, ModelDamaged."""
    path = Path(folder) / MODEL_FILE
    if not path.is_file():
        raise ModelMissing(f"there is no {path}; to fetch it: voice models get kokoro")
    decoder = "decoder" if multiplies_exactly() else "decoder_plain"
    data = np.memmap(path, np.uint8, "r")
    try:
        text, curves, decoding = (_open(name, data, threads) for name in ("text", "curves", decoder))
    except Exception as error:  # onnxruntime's own exceptions have no common base of their own
        raise ModelDamaged(f"{path} is not the export that this version knows ({error})") from error
    return Graphs(text, curves, decoding)


def _open(name: str, data: np.ndarray, threads: int) -> Any:
    graph = (HERE / f"{name}.onnx").read_bytes()
    return session_of(graph, threads=threads, weights=_weights(name, data), hoards=True)


def _weights(graph: str, data: np.ndarray) -> dict[str, np.ndarray]:
    """Return the weights of a graph out of the bytes of the export."""
    return {name: _tensor(name, data, *place) for name, place in _places()[graph].items()}


@cache
def _places() -> dict[str, dict[str, tuple[int, str, list[int]]]]:
    """Return the first byte, the kind of numbers and the shape of each weight by graph and name."""
    places: dict[str, dict[str, tuple[int, str, list[int]]]] = json.loads(
        (HERE / "weights.json").read_text("utf-8")
    )
    return places


def _tensor(name: str, data: np.ndarray, first: int, kind: str, shape: list[int]) -> np.ndarray:
    """Return a weight; of a convolution (O, I, K) those called NAME:rows are (O, K × I)."""
    count = int(np.prod(shape)) * np.dtype(kind).itemsize
    tensor = np.frombuffer(data[first : first + count].tobytes(), kind).reshape(shape)
    if name.endswith(":rows"):
        tensor = np.ascontiguousarray(tensor.transpose(0, 2, 1).reshape(shape[0], -1))
    return tensor


@cache
def multiplies_exactly() -> bool:
    """Tell whether onnxruntime multiplies unsigned by signed bytes without saturating on this processor."""
    session = session_of((HERE / "probe.onnx").read_bytes(), threads=1)
    weights, inputs = np.full((16, 64), 255, np.uint8), np.full((64, 32), 127, np.int8)
    (product,) = session.run(None, {"weights": weights, "inputs": inputs})
    return bool((product == 64 * 255 * 127).all())

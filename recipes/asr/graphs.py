"""Whisper's decoder as ONNX graphs without weights, which `voice/models/quantized.py` supplies.

    write(out, Shape.of(model))     # cross.onnx and decoder.onnx: 40 kB for every model of that shape

Matrices are 8-bit in blocks with a scale each (ONNX Runtime's MatMulNBits), and so is what they multiply, so
that the rows of a batch share no scale. Inputs and outputs:

    cross     encoded (B, F, D) → cross_k0 (B, H, D / H, F), cross_v0 (B, H, F, D / H), …
    decoder   tokens (B, T), positions (T,), mask (T, S),
              past_k0 (B, H, D / H, P), past_v0 (B, H, P, D / H), …, cross_k0, …
              → scores (B, T, V), k0, v0 of S = P + T positions, …
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from voice.models.ct2 import Ct2Model
from voice.models.quantized import CROSS, DECODER, block_of

End = tuple[str, int, Sequence[str | int]]  # an input or an output: its name, its type, its shape
FLOAT, INT64, UINT8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8
OPSETS = (("", 20), ("com.microsoft", 1))
ELSEWHERE = "weights"  # where the weights would be, were they not given when the graph is opened


@dataclass(frozen=True)
class Shape:
    """The sizes of a Whisper model."""

    layers: int
    heads: int
    width: int
    vocabulary: int
    inner: int
    positions: int

    @classmethod
    def of(cls, model: Ct2Model) -> Shape:
        """Return the sizes of the decoder that `model` has."""
        tensors = model.tensors
        layers = sum(name.endswith("ffn/linear_0/bias") for name in tensors if name.startswith("decoder/"))
        vocabulary, width = tensors["decoder/embeddings/weight"].shape
        inner = len(tensors["decoder/layer_0/ffn/linear_0/bias"])
        positions = len(tensors["decoder/position_encodings/encodings"])
        return cls(layers, int(tensors["decoder/num_heads"]), width, vocabulary, inner, positions)

    @property
    def head(self) -> int:
        return self.width // self.heads


@dataclass
class Graph:
    """A graph under construction: every method adds nodes and returns the name of what they make."""

    shape: Shape
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def op(
        self, kind: str, *inputs: str, called: Sequence[str] = (), domain: str = "", **attributes: Any
    ) -> str:
        outputs = list(called) or [f"_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def constant(self, *values: float, kind: type = np.int64) -> str:
        name = f"{kind.__name__}_{'_'.join(map(str, values))}"
        array: np.ndarray = np.asarray(values if len(values) > 1 or kind is np.int64 else values[0], kind)
        self.weights.setdefault(name, numpy_helper.from_array(array, name))
        return name

    def weight(self, name: str, shape: Sequence[int], kind: int = FLOAT) -> str:
        """Return a tensor that is given when the graph is opened."""
        tensor = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value=ELSEWHERE)
        self.weights[name] = tensor
        return name

    def matrix(self, name: str, rows: int, columns: int) -> tuple[str, str]:
        """(rows, columns) in blocks: the name of its bytes and that of its scales."""
        blocks = columns // block_of(columns)
        bytes_ = self.weight(f"{name}:bytes", (rows, blocks, block_of(columns)), UINT8)
        return bytes_, self.weight(f"{name}:scales", (rows * blocks,))

    def product(self, x: str, name: str, rows: int, columns: int) -> str:
        """`x` (…, columns) times the transpose of a matrix (rows, columns)."""
        given = (x, *self.matrix(name, rows, columns))
        return self.op("MatMulNBits", *given, domain="com.microsoft",
                       K=columns, N=rows, bits=8, block_size=block_of(columns), accuracy_level=4)  # fmt: skip

    def linear(self, x: str, name: str, columns: int, rows: int) -> str:
        return self.op(
            "Add", self.product(x, f"{name}/weight", rows, columns), self.weight(f"{name}/bias", (rows,))
        )

    def norm(self, x: str, name: str) -> str:
        gamma, beta = (self.weight(f"{name}/{part}", (self.shape.width,)) for part in ("gamma", "beta"))
        return self.op("LayerNormalization", x, gamma, beta, axis=-1, epsilon=1e-5)

    def feed_forward(self, x: str, name: str) -> str:
        width = self.shape.width
        normal = self.norm(x, f"{name}/layer_norm")
        inner = self.op("Gelu", self.linear(normal, f"{name}/linear_0", width, self.shape.inner))
        return self.op("Add", x, self.linear(inner, f"{name}/linear_1", self.shape.inner, width))

    def split(self, x: str, parts: int) -> list[str]:
        names = [f"{x}.{part}" for part in range(parts)]
        self.op("Split", x, called=names, axis=-1, num_outputs=parts)
        return names

    def heads(self, x: str, *, called: Sequence[str] = (), transposed: bool = False) -> str:
        """(B, T, D) → (B, H, T, D / H), or (B, H, D / H, T)."""
        apart = self.op("Reshape", x, self.constant(0, 0, self.shape.heads, self.shape.head))
        return self.op("Transpose", apart, called=called, perm=[0, 2, 3, 1] if transposed else [0, 2, 1, 3])

    def attention(self, query: str, keys: str, values: str, mask: str | None = None) -> str:
        """Attend by queries (B, T, D) to keys (B, H, D / H, S) and values (B, H, S, D / H) → (B, T, D)."""
        scaled = self.op("Mul", query, self.constant(float(self.shape.head) ** -0.5, kind=np.float32))
        scores = self.op("MatMul", self.heads(scaled), keys)
        weights = self.op("Softmax", self.op("Add", scores, mask) if mask else scores, axis=-1)
        together = self.op("Transpose", self.op("MatMul", weights, values), perm=[0, 2, 1, 3])
        return self.op("Reshape", together, self.constant(0, 0, self.shape.width))

    def model(self, inputs: Sequence[End], outputs: Sequence[End]) -> onnx.ModelProto:
        """Return the graph, which takes `inputs` and gives `outputs`."""
        given, made = ([helper.make_tensor_value_info(*end) for end in some] for some in (inputs, outputs))
        graph = helper.make_graph(self.nodes, "whisper", given, made, list(self.weights.values()))
        opsets = [helper.make_opsetid(*opset) for opset in OPSETS]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def cross(shape: Shape) -> onnx.ModelProto:
    """Return the encoder's output → the keys and values that each layer of the decoder attends to."""
    g, width = Graph(shape), shape.width
    for layer in range(shape.layers):
        both = g.linear("encoded", f"decoder/layer_{layer}/attention/linear_1", width, 2 * width)
        keys, values = g.split(both, 2)
        g.heads(keys, called=[f"cross_k{layer}"], transposed=True)
        g.heads(values, called=[f"cross_v{layer}"])
    return g.model([("encoded", FLOAT, ["B", "F", width])], _caches("cross_", shape, "F"))


def decoder(shape: Shape) -> onnx.ModelProto:
    """Tokens and what was computed of those before → the scores of what may follow each."""
    g, width = Graph(shape), shape.width
    places = g.weight("decoder/position_encodings/encodings", (shape.positions, width))
    x = g.op("Add", _embedding(g), g.op("Gather", places, "positions"))
    for layer in range(shape.layers):
        name = f"decoder/layer_{layer}"
        normal = g.norm(x, f"{name}/self_attention/layer_norm")
        stacked = g.linear(normal, f"{name}/self_attention/linear_0", width, 3 * width)
        query, key, value = g.split(stacked, 3)
        keys = g.op("Concat", f"past_k{layer}", g.heads(key, transposed=True), called=[f"k{layer}"], axis=3)
        values = g.op("Concat", f"past_v{layer}", g.heads(value), called=[f"v{layer}"], axis=2)
        seen = g.attention(query, keys, values, "mask")
        x = g.op("Add", x, g.linear(seen, f"{name}/self_attention/linear_1", width, width))
        query = g.linear(
            g.norm(x, f"{name}/attention/layer_norm"), f"{name}/attention/linear_0", width, width
        )
        seen = g.attention(query, f"cross_k{layer}", f"cross_v{layer}")
        x = g.op("Add", x, g.linear(seen, f"{name}/attention/linear_2", width, width))
        x = g.feed_forward(x, f"{name}/ffn")
    last = g.norm(x, "decoder/layer_norm")
    scores = g.product(last, "decoder/embeddings/weight", shape.vocabulary, width)
    g.op("Identity", scores, called=["scores"])
    inputs: list[End] = [
        ("tokens", INT64, ["B", "T"]),
        ("positions", INT64, ["T"]),
        ("mask", FLOAT, ["T", "S"]),
        *_caches("past_", shape, "P"),
        *_caches("cross_", shape, "F"),
    ]
    outputs: list[End] = [("scores", FLOAT, ["B", "T", shape.vocabulary]), *_caches("", shape, "S")]
    return g.model(inputs, outputs)


def _embedding(g: Graph) -> str:
    """Return the tokens' rows of the matrix that also makes the scores."""
    name, shape = "decoder/embeddings/weight", g.shape
    bytes_, scales = g.matrix(name, shape.vocabulary, shape.width)
    rows = g.op("Cast", g.op("Gather", bytes_, "tokens"), to=FLOAT)
    by_row = g.op("Reshape", scales, g.constant(shape.vocabulary, shape.width // block_of(shape.width), 1))
    centered = g.op("Sub", rows, g.constant(128.0, kind=np.float32))
    scaled = g.op("Mul", centered, g.op("Gather", by_row, "tokens"))
    return g.op("Reshape", scaled, g.constant(0, 0, shape.width))


def _caches(prefix: str, shape: Shape, length: str) -> list[End]:
    """Return the keys and values of each layer, of so many positions."""
    found: list[End] = []
    for layer in range(shape.layers):
        found.append((f"{prefix}k{layer}", FLOAT, ["B", shape.heads, shape.head, length]))
        found.append((f"{prefix}v{layer}", FLOAT, ["B", shape.heads, length, shape.head]))
    return found


def write(out: Path, shape: Shape) -> list[Path]:
    """Write both graphs into the folder `out`."""
    files = []
    for name, make in ((CROSS, cross), (DECODER, decoder)):
        files.append(Path(out) / name)
        files[-1].write_bytes(make(shape).SerializeToString())
    return files

"""Make the graphs of `voice/tts/kokoro` from the int8 export of Kokoro-82M that the catalog fetches.

    voice models get kokoro
    python -m recipes.kokoro.graphs

The export is cut in three, so that durations and F0 can be asked for between its parts, and its slow places
are rewritten (`rewriting.py`). What is written has no weights: each is named by its place in the file that is
fetched, and read from there when the graphs are opened. `decoder.onnx` multiplies signed by unsigned bytes,
which processors without 8-bit dot products get wrong; `decoder_plain.onnx` is for those.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from recipes.kokoro.rewriting import Graph, fuse_norms, multiply_convolutions, nodes_between
from recipes.options import option, parse
from voice.models.lookup import find

SMALL = 64  # bytes of a constant that stays in the graph
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


class Tensor(NamedTuple):
    """A tensor at a cut: its name in the export, its name here, its kind and its shape."""

    exported: str
    name: str
    kind: int
    shape: tuple[int | str, ...]


TOKENS = Tensor("tokens", "tokens", INT64, (1, "L"))
STYLE = Tensor("style", "style", FLOAT, (1, 256))
LENGTHS = Tensor("/encoder/predictor/ReduceSum_output_0", "lengths", FLOAT, (1, "L"))
HIDDEN = Tensor("/encoder/predictor/text_encoder/Concat_4_output_0", "hidden", FLOAT, (1, "L", 640))
SOUNDS = Tensor("/encoder/text_encoder/Transpose_2_output_0", "sounds", FLOAT, (1, 512, "L"))
HIDDEN_FRAMES = Tensor("/encoder/MatMul_output_0", "hidden", FLOAT, (1, 640, "F"))
SOUND_FRAMES = Tensor("/encoder/MatMul_1_output_0", "sounds", FLOAT, (1, 512, "F"))
F0 = Tensor("/encoder/Reshape_output_0", "f0", FLOAT, (1, "2F"))
ENERGY = Tensor("/encoder/Reshape_1_output_0", "energy", FLOAT, (1, "2F"))
AUDIO = Tensor("audio", "audio", FLOAT, ("600F",))


class Part(NamedTuple):
    """A graph to write: its name, where it is cut from the export, and whether its convolutions change."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    multiplies: bool = False


DECODING = (SOUND_FRAMES, F0, ENERGY, STYLE)
PARTS = (
    Part("text", (TOKENS, STYLE), (LENGTHS, HIDDEN, SOUNDS)),
    Part("curves", (HIDDEN_FRAMES, STYLE), (F0, ENERGY)),
    Part("decoder", DECODING, (AUDIO,), multiplies=True),
    Part("decoder_plain", DECODING, (AUDIO,)),
)


@dataclass(frozen=True)
class Options:
    model: str = option("kokoro", "the model of the catalog, or a folder with its model.onnx")
    out: Path = option(Path("voice/tts/kokoro"), "folder for the graphs")


def main(options: Options) -> None:
    folder = Path(options.model)
    path = (folder if folder.is_dir() else find(options.model).folder) / "model.onnx"
    data = path.read_bytes()
    model = onnx.load_from_string(data)
    places = Places(data, model)
    for part in PARTS:
        graph = _cut(model, part)
        changed = f"{fuse_norms(graph)} normalizations"
        if part.multiplies:
            changed += f", {multiply_convolutions(graph)} convolutions"
        (options.out / f"{part.name}.onnx").write_bytes(_skeleton(graph, part, places, model))
        print(f"{part.name}: {changed} rewritten")
    places.write(options.out / "weights.json")
    (options.out / "probe.onnx").write_bytes(_probe())


class Places:
    """Where in the export each weight lies, as far as graphs ask for it."""

    def __init__(self, data: bytes, model: onnx.ModelProto) -> None:
        self._data = data
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        self._places: dict[str, dict[str, list[object]]] = {}

    def note(self, graph: str, name: str) -> bool:
        """Note the place of a weight of a graph and tell whether it has one.

        `NAME:rows` are those of a convolution.
        """
        tensor = self._tensors.get(name.removesuffix(":rows"))
        if tensor is None or len(tensor.raw_data) < SMALL:
            return False
        kind = str(helper.tensor_dtype_to_np_dtype(tensor.data_type))
        self._places.setdefault(graph, {})[name] = [
            self._data.index(tensor.raw_data),
            kind,
            list(tensor.dims),
        ]
        return True

    def write(self, path: Path) -> None:
        """Write the places by graph and name: the first byte, the kind of numbers and the shape of each."""
        graphs = []
        for graph, places in self._places.items():
            rows = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(places.items()))
            graphs.append(f"{json.dumps(graph)}: {{\n" + ",\n".join(rows) + "\n}")
        path.write_text("{\n" + ",\n".join(graphs) + "\n}\n", "utf-8")


def _cut(model: onnx.ModelProto, part: Part) -> Graph:
    """Return a copy of the nodes that a part needs, with all constants."""
    inputs, outputs = ([tensor.exported for tensor in each] for each in (part.inputs, part.outputs))
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes = [
        onnx.NodeProto.FromString(node.SerializeToString())
        for node in nodes_between(list(model.graph.node), outputs, inputs)
    ]
    return Graph(nodes, constants)


def _skeleton(graph: Graph, part: Part, places: Places, model: onnx.ModelProto) -> bytes:
    """Return a graph without weights, its tensors at the cuts under their names here."""
    inputs, outputs = ([tensor.exported for tensor in each] for each in (part.inputs, part.outputs))
    nodes = nodes_between(graph.nodes, outputs, inputs)
    taken = {name for node in nodes for name in node.input}
    constants = [
        _external(name, array)
        if places.note(part.name, name)
        else numpy_helper.from_array(np.asarray(array), name)
        for name, array in graph.constants.items()
        if name in taken
    ]
    called = {tensor.exported: tensor.name for tensor in (*part.inputs, *part.outputs)}
    made = [name for node in nodes for name in node.output if name and name not in called]
    called |= {name: f"_{number}" for number, name in enumerate(made)}
    for node in nodes:
        node.name = ""
        node.input[:] = [called.get(name, name) for name in node.input]
        node.output[:] = [called.get(name, name) for name in node.output]
    given, found = (
        [helper.make_tensor_value_info(each.name, each.kind, each.shape) for each in tensors]
        for tensors in (part.inputs, part.outputs)
    )
    whole = helper.make_graph(nodes, part.name, given, found, constants)
    domains = {"", *(node.domain for node in nodes)}
    opsets = [each for each in model.opset_import if each.domain in domains]
    written = helper.make_model(whole, opset_imports=opsets, ir_version=model.ir_version)
    return bytes(written.SerializeToString())


def _external(name: str, array: np.ndarray) -> TensorProto:
    """Return a tensor that is given when the graph is opened."""
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor = TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="weights")
    return tensor


def _probe() -> bytes:
    """Return a graph of one product of unsigned by signed bytes, as `decoder.onnx` has them."""
    given = [
        helper.make_tensor_value_info(name, kind, shape)
        for name, kind, shape in (
            ("weights", TensorProto.UINT8, ("M", "K")), ("inputs", TensorProto.INT8, ("K", "N")),
        )
    ]  # fmt: skip
    found = [helper.make_tensor_value_info("product", TensorProto.INT32, ("M", "N"))]
    node = helper.make_node("MatMulInteger", ["weights", "inputs"], ["product"])
    model = helper.make_model(
        helper.make_graph([node], "probe", given, found),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=9,
    )
    return bytes(model.SerializeToString())


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

"""What exports share: ONNX files of half or a quarter of the size, and a card's scores out of a table."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import Tensor, nn

WITH_GELU = 20  # the first set of ONNX operators that has GELU
SMALL = 1024  # arrays with fewer values stay in single precision
Weights = Literal["float32", "float16", "int8"]


Dynamic = dict[str, dict[int, Any]]  # input of a graph → axis → its torch.export.Dim
Inputs = Sequence[Mapping[str, np.ndarray]]  # what a graph is given, several times


def rows_about(folder: Path, table: Path | None, column: str) -> list[dict[str, Any]]:
    """Return the rows of an evaluate.py's table whose `column` is the model in `folder`, or its name."""
    rows = json.loads(table.read_text("utf-8")) if table else []
    place = folder.resolve()
    return [row for row in rows if row[column] == folder.name or Path(row[column]).resolve() == place]


def write_rows(path: Path, rows: Iterable[Any]) -> None:
    """Write an evaluate.py's table, rows of a dataclass, as JSON."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")


@contextmanager
def quiet_exporters() -> Iterator[None]:
    """Keep exporters' warnings about their own insides from whoever exports; errors come through."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def convert_weights(
    model: ModelProto, weights: Weights, examples: Inputs = (), exact: Sequence[str] = ()
) -> ModelProto:
    """Return an ONNX model with its weights as `weights`.

    "int8": matrices, but for those named in `exact`, are multiplied in integers, in ranges that `examples`
    show; they are fixed, so that a frame comes out the same whatever is drawn beside it.
    """
    if weights == "int8":
        model = _to_int8(model, examples, exact)
    return model if weights == "float32" else to_float16(model)


def trace(
    module: nn.Module, examples: tuple[Tensor, ...], dynamic: Dynamic, outputs: Sequence[str], *,
    opset: int = 18,
) -> ModelProto:  # fmt: skip
    """Return a network as ONNX. `dynamic` has its inputs, and the axes of each that may have another size.

    `examples` are what it is called with once.
    """
    import torch

    with quiet_exporters():
        program = torch.onnx.export(
            module.eval(), examples, input_names=list(dynamic), output_names=list(outputs),
            dynamic_shapes=dynamic, opset_version=opset, dynamo=True, verbose=False,
        )  # fmt: skip
    assert program is not None  # so it is with dynamo
    return program.model_proto


def save_graph(model: ModelProto, path: Path) -> None:
    """Write an ONNX model, whole or not at all."""
    import onnx

    beside = path.with_suffix(f".{os.getpid()}.onnx")
    onnx.save(model, beside)
    os.replace(beside, path)


def to_float16(model: ModelProto) -> ModelProto:
    """Return an ONNX model with its large weights as float16, each cast back where the graph begins."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALL:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _to_int8(model: ModelProto, examples: Inputs, exact: Sequence[str]) -> ModelProto:
    """Make matrices int8 with a scale for each column, and bytes with a fixed scale of what they multiply."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, quiet_exporters():
        path = Path(folder) / "model.onnx"
        quantize_dynamic(
            model,
            path,
            op_types_to_quantize=["MatMul", "Gemm"],
            weight_type=QuantType.QInt8,
            per_channel=True,
            nodes_to_exclude=[node.name for node in model.graph.node if set(node.input) & set(exact)],
        )
        return _fix_scales(onnx.load(path), examples)


def _fix_scales(model: ModelProto, examples: Inputs) -> ModelProto:
    """Make constants of the scales that ONNX Runtime would take from each input."""
    from onnx import helper, numpy_helper

    dynamic = [node for node in model.graph.node if node.op_type == "DynamicQuantizeLinear"]
    ranges = _ranges(model, [node.input[0] for node in dynamic], examples)
    for node in dynamic:
        low, high = ranges[node.input[0]]
        quantized, scale_name, zero_name = node.output
        scale = np.float32((high - low) / 255)
        zero = np.uint8(np.clip(round(-low / scale), 0, 255))
        model.graph.initializer.append(numpy_helper.from_array(np.array(scale), scale_name))
        model.graph.initializer.append(numpy_helper.from_array(np.array(zero), zero_name))
        fixed = helper.make_node("QuantizeLinear", [node.input[0], scale_name, zero_name], [quantized])
        place = list(model.graph.node).index(node)
        model.graph.node.remove(node)
        model.graph.node.insert(place, fixed)
    return model


def _ranges(model: ModelProto, names: Sequence[str], examples: Inputs) -> dict[str, tuple[float, float]]:
    """Return the least and the greatest value of each tensor, 0 included."""
    import onnx
    import onnxruntime
    from onnx import helper

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    found = dict.fromkeys(names, (0.0, 0.001))
    for given in examples:
        for name, values in zip(names, session.run(list(names), dict(given)), strict=True):
            low, high = found[name]
            found[name] = min(low, float(values.min())), max(high, float(values.max()))
    return found

"""What is rewritten computes the same: a graph of one normalization, one activation and one convolution."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper

from recipes.kokoro.rewriting import Graph, fuse_norms, multiply_convolutions, nodes_between
from voice.models.sessions import session_of

CHANNELS, ROWS, WIDTH, STEP = 4, 32, 3, 2


def exported(has_bias: bool) -> Graph:
    """Adaptive instance norm, snake and a convolution in 8 bits, spelt out as the export of Kokoro does."""
    draw = np.random.default_rng(0)
    alpha = draw.uniform(0.5, 2.0, (1, CHANNELS, 1)).astype(np.float32)
    constants = {
        "axes": np.array([2], np.int64), "epsilon": np.array(1e-5, np.float32),
        "two": np.array(2, np.float32),
        "S": draw.normal(1, 0.2, (1, CHANNELS, 1)).astype(np.float32),
        "B": draw.normal(0, 0.2, (1, CHANNELS, 1)).astype(np.float32),
        "alpha": alpha, "inverse": 1 / alpha, "W": draw.integers(0, 256, (ROWS, CHANNELS, WIDTH), np.uint8),
        "W_zero": np.array(130, np.uint8), "W_scale": np.array(0.01, np.float32),
        "bias": draw.normal(0, 1, ROWS).astype(np.float32), "column": np.array([1, -1, 1], np.int64),
    }  # fmt: skip
    steps = [
        ("ReduceMean", "x axes", "mean"), ("Sub", "x mean", "difference"),
        ("Mul", "difference difference", "square"), ("ReduceMean", "square axes", "variance"),
        ("Add", "variance epsilon", "padded"), ("Sqrt", "padded", "root"),
        ("Div", "difference root", "normal"),
        ("Mul", "S normal", "scaled"), ("Add", "scaled B", "styled"), ("Mul", "alpha styled", "turn"),
        ("Sin", "turn", "sine"), ("Pow", "sine two", "power"), ("Mul", "inverse power", "wave"),
        ("Add", "styled wave", "active"), ("DynamicQuantizeLinear", "active", "q q_scale q_zero"),
        ("ConvInteger", "q W q_zero W_zero", "sums"), ("Mul", "q_scale W_scale", "scale"),
    ]  # fmt: skip
    if has_bias:
        steps += [("Div", "bias scale", "b1"), ("Floor", "b1", "b2"), ("Cast", "b2", "b3"),
                  ("Reshape", "b3 column", "b4"), ("Add", "sums b4", "biased")]  # fmt: skip
    steps += [("Cast", "biased" if has_bias else "sums", "floats"), ("Mul", "floats scale", "y")]
    shape = {"dilations": [STEP], "pads": [STEP, STEP], "strides": [1], "kernel_shape": [WIDTH]}
    kinds = {"b3": TensorProto.INT32, "floats": TensorProto.FLOAT}
    nodes = [
        helper.make_node(
            kind, inputs.split(), outputs.split(),
            **(shape if kind == "ConvInteger" else {"to": kinds[outputs]} if kind == "Cast" else {}),
        )
        for kind, inputs, outputs in steps
    ]  # fmt: skip
    return Graph(nodes, constants)


def run(graph: Graph, x: np.ndarray) -> np.ndarray:
    nodes = nodes_between(graph.nodes, ["y"], ["x"])
    taken = {name for node in nodes for name in node.input}
    constants = [numpy_helper.from_array(np.asarray(v), k) for k, v in graph.constants.items() if k in taken]
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, CHANNELS, "T"))]
    found = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(
        helper.make_graph(nodes, "g", given, found, constants), opset_imports=opsets, ir_version=9
    )
    (y,) = session_of(model.SerializeToString(), threads=1).run(None, {"x": x})
    return y


@pytest.mark.parametrize("has_bias", [True, False])
def test_what_is_rewritten_computes_the_same(has_bias):
    x = np.random.default_rng(1).normal(0, 1, (1, CHANNELS, 50)).astype(np.float32)
    graph = exported(has_bias)
    before = run(graph, x)
    assert fuse_norms(graph) == 1 and multiply_convolutions(graph) == 1
    kinds = {node.op_type for node in nodes_between(graph.nodes, ["y"], ["x"])}
    assert "InstanceNormalization" in kinds and not kinds & {"ConvInteger", "Pow", "ReduceMean"}
    quantum = 0.02 * 0.01 * 255  # of the integers' last place, which rounding may move
    np.testing.assert_allclose(run(graph, x), before, atol=4 * quantum)
    assert np.abs(run(graph, x) - before).mean() < quantum / 4


def test_what_is_on_no_way_from_input_to_output_is_left_out():
    nodes = [
        helper.make_node("Neg", [a], [b]) for a, b in (("x", "m"), ("m", "y"), ("x", "other"), ("y", "z"))
    ]
    assert [node.output[0] for node in nodes_between(nodes[::-1], ["y"], ["x"])] == ["m", "y"]

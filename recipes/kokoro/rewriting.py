"""Rewrite the graph of Kokoro's int8 export so that onnxruntime computes the same in half of the time.

Three things are spelt out in it in many passes over memory: instance normalization with a style (nine nodes),
the snake activation after it (five), and convolutions in 8 bits, for which onnxruntime has no kernel that
uses the dot products of today's processors. Here the first is one node, the second takes a multiplication
less, and a convolution is the product of its weights with the shifted rows of its input. The integers are
the same ones; only sums of floats are rounded in another order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

FEWEST_ROWS = 32  # of a convolution: smaller ones take no time worth a change


class Graph:
    """Nodes and constants of a graph, with who makes and who takes each tensor."""

    def __init__(self, nodes: Iterable[onnx.NodeProto], constants: dict[str, np.ndarray]) -> None:
        self.nodes, self.constants = list(nodes), dict(constants)
        self.reindex()

    def reindex(self) -> None:
        """Look anew at who makes and who takes what."""
        self.made_by = {name: node for node in self.nodes for name in node.output if name}
        self.taken_by: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in self.nodes:
            for name in node.input:
                self.taken_by[name].append(node)

    def replace(self, dropped: Collection[int], added: Sequence[onnx.NodeProto]) -> None:
        """Take out the nodes whose `id` is `dropped`, and put others in."""
        self.nodes = [node for node in self.nodes if id(node) not in dropped] + list(added)
        self.reindex()

    def only(self, tensor: str, kind: str) -> onnx.NodeProto:
        """Return the one node that takes `tensor`, which is of this kind. Raises ValueError."""
        (node,) = self.taken_by[tensor]
        if node.op_type != kind:
            raise ValueError(f"{node.name} is {node.op_type}, not {kind}: this is another export")
        return node

    def other(self, node: onnx.NodeProto, tensor: str) -> str:
        """Return the input of a node with two that is not `tensor`."""
        return next(name for name in node.input if name != tensor)


def nodes_between(
    nodes: Sequence[onnx.NodeProto], outputs: Sequence[str], inputs: Sequence[str]
) -> list[onnx.NodeProto]:
    """Return the nodes on the way from `inputs` to `outputs`, in the order in which they can run."""
    made_by = {name: node for node in nodes for name in node.output if name}
    ordered: dict[int, onnx.NodeProto] = {}
    pending = [(name, False) for name in outputs]
    while pending:
        name, is_ready = pending.pop()
        node = made_by.get(name)
        if name in inputs or node is None or id(node) in ordered:
            continue
        if is_ready:
            ordered[id(node)] = node
        else:
            pending.append((name, True))
            pending += [(each, False) for each in node.input if each]
    return list(ordered.values())


def fuse_norms(graph: Graph) -> int:
    """Make one node of each instance normalization and its style; return how many there were."""
    dropped, added = set[int](), list[onnx.NodeProto]()
    graph.constants["all"] = np.array([-1], np.int64)
    count = 0
    for division in [node for node in graph.nodes if node.op_type == "Div"]:
        found = _find_norm(graph, division)
        if found is None:
            continue
        x, epsilon = found
        for product in graph.taken_by[division.output[0]]:
            scale = graph.other(product, division.output[0])
            total = graph.only(product.output[0], "Add")
            shift, out = graph.other(total, product.output[0]), total.output[0]
            dropped |= {id(product), id(total)}
            snake = _snake(graph, out)
            if snake:
                alpha, chain, inverse = snake
                dropped |= {id(node) for node in chain}
                after = _activate(out, chain[-1].output[0], inverse)
                scaled = [
                    helper.make_node("Mul", [each, alpha], [f"{out}:{each}"]) for each in (scale, shift)
                ]
                scale, shift, out = f"{out}:{scale}", f"{out}:{shift}", f"{out}:in"
                added += [*scaled, *after]
            added += [
                helper.make_node("Reshape", [scale, "all"], [f"{out}:scale"]),
                helper.make_node("Reshape", [shift, "all"], [f"{out}:shift"]),
                helper.make_node(
                    "InstanceNormalization", [x, f"{out}:scale", f"{out}:shift"], [out], epsilon=epsilon
                ),
            ]
            count += 1
    graph.replace(dropped, added)
    return count


def _find_norm(graph: Graph, division: onnx.NodeProto) -> tuple[str, float] | None:
    """Return what a division normalizes, and epsilon; None if it divides something else."""
    difference, root = (graph.made_by.get(name) for name in division.input)
    if difference is None or root is None or (difference.op_type, root.op_type) != ("Sub", "Sqrt"):
        return None
    mean, variance = graph.made_by.get(difference.input[1]), graph.made_by[root.input[0]]
    epsilons = [graph.constants[name] for name in variance.input if name in graph.constants]
    if mean is None or mean.op_type != "ReduceMean" or not epsilons:
        return None
    return difference.input[0], float(epsilons[0])


def _snake(graph: Graph, x: str) -> tuple[str, list[onnx.NodeProto], str] | None:
    """Return alpha, the nodes and 1 / alpha of x + sin²(alpha x) / alpha, None if `x` goes elsewhere."""
    takers = {node.op_type: node for node in graph.taken_by[x]}
    if set(takers) != {"Mul", "Add"} or len(graph.taken_by[x]) != 2:
        return None
    alpha = graph.other(takers["Mul"], x)
    following = graph.taken_by[takers["Mul"].output[0]]
    if alpha not in graph.constants or [node.op_type for node in following] != ["Sin"]:
        return None
    square = graph.only(following[0].output[0], "Pow")
    divided = graph.only(square.output[0], "Mul")
    return (
        alpha,
        [takers["Mul"], *following, square, divided, takers["Add"]],
        graph.other(divided, square.output[0]),
    )


def _activate(name: str, out: str, inverse: str) -> list[onnx.NodeProto]:
    """Return the nodes that make `out` = (u + sin² u) / alpha of u = alpha x."""
    return [
        helper.make_node("Sin", [f"{name}:in"], [f"{name}:sine"]),
        helper.make_node("Mul", [f"{name}:sine", f"{name}:sine"], [f"{name}:square"]),
        helper.make_node("Add", [f"{name}:in", f"{name}:square"], [f"{name}:sum"]),
        helper.make_node("Mul", [f"{name}:sum", inverse], [out]),
    ]


def multiply_convolutions(graph: Graph) -> int:
    """Make a product of matrices of each convolution in 8 bits; return how many there were."""
    graph.constants |= {
        "length": np.array([2], np.int64), "end": np.array([2**62], np.int64),
        "none": np.array(0, np.float32), "steps": np.array(255, np.float32),
        "lowest": np.array(-128, np.float32),
    }  # fmt: skip
    dropped, added = set[int](), dict[str, onnx.NodeProto]()
    found = [node for node in graph.nodes if node.op_type == "ConvInteger" and _is_plain(graph, node)]
    for node in found:
        bias, last = _after_convolution(graph, node)
        dropped.add(id(last))
        for new in _product(graph, node, bias, last):
            added.setdefault(new.output[0], new)
    graph.replace(dropped, list(added.values()))
    return len(found)


def _is_plain(graph: Graph, node: onnx.NodeProto) -> bool:
    """Tell whether a convolution moves by one sample and has rows enough."""
    maker = graph.made_by.get(node.input[0])
    quantized = maker is not None and maker.op_type == "DynamicQuantizeLinear"
    return (
        quantized
        and _attribute(node, "strides") == [1]
        and len(graph.constants[node.input[1]]) >= FEWEST_ROWS
    )


def _after_convolution(graph: Graph, node: onnx.NodeProto) -> tuple[str | None, onnx.NodeProto]:
    """Return the name of the bias, None without one, and the node that makes floats of the integers."""
    bias = None
    (following,) = graph.taken_by[node.output[0]]
    if following.op_type == "Add":  # of the bias, which was divided by the scale, rounded and cast
        rounded = graph.other(following, node.output[0])
        for _ in range(4):
            made = graph.made_by[rounded]
            rounded = made.input[0]
        bias = rounded
        following = graph.only(following.output[0], "Cast")
    return bias, graph.only(following.output[0], "Mul")


def _product(
    graph: Graph, node: onnx.NodeProto, bias: str | None, last: onnx.NodeProto
) -> Iterable[onnx.NodeProto]:
    """Yield the nodes that make the output of a convolution, `last`'s, of its input."""
    x, weight = graph.made_by[node.input[0]].input[0], graph.constants[node.input[1]]
    width, step, (before, after) = weight.shape[2], _attribute(node, "dilations")[0], _attribute(node, "pads")
    yield from _quantize(x)
    source, zero = f"{x}:8", f"{x}:zero"
    if before or after:
        padding = f"pad:{before}:{after}"
        graph.constants[padding] = np.array([0, 0, before, 0, 0, after], np.int64)
        yield helper.make_node("Pad", [source, padding, zero], [f"{source}:{padding}"])
        source = f"{source}:{padding}"
    if width > 1:
        rows = f"{source}:{width}:{step}"
        parts = [f"{rows}:{i}" for i in range(width)]
        for i, part in enumerate(parts):
            first, beyond = f"at:{i * step}", i * step - before - after
            graph.constants[first] = np.array([i * step], np.int64)
            graph.constants[f"at:{beyond}"] = np.array([beyond], np.int64)
            until = f"at:{beyond}" if beyond < 0 else "end"
            yield helper.make_node("Slice", [source, first, until, "length"], [part])
        yield helper.make_node("Concat", parts, [rows], axis=1)
        source = rows
    matrix = f"{node.input[1]}:rows"
    graph.constants[matrix] = np.ascontiguousarray(weight.transpose(0, 2, 1).reshape(len(weight), -1))
    scale = graph.made_by[last.input[1]].input[1]
    out = last.output[0]
    given = [matrix, source, scale, f"{x}:scale", node.input[3], zero]
    product = f"{out}:product" if bias else out
    yield helper.make_node("MatMulIntegerToFloat", given, [product], domain="com.microsoft")
    if bias:
        graph.constants[f"{bias}:column"] = graph.constants[bias][:, None]
        yield helper.make_node("Add", [product, f"{bias}:column"], [out])


def _quantize(x: str) -> list[onnx.NodeProto]:
    """Return the nodes that quantize `x` as DynamicQuantizeLinear does, but to signed bytes."""
    return [
        helper.make_node("ReduceMin", [x], [f"{x}:least"], keepdims=0),
        helper.make_node("ReduceMax", [x], [f"{x}:most"], keepdims=0),
        helper.make_node("Min", [f"{x}:least", "none"], [f"{x}:min"]),
        helper.make_node("Max", [f"{x}:most", "none"], [f"{x}:max"]),
        helper.make_node("Sub", [f"{x}:max", f"{x}:min"], [f"{x}:range"]),
        helper.make_node("Div", [f"{x}:range", "steps"], [f"{x}:scale"]),
        helper.make_node("Div", [f"{x}:min", f"{x}:scale"], [f"{x}:below"]),
        helper.make_node("Neg", [f"{x}:below"], [f"{x}:above"]),
        helper.make_node("Round", [f"{x}:above"], [f"{x}:origin"]),
        helper.make_node("Add", [f"{x}:origin", "lowest"], [f"{x}:shifted"]),
        helper.make_node("Cast", [f"{x}:shifted"], [f"{x}:zero"], to=TensorProto.INT8),
        helper.make_node("QuantizeLinear", [x, f"{x}:scale", f"{x}:zero"], [f"{x}:8"]),
    ]  # fmt: skip


def _attribute(node: onnx.NodeProto, name: str) -> Any:
    return next(helper.get_attribute_value(each) for each in node.attribute if each.name == name)

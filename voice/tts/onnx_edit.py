"""Small changes to a serialized ONNX graph, made on its bytes: no parsing, no other library.

Protocol buffers that follow one another are merged and their lists joined, so that a second ModelProto
which holds only what is new can be appended. A tensor gets another source where the name that its node
writes is replaced by one of the same length.
"""

from __future__ import annotations

from voice.errors import ModelDamaged

FLOAT, INT64 = 1, 7  # TensorProto.DataType
_INPUT, _OUTPUT = 11, 12  # of GraphProto
_GRAPH = 7  # of ModelProto


def with_outputs(model: bytes, *tensors: str) -> bytes:
    """Return `model` with `tensors` among its graph's outputs, after those that it has."""
    return model + b"".join(_field(_GRAPH, _field(_OUTPUT, _text(1, tensor))) for tensor in tensors)


def with_input(model: bytes, tensor: str, kind: int, shape: tuple[int | str, ...]) -> bytes:
    """Return `model` with `tensor`, which a node of it makes, as an input instead."""
    written = _text(2, tensor)
    if model.count(written) != 1:
        raise ModelDamaged(f"the network has no tensor {tensor}")
    model = model.replace(written, _text(2, tensor[:-1] + "'"))
    return _declare_input(model, tensor, kind, shape)


def _declare_input(model: bytes, name: str, kind: int, shape: tuple[int | str, ...]) -> bytes:
    sizes = b"".join(
        _field(1, _text(2, size) if isinstance(size, str) else _number(1, size)) for size in shape
    )
    tensor = _number(1, kind) + _field(2, sizes)  # TypeProto.Tensor
    return model + _field(_GRAPH, _field(_INPUT, _text(1, name) + _field(2, _field(1, tensor))))


def _text(number: int, content: str) -> bytes:
    return _field(number, content.encode())


def _number(number: int, value: int) -> bytes:
    """Encode a varint of one byte."""
    assert value < 128
    return bytes([number << 3, value])


def _field(number: int, content: bytes) -> bytes:
    """Encode a length-delimited field; `content` is short enough for one byte of length."""
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content

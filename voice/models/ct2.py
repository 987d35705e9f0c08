"""CTranslate2's `model.bin`: named tensors after a small header, read and written with NumPy alone.

The layout is that of CTranslate2's own writer (`python/ctranslate2/specs/model_spec.py`, binary
version 6), little-endian throughout.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from voice.errors import ModelDamaged

BINARY_VERSION = 6

# CTranslate2's DataType numbers. bfloat16 has no NumPy type and no model here uses it.
_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_NUMBERS = {np.dtype(kind): number for number, kind in _TYPES.items()}


@dataclass(frozen=True, eq=False)
class Ct2Model:
    """All that a `model.bin` holds. `tensors` keep the file's order; `aliases`: other name → name."""

    spec: str
    revision: int
    tensors: Mapping[str, np.ndarray]
    aliases: Mapping[str, str]

    def with_tensors(self, changed: Mapping[str, np.ndarray]) -> Ct2Model:
        """Return the same model with some tensors replaced by others of the same shape."""
        for name, tensor in changed.items():
            if name not in self.tensors or self.tensors[name].shape != tensor.shape:
                raise ModelDamaged(f"{name} {tensor.shape} does not fit this model; is it the right base?")
        return replace(self, tensors={**self.tensors, **changed})


def read_model(path: str | Path) -> Ct2Model:
    """Read a `model.bin`; tensors are views of the file's bytes (read-only).

    Raises ModelDamaged where the file is not one or is cut short.
    """
    try:
        return _parse(_Reader(Path(path).read_bytes()))
    except OSError as error:
        raise ModelDamaged(f"{path} cannot be read: {error}") from error
    except (struct.error, ValueError, KeyError) as error:
        raise ModelDamaged(f"{path} is no CTranslate2 model, or it is cut short; fetch it again") from error


def _parse(reader: _Reader) -> Ct2Model:
    """Read a model in CTranslate2's binary format. Raises ValueError for another version."""
    version = reader.number("I")
    if version != BINARY_VERSION:
        raise ValueError(f"binary version {version}")
    spec, revision = reader.string(), reader.number("I")
    tensors = {}
    for _ in range(reader.number("I")):
        name = reader.string()
        tensors[name] = reader.tensor()
    aliases = {}
    for _ in range(reader.number("I")):
        alias = reader.string()
        aliases[alias] = reader.string()
    return Ct2Model(spec, revision, tensors, aliases)


class _Reader:
    """A position in the file's bytes."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, code: str) -> int:
        value: int = struct.unpack_from("<" + code, self.data, self.at)[0]
        self.at += struct.calcsize("<" + code)
        return value

    def string(self) -> str:
        """Read a string: its length, its bytes and a zero byte."""
        length = self.number("H")  # its closing zero byte included
        if self.at + length > len(self.data):
            raise ValueError("the file ends inside a name")
        text = self.data[self.at : self.at + length - 1].decode("utf-8")
        self.at += length
        return text

    def tensor(self) -> np.ndarray:
        """Read a tensor: its shape, type, size and values."""
        shape = [self.number("I") for _ in range(self.number("B"))]
        kind = np.dtype(_TYPES[self.number("B")])
        size = self.number("I")
        flat = np.frombuffer(self.data, kind, size // kind.itemsize, self.at)
        self.at += size
        return flat.reshape(shape)


def write_model(path: str | Path, model: Ct2Model) -> None:
    """Write `model` to `path`: beside first, then renamed, so that there is never half a file."""
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            _write(file, model)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _write(file: BinaryIO, model: Ct2Model) -> None:
    """Write a model in CTranslate2's binary format."""
    file.write(struct.pack("<I", BINARY_VERSION) + _pack_string(model.spec))
    file.write(struct.pack("<II", model.revision, len(model.tensors)))
    for name, tensor in model.tensors.items():
        shape = struct.pack(f"<B{tensor.ndim}I", tensor.ndim, *tensor.shape)
        file.write(_pack_string(name) + shape + struct.pack("<BI", _NUMBERS[tensor.dtype], tensor.nbytes))
        file.write(np.ascontiguousarray(tensor).tobytes())
    file.write(struct.pack("<I", len(model.aliases)))
    for alias, name in model.aliases.items():
        file.write(_pack_string(alias) + _pack_string(name))


def _pack_string(text: str) -> bytes:
    data = text.encode("utf-8") + b"\0"
    return struct.pack("<H", len(data)) + data

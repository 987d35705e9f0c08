"""Read the arrays of a checkpoint that PyTorch wrote, without PyTorch and without running anything in it."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voice.errors import ModelDamaged

_STORAGES = {"FloatStorage": np.float32}


def read_arrays(path: Path, part: str) -> dict[str, np.ndarray]:
    """Return the arrays of the table `part` of a checkpoint by their names.

    Only tables, numbers, text and tensors of float32 are read. Raises ModelDamaged for anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            folder = archive.namelist()[0].split("/")[0]
            content = _ArrayUnpickler(io.BytesIO(archive.read(f"{folder}/data.pkl")), archive, folder).load()
        table = content[part]
        return {name: value for name, value in table.items() if isinstance(value, np.ndarray)}
    except (OSError, zipfile.BadZipFile, pickle.UnpicklingError, LookupError, TypeError, ValueError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}); fetch it again") from error


class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler that knows three names and makes arrays of what they stand for."""

    def __init__(self, file: io.BytesIO, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self._archive, self._folder = archive, folder

    def find_class(self, module: str, name: str) -> Any:
        known: Mapping[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _array,
            **{("torch", kind): kind for kind in _STORAGES},
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it wants {module}.{name}, which could run a program")
        return known[module, name]

    def persistent_load(self, pid: Any) -> np.ndarray:
        _, kind, key, *_ = pid
        return np.frombuffer(self._archive.read(f"{self._folder}/data/{key}"), _STORAGES[kind])


def _array(
    storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> np.ndarray:
    """Return the array of `size` that lies in a storage, row by row. Raises ValueError for another layout."""
    count = int(np.prod(size))
    made = storage[offset : offset + count].reshape(size)
    if count and tuple(step // storage.itemsize for step in made.strides) != tuple(stride):
        raise ValueError("an array in it does not lie row by row")
    return made

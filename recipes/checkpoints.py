"""Checkpoints as plain state: tensors, numbers, text and tables, read without running anything.

A pickle can run any program when it is opened. These files hold nothing that needs that, and a file
that does is refused, so that a run of a stranger can be continued, exported or evaluated.
"""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core import multiarray

from voice.errors import ModelDamaged, ModelMissing

# How earlier versions saved NumPy's random state and scores; to make an array of numbers runs nothing.
_ARRAYS: list[Any] = [
    (multiarray._reconstruct, "numpy._core.multiarray._reconstruct"),
    (multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),
    (multiarray.scalar, "numpy._core.multiarray.scalar"),
    (multiarray.scalar, "numpy.core.multiarray.scalar"),
    np.ndarray,
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("uint32", "int64", "float32", "float64")),
]


def write_state(path: Path, state: Mapping[str, Any], *, keeps: bool = False) -> None:
    """Write `state` to `path`: beside first, onto the disk, then renamed, so that a kill or a power cut at
    any moment leaves a whole file. With `keeps`, what was there stays as `older(path)`.

    Raises TypeError where it holds anything but tensors, NumPy's arrays and numbers, text, tables and lists.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    state, beside = _plain(state, path.stem), path.with_suffix(".tmp")
    try:
        with beside.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        if keeps and path.exists():
            _keep(path)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def read_state(path: Path, maker: str) -> dict[str, Any]:
    """Return the state at `path`, tensors on the CPU; `maker` is the command that writes such a file.

    Raises ModelMissing where there is none, ModelDamaged where it is cut short or not plain.
    """
    if not path.exists():
        raise ModelMissing(f"there is no {path}; `{maker}` makes one")
    if not zipfile.is_zipfile(path):
        raise ModelDamaged(f"{path} is cut short, or no checkpoint{_advice(path)}")
    try:
        with torch.serialization.safe_globals(_ARRAYS):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelDamaged(
            f"{path} is not opened: beside tensors, numbers and text it holds objects, which could run any "
            f"program; `{maker}` writes one that is plain"
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise ModelDamaged(f"{path} cannot be read ({str(error)[:100]}){_advice(path)}") from error
    if not isinstance(state, dict):
        raise ModelDamaged(f"{path} is no checkpoint of a recipe; `{maker}` writes one")
    return state


def older(path: Path) -> Path:
    """Where the state before the last one lies."""
    return path.with_name(f"{path.stem}.older{path.suffix}")


def _keep(path: Path) -> None:
    """Keep the file at `path` under the name of its older version too."""
    older(path).unlink(missing_ok=True)
    try:
        os.link(path, older(path))
    except OSError:  # a file system without links
        shutil.copyfile(path, older(path))


def _advice(path: Path) -> str:
    """Return what to do about a checkpoint that is damaged."""
    if older(path).exists():
        return f"; to go on from the one before it: mv {older(path)} {path}"
    return "; delete it to start anew"


def _plain(value: Any, where: str) -> Any:
    """`value` without NumPy's classes. Raises TypeError, naming the place, for what is not plain."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        return torch.from_numpy(np.array(value))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        made = {key: _plain(each, f"{where}/{key}") for key, each in value.items()}
        same = type(value) in (dict, OrderedDict) and all(made[key] is value[key] for key in made)
        return value if same else made  # a module's own state keeps what PyTorch notes with it
    if isinstance(value, list | tuple):
        items = [_plain(each, where) for each in value]
        return tuple(items) if isinstance(value, tuple) else items
    if value is None or isinstance(value, str | int | float | torch.Tensor):
        return value
    raise TypeError(f"{where} is {type(value).__name__}, which a checkpoint cannot hold")

"""A low-rank adapter: what a tuned model has that its base has not, and the tuned model made of the two.

The file is safetensors. For a matrix `name` of the base, `name:ROW.up` (n, r) and `name:ROW.down` (r, m)
add `up @ down` to its rows from ROW on (CTranslate2 stacks query, key and value); `name.delta` is
added as it is. The header names the base by the sha256 of its `model.bin`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from voice.errors import ModelDamaged
from voice.models.card import NAME as CARD
from voice.models.card import sha256
from voice.models.ct2 import Ct2Model, read_model, write_model
from voice.models.tensors import write_tensors

WEIGHTS = "model.bin"
ADAPTER = "adapter.safetensors"
NUMBER_TYPES = {"F16", "F32", "F64"}  # of its numbers, as safetensors calls them
_ROW = re.compile(r"[0-9]{1,9}")


def derive(base: Path, adapter: Path, out: Path) -> None:
    """Fill the folder `out` with the model that the folder `base` and the file `adapter` make.

    Beside `model.bin` it gets the base's other files, but no card: that belongs to whoever knows what
    the model is. Raises ModelDamaged where the two do not fit.
    """
    tensors, trained_on = read_adapter(adapter)
    if trained_on and trained_on != sha256(base / WEIGHTS):
        raise ModelDamaged(f"{adapter} was made for another model than {base}; fetch its own base again")
    out.mkdir(parents=True, exist_ok=True)
    for file in base.iterdir():
        if file.is_file() and file.name not in (WEIGHTS, CARD):
            shutil.copyfile(file, out / file.name)
    write_model(out / WEIGHTS, merge(read_model(base / WEIGHTS), tensors))


def merge(base: Ct2Model, adapter: Mapping[str, np.ndarray]) -> Ct2Model:
    """Return the base with the adapter's additions in its weights. Raises ModelDamaged if they do not fit."""
    changed: dict[str, np.ndarray] = {}
    for key in adapter:
        name, row, addition = _addition(base, adapter, key)
        if addition is None:
            continue
        whole = changed.get(name)
        if whole is None:
            whole = changed[name] = _weight(base, name).astype(np.float32)
        part = whole[row : row + len(addition)] if whole.ndim and addition.ndim else whole
        if part.shape != addition.shape:
            raise ModelDamaged(f"the adapter's {key} {addition.shape} does not fit {name} {whole.shape}")
        part += addition
    return base.with_tensors({n: whole.astype(base.tensors[n].dtype) for n, whole in changed.items()})


def _addition(
    base: Ct2Model, adapter: Mapping[str, np.ndarray], key: str
) -> tuple[str, int, np.ndarray | None]:
    """Return (name of the tensor, first row, addition from there).

    None for a `down`, which its `up` brings.
    """
    if key.endswith(".delta"):
        return key.removesuffix(".delta"), 0, adapter[key].astype(np.float32)
    place, _, side = key.rpartition(".")
    name, _, row = place.rpartition(":")
    if side not in ("up", "down") or not _ROW.fullmatch(row) or f"{place}.up" not in adapter:
        raise ModelDamaged(f'an adapter has no "{key}"; it has name:ROW.up, name:ROW.down and name.delta')
    if side == "down":
        return name, int(row), None
    if f"{place}.down" not in adapter:
        raise ModelDamaged(f'the adapter has "{key}", but no "{place}.down"')
    up, down = adapter[key], adapter[f"{place}.down"]
    whole = _weight(base, name)  # small factors may have a product that no memory holds
    flat = up.ndim == down.ndim == whole.ndim == 2
    if not flat or (up.shape[1], down.shape[1]) != (len(down), whole.shape[1]):
        raise ModelDamaged(f"the adapter's {key} {up.shape} {down.shape} does not fit {name} {whole.shape}")
    return name, int(row), up[: len(whole) + 1].astype(np.float32) @ down.astype(np.float32)


def _weight(base: Ct2Model, name: str) -> np.ndarray:
    if name not in base.tensors:
        raise ModelDamaged(f"the adapter changes {name}, which this base does not have")
    return base.tensors[name]


def read_adapter(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """Read a file's tensors, and the sha256 of the `model.bin` that they were trained on, "" if unknown."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            # Asked of the file, as NumPy knows further kinds once some other library has been imported.
            kinds = {file.get_slice(name).get_dtype() for name in file.keys()}
            if kinds <= NUMBER_TYPES:
                return {name: file.get_tensor(name) for name in file.keys()}, about.get("base_sha256", "")
        raise ModelDamaged(f"{path} holds numbers of kinds that an adapter has not; fetch it again")
    except (OSError, SafetensorError) as error:
        raise ModelDamaged(f"{path} cannot be read as an adapter ({error}); fetch it again") from error


def write_adapter(path: Path, tensors: Mapping[str, np.ndarray], base_sha256: str) -> None:
    """Write an adapter for the base whose `model.bin` has that sha256, whole or not at all."""
    write_tensors(path, tensors, {"format": "voice-adapter-1", "base_sha256": base_sha256})

"""Write named tensors to a safetensors file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def write_tensors(
    path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Write `tensors` and the `metadata` of the header, whole or not at all."""
    from safetensors.numpy import save

    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # safetensors' own save_file makes a file that no other account can read.
        beside.write_bytes(save(dict(tensors), dict(metadata) if metadata else None))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)

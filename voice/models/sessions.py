"""Opening an ONNX graph on the processor, and how much of one there is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

NOWHERE = os.path.join(os.sep, "voice-reads-no-weights-from-other-files")  # a stranger's graph could name any


def cores() -> int:
    """Return how many processor cores this process may use, or all if the system cannot tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_session(path: Path, *, threads: int, weights: Mapping[str, np.ndarray] | None = None) -> Any:
    """Open the graph at `path` as `session_of` does."""
    return session_of(path.read_bytes(), threads=threads, weights=weights)


def session_of(
    graph: bytes, *, threads: int, weights: Mapping[str, np.ndarray] | None = None, hoards: bool = False
) -> Any:
    """Return an onnxruntime session of a graph, whose `weights` may be given.

    Its threads sleep between calls: ones that wait awake slow down whatever runs between two calls,
    another graph or CTranslate2, to half its speed. Memory goes back when a call is over: kept for
    the next one, it holds as much as the longest call of each session ever took. A session that `hoards`
    keeps it even so, for small graphs that take a quarter longer over long inputs without it.
    Raises what onnxruntime raises.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", NOWHERE)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = options.enable_mem_pattern = hoards
    if weights:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
        options.add_external_initializers(list(weights), values)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

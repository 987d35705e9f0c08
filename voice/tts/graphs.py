"""Opening an ONNX graph of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelMissing


def open_graph(path: Path, *, threads: int = 1) -> Any:
    """An onnxruntime session of the graph at `path`, on the CPU. Raises ModelMissing, ModelDamaged."""
    import onnxruntime

    if not path.is_file():
        raise ModelMissing(f"there is no {path}; export it again with the recipe that trained it")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = threads, 1
    settings.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common class for what a broken file raises
        raise ModelDamaged(f"{path} is no graph that onnxruntime can load: {error}") from error


def reach_of(session: Any, otherwise: int) -> int:
    """How many frames on both sides of each a graph sees, as its file says, or else `otherwise`."""
    return int(session.get_modelmeta().custom_metadata_map.get("reach", otherwise))

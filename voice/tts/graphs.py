"""Opening an ONNX graph of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelMissing
from voice.models.sessions import session_of


def open_graph(path: Path, *, threads: int = 1) -> Any:
    """Open the graph at `path` as an onnxruntime session. Raises ModelMissing, ModelDamaged."""
    if not path.is_file():
        raise ModelMissing(f"there is no {path}; export it again with the recipe that trained it")
    try:
        return session_of(path.read_bytes(), threads=threads, hoards=True)
    except Exception as error:  # onnxruntime has no common class for what a broken file raises
        raise ModelDamaged(f"{path} is no graph that onnxruntime can load: {error}") from error


def reach_of(session: Any, otherwise: int) -> int:
    """Return how many frames on both sides of each a graph sees, as its file says, or else `otherwise`."""
    return int(session.get_modelmeta().custom_metadata_map.get("reach", otherwise))

"""Imports point downwards only. The order is the one of the design, written down here once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the bottom up: a module may import what stands on its own line or above. Names stand for
# packages too; the longest that fits counts.
LAYERS = [
    ["voice", "voice.types", "voice.errors", "voice.places"],
    ["voice.media"],
    ["voice.audio", "voice.features", "voice.pitch", "voice.text", "voice.metrics", "voice.manifest"],
    ["voice.vad", "voice.models"],
    ["voice.asr", "voice.tts", "voice.smart_turn"],
    ["voice.loading", "voice.commands"],
    ["voice.simple", "voice.agent"],
    ["voice.serve", "voice.demo"],
    ["voice.cli"],
    ["voice.__main__"],
    ["data"],
    ["recipes"],
    ["page"],
    ["app", "benchmarks"],
]
STRANGERS = [("voice.asr", "voice.tts"), ("voice.tts", "voice.asr"), ("app", "data"), ("app", "recipes")]
STRANGERS += [("page", "data"), ("page", "recipes")]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
OWN = ("voice", "data", "recipes", "page", "app", "benchmarks")


def modules() -> Iterator[tuple[str, Path]]:
    for top in OWN:
        for path in [ROOT / f"{top}.py", *sorted((ROOT / top).rglob("*.py"))]:
            if path.exists():
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside functions, for types only or not."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import; write the whole name"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in inner)


def layer(name: str) -> str:
    """The name in LAYERS that `name` belongs to."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in RANK and (end > 1 or len(parts) == 1 or parts[0] != "voice"):
            return ".".join(parts[:end])
    raise AssertionError(f"{name} has no place in the layers; give it one in {__file__}")


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_downwards(name):
    mine = layer(name)
    for imported in imports(MODULES[name]):
        if imported.split(".")[0] in OWN:
            theirs = layer(imported)
            assert RANK[theirs] <= RANK[mine], f"{name} imports {imported}, which is above it"
            assert (mine, theirs) not in STRANGERS, (
                f"{name} imports {imported}, which is none of its business"
            )


@pytest.mark.parametrize("name", [name for name in MODULES if name.split(".")[0] in ("voice", "page", "app")])
def test_inference_never_imports_what_only_training_has(name):
    if name == "voice.agent.brains.local_model":  # asked for by name, and imported inside its functions
        return
    training = {"torch", "torchaudio", "transformers", "speechbrain", "librosa", "peft", "accelerate", "onnx"}
    assert not training & {imported.split(".")[0] for imported in imports(MODULES[name])}

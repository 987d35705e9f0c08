"""Turn a run into what `voice.tts.vocoder.Vocoder` opens: `vocoder.onnx`, in eight bits, and its card.

    python -m recipes.vocoder.export --run runs/vocoder --out voice/models/pretrained/vocoder

The average of the weights is exported. Only the network is in the file; pulses, noise and the inverse
STFT are NumPy's part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from recipes import runs
from recipes.checkpoints import read_state
from recipes.evaluations import Measured, measured_in
from recipes.exporting import WITH_GELU, Weights, convert_weights, rows_about, save_graph, trace
from recipes.kept_weights import Which, read_kept
from recipes.options import option, parse
from recipes.vocoder.crops import load_corpus
from recipes.vocoder.model import Generator, Size
from recipes.vocoder.scores import on_card
from recipes.vocoder.train import RECIPE
from voice.features import VOICE_BANDS, VOICE_RATE
from voice.models.card import Card, hashes, write_card
from voice.tts.vocoder import FILE

EXACT = ("generator.spread",)  # multiplies the mel itself: a byte would hold it to half a decibel
TINY = Path(__file__).resolve().parents[2] / "data" / "tiny"


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/vocoder"), "folder that train.py wrote")
    out: Path | None = option(None, "folder for vocoder.onnx; the run's own if not given")
    license: str = option("Apache-2.0", "its license")
    description: str = option("Log-mel and pitch to speech, for any speaker", "for its card")
    origin: str = option("trained by recipes/vocoder", "what it was trained on, for its card")
    which: Which = option("average", "the newest average, or what the run kept of its best or last checks")
    weights: Weights = option("int8", "how matrices are stored and multiplied; float16 computes in float32")
    scores: Path | None = option(None, "a table by evaluate.py --json, for its card")


class Network(nn.Module):
    """The part of the generator that learned something: mel [1, 100, F], f0 [1, F] → parts [1, 5, F, 601]."""

    def __init__(self, generator: Generator):
        super().__init__()
        self.generator = generator

    def forward(self, frames: Tensor, f0: Tensor) -> Tensor:
        return self.generator.parts(frames, f0)


Arrays = dict[str, np.ndarray]


def examples() -> list[Arrays]:
    """Speech to see the ranges of inner values by."""
    clips = load_corpus([TINY / "train.jsonl"])
    wholes = (clips.whole(index) for index in range(len(clips.frames)))
    return [{"frames": whole.mel.numpy(), "f0": whole.f0.numpy()} for whole in wholes]


def load_run(run: Path, which: Which = "average") -> Generator:
    """Return the generator of a run with average weights, or with what it kept, ready to infer.

    Raises ModelMissing where there is no checkpoint, or no run.toml to say how large it is.
    """
    saved = read_state(run / "last.pt", f"python -m {RECIPE} --out {run}")
    trained = runs.read(run, RECIPE)
    generator = Generator(Size(**trained.model), trained.options["plain"])
    average = saved["parts"]["ema"]["weights"]
    generator.load_state_dict(average if which == "average" else read_kept(run, which, RECIPE))
    return generator.eval()


def export(generator: Generator, folder: Path, weights: Weights = "int8") -> Path:
    """Write `folder`/vocoder.onnx, whole or not at all; frames are dynamic."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    frames = torch.export.Dim("frames", min=1)
    given = torch.zeros(1, VOICE_BANDS, 40), torch.zeros(1, 40)
    dynamic = {"frames": {2: frames}, "f0": {1: frames}}
    graph = trace(Network(generator), given, dynamic, ["parts"], opset=WITH_GELU)
    model = convert_weights(graph, weights, examples() if weights == "int8" else (), EXACT)
    model.metadata_props.add(key="reach", value=str(generator.size.reach))  # for streaming
    save_graph(model, path)
    return path


def card_scores(folder: Path, table: Path | None) -> Measured:
    """Return what the card of the model in `folder` has of a table by evaluate.py."""
    rows = rows_about(folder, table, "system")
    scores = {name: value for row in rows for name, value in on_card(row).items()}
    clips = max((row["clips"] for row in rows), default=0)
    return measured_in("recipes.vocoder.evaluate", rows, "test", scores, {"clips": clips})


def main(o: Options) -> None:
    path = export(load_run(o.run, o.which), o.out or o.run, o.weights)
    files = hashes(path.parent, (FILE,))
    about = (VOICE_RATE, "any", o.license, o.description, o.origin)
    measured, name = card_scores(path.parent, o.scores), path.parent.name
    write_card(path.parent, Card(name, "vocoder", "source-filter", *about, files, {}, measured.scores,
                                 evaluation=measured.evaluation))  # fmt: skip
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

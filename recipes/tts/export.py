"""A trained model and a vocoder → a voice that `voice` speaks with: graphs, and the card that describes them.

    python -m recipes.tts.export --run runs/tts --vocoder runs/vocoder --speaker kathleen \
        --out voice/models/pretrained/kathleen

The averaged weights are exported, stored in half precision, computed with in single. Symbols that
training never met sound as the ones most like them. Predictions are means and vary less than speech does:
`--contrast` and `--liveliness` give some of that back. `--scores` takes a table by `evaluate.py --json`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from recipes.options import option, parse
from recipes.tts.corpus import Range
from recipes.tts.model import AcousticModel, FrameModel, SentenceModel, Shape
from recipes.exporting import halved
from voice.errors import ModelMissing, VoiceError
from voice.features import VOICE_RATE
from voice.models.card import Card, hashes, write_card
from voice.tts.acoustic import FEATURES, FRAMES_FILE, SYMBOLS, TEXT_FILE, Manner
from voice.tts.vocoder import FILE as VOCODER_FILE

STAND_INS = {
    "!": ".", "?": ".", "…": ",", ":": ";", "—": ",", "“": '"', "”": '"', '"': " ", "(": ",", ")": ",",
    "Q": "O", "a": "ɑ", "e": "A", "o": "O", "ɒ": "ɑ", "ɚ": "ə", "r": "ɹ", "x": "k", "ɾ": "T", "ʔ": "t",
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/tts"), "folder that train.py wrote")
    vocoder: Path = option(Path("runs/vocoder"), "folder of a vocoder's run, or one with vocoder.onnx")
    speaker: tuple[str, ...] = option(("kathleen",), "speaker to export, the default one first (repeatable)")
    out: Path = option(Path("voice/models/pretrained/kathleen"), "the model folder to write")
    contrast: float = option(1.25, "factor on the predicted mel's departures from its mean")
    liveliness: float = option(1.2, "factor on the predicted pitch's departures from its mean")
    pace: float = option(1.0, "factor on the predicted durations")
    gain: float = option(1.4, "factor on the samples, for speakers who were recorded quietly")
    half: bool = option(True, "store weights as float16, half the size")
    license: str = option("Apache-2.0", "its license")
    description: str = option("An American woman over fifty, from 52 minutes of her reading", "for its card")
    origin: str = option(
        "trained by recipes/tts and recipes/vocoder on the corpus kathleen (CC0), and beside it on LJ Speech "
        "(public domain) and on speech by heart (Apache-2.0)", "for its card",
    )  # fmt: skip
    scores: Path | None = option(None, "a table by evaluate.py --json, for its card")


class TextGraph(nn.Module):
    """tokens [1, L], speaker [1] → hidden [1, L, width], durations, pitch, energy [1, L]"""

    def __init__(self, model: SentenceModel):
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, speaker: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        said = self.model(tokens, speaker, torch.ones_like(tokens, dtype=torch.float32)[..., None])
        return said.hidden, said.duration, said.pitch, said.energy


class FramesGraph(nn.Module):
    """hidden [1, F, width], features [1, F, FEATURES] → mel [1, F, 100], curve [1, F], voicing [1, F]"""

    def __init__(self, model: FrameModel):
        super().__init__()
        self.model = model

    def forward(self, hidden: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        drawn = self.model(hidden, features, torch.ones_like(features[..., :1]))
        return drawn.mel, drawn.curve, drawn.voicing


@dataclass(frozen=True, eq=False)
class Run:
    """What a run has learned: the model with averaged weights, the speakers' ranges, the steps done."""

    model: AcousticModel
    spans: dict[str, Range]
    step: int


def load_run(folder: Path) -> Run:
    """Raises ModelMissing where there is no checkpoint."""
    path = folder / "last.pt"
    if not path.exists():
        raise ModelMissing(f"there is no {path}; `python -m recipes.tts.train --out {folder}` makes one")
    saved = torch.load(path, map_location="cpu", weights_only=False)
    recipe = saved["parts"]["recipe"]
    model = AcousticModel(Shape(**recipe["shape"]))
    model.load_state_dict(saved["parts"]["ema"]["weights"] | saved["parts"]["melody"]["weights"])
    _stand_in(model, _untrained(model, saved["parts"]["optimizer"]))
    return Run(model.eval(), {name: Range(**span) for name, span in recipe["spans"].items()}, saved["step"])


def _untrained(model: AcousticModel, optimizer: dict[str, Any]) -> set[str]:
    """The symbols that no gradient has ever reached: Adam's mean of its squares is still zero there."""
    index = [id(p) for p in model.parameters()].index(id(model.sentence.symbols.weight))
    squares = optimizer["state"][index]["exp_avg_sq"].sum(1)
    return {SYMBOLS[i] for i in torch.nonzero(squares == 0).flatten().tolist()}


def _stand_in(model: AcousticModel, untrained: set[str]) -> None:
    weights = model.sentence.symbols.weight.data
    for symbol in untrained & STAND_INS.keys():
        other = STAND_INS[symbol]
        while other in untrained and other in STAND_INS:
            other = STAND_INS[other]
        weights[SYMBOLS.index(symbol)] = weights[SYMBOLS.index(other)]


def keep_speakers(model: AcousticModel, names: Sequence[str]) -> None:
    """Only these speakers, in this order. Raises VoiceError for one that the run does not know."""
    known = model.shape.speakers
    unknown = [name for name in names if name not in known]
    if unknown:
        raise VoiceError(f"the run has no speaker {unknown[0]}; it has {', '.join(known)}")
    rows = model.sentence.speakers.weight.data[[known.index(name) for name in names]]
    model.sentence.speakers = nn.Embedding.from_pretrained(rows)


def write_graphs(model: AcousticModel, folder: Path, half: bool = True) -> None:
    """text.onnx and frames.onnx; sentences of any length, one at a time."""
    tokens, frames = torch.export.Dim("tokens", min=2), torch.export.Dim("frames", min=2)
    sentence = (torch.zeros(1, 20, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))
    said = ["hidden", "durations", "pitch", "energy"]
    dynamic = {"tokens": {1: tokens}, "speaker": {}}
    _write(TextGraph(model.sentence), sentence, dynamic, said, folder / TEXT_FILE, half)
    reach = model.shape.decoder * (model.shape.kernel // 2)
    drawn = (torch.zeros(1, 40, model.shape.width), torch.zeros(1, 40, FEATURES))
    dynamic = {"hidden": {1: frames}, "features": {1: frames}}
    drawn_as = ["mel", "curve", "voicing"]
    _write(FramesGraph(model.frames), drawn, dynamic, drawn_as, folder / FRAMES_FILE, half, reach)


def _write(
    graph: nn.Module, example: tuple[Tensor, ...], dynamic: dict[str, dict], outputs: list[str],
    path: Path, half: bool, reach: int | None = None,
) -> None:  # fmt: skip
    """`reach`: frames on both sides of each that the graph sees, for streaming."""
    import onnx

    program = torch.onnx.export(
        graph.eval(), example, input_names=list(dynamic), output_names=outputs, dynamic_shapes=dynamic,
        opset_version=18, dynamo=True, verbose=False,
    )  # fmt: skip
    proto = program.model_proto
    if reach is not None:
        proto.metadata_props.add(key="reach", value=str(reach))
    onnx.save(halved(proto) if half else proto, path)


def write_vocoder(source: Path, folder: Path, half: bool = True) -> None:
    """A run is exported, a folder's vocoder.onnx copied."""
    if (source / "last.pt").exists():
        from recipes.vocoder.export import export, load_run

        export(load_run(source), folder, half)
    elif (source / VOCODER_FILE).exists():
        shutil.copyfile(source / VOCODER_FILE, folder / VOCODER_FILE)
    else:
        raise ModelMissing(f"{source} holds neither a run of recipes.vocoder.train nor {VOCODER_FILE}")


def export(run: Run, options: Options) -> Path:
    """Writes the model folder; its card comes last, so that a broken export is not taken for a voice."""
    keep_speakers(run.model, options.speaker)
    run.model.frames.mel_spread *= options.contrast
    options.out.parent.mkdir(parents=True, exist_ok=True)
    files = (TEXT_FILE, FRAMES_FILE, VOCODER_FILE)
    with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".export-") as beside:
        stage = Path(beside)
        write_graphs(run.model, stage, options.half)
        write_vocoder(options.vocoder, stage, options.half)
        write_card(stage, _card(run, options, hashes(stage, files)))
        options.out.mkdir(exist_ok=True)
        for name in (*files, "model.toml"):
            os.replace(stage / name, options.out / name)
    return options.out


def _card(run: Run, options: Options, files: dict[str, str]) -> Card:
    factors = (options.liveliness, options.pace, options.gain)
    manners = {
        name: asdict(Manner(span.pitch_mean, span.pitch_spread, *factors))
        for name, span in ((name, run.spans[name]) for name in options.speaker)
    }
    return Card(
        options.out.name, "voice", "acoustic", VOICE_RATE, "en", options.license, options.description,
        options.origin, files, {"speakers": manners, "steps": run.step},
        measured(options.scores, options.out.name),
    )  # fmt: skip


def measured(table: Path | None, voice: str) -> dict[str, Any]:
    """What the card says of a table by evaluate.py."""
    if table is None:
        return {}
    rows = [row for row in json.loads(table.read_text("utf-8")) if Path(row["system"]).name == voice]
    rates = {f"{row['test']} WER": round(row["rate"], 4) for row in rows}
    return rates | {"command": f"python -m recipes.tts.evaluate --voice {voice}"}


def main(options: Options) -> None:
    run = load_run(options.run)
    folder = export(run, options)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(f"{folder}: {size:.1f} MB, {run.step} steps")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

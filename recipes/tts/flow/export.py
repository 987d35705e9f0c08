"""What a run of flow matching learned, and a vocoder → a voice that `voice` speaks with.

    python -m recipes.tts.flow.export --run runs/flow --speaker anna --consent statement.toml --out my-voice

The averaged weights are exported, with the steps of the flow's differential equation drawn out in the graph.
The vocoder is the one that comes with voice, or `--vocoder FOLDER` by `recipes.vocoder.export`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from recipes.checkpoints import read_state
from recipes.exporting import WITH_GELU, Dynamic, Weights, convert_weights, save_graph, trace
from recipes.kept_weights import Which, read_kept
from recipes.options import option, parse
from recipes.tts.export import card_scores
from recipes.tts.flow.model import FlowModel
from recipes.tts.flow.train import RECIPE, Setup
from recipes.tts.preparation.consent import read_consent
from recipes.tts.trained import check_speakers, copy_stand_ins, untrained_symbols
from voice.features import VOICE_RATE
from voice.models import find
from voice.models.card import Card, hashes, write_card
from voice.tts.flow_matching import CHANNELS, FLOW_FILE, TEXT_FILE, FlowSpeaker
from voice.tts.frames import FEATURES
from voice.tts.vocoder import FILE as VOCODER_FILE

FILES = (TEXT_FILE, FLOW_FILE, VOCODER_FILE)


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/flow"), "folder that train.py wrote")
    speaker: tuple[str, ...] = option((), "speaker to export, the default one first (repeatable)")
    out: Path = option(Path("runs/flow-voice"), "the model folder to write")
    vocoder: str = option("vocoder", "what makes sound of the mel: a name or a folder")
    euler: int = option(8, "steps of the differential equation")
    temperature: float = option(0.667, "of the noise that the flow begins with")
    liveliness: float = option(1.0, "factor on the drawn pitch's departures from its mean")
    pace: float = option(1.0, "factor on the predicted durations")
    gain: float = option(1.0, "factor on the samples, for speakers who were recorded quietly")
    which: Which = option("average", "the newest average, or what the run kept of its checks")
    weights: Weights = option("float16", "how matrices are stored; float16 computes in float32")
    license: str = option("not stated", "its license")
    description: str = option("", "who speaks, for its card")
    consent: str | None = option(None, "whose voice it is and that they agreed: a statement, or a TOML file")
    origin: str = option("trained by recipes/tts/flow", "what it was trained on, for its card")
    scores: Path | None = option(None, "a table by evaluate.py --json, for its card")


class TextGraph(nn.Module):
    """tokens [1, L], speaker [1] → hidden [1, L, text], lengths [1, L], logarithms of one plus frames"""

    def __init__(self, model: FlowModel):
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, speaker: Tensor) -> tuple[Tensor, Tensor]:
        return self.model.encode(tokens, speaker, torch.ones_like(tokens, dtype=torch.float32)[..., None])


class FlowGraph(nn.Module):
    """hidden [1, F, text], features [1, F, FEATURES], noise [1, F, CHANNELS] → frames [1, F, CHANNELS]"""

    def __init__(self, model: FlowModel, steps: int):
        super().__init__()
        self.model, self.steps = model, steps

    def forward(self, hidden: Tensor, features: Tensor, noise: Tensor) -> Tensor:
        return self.model.sample(hidden, features, noise, torch.ones_like(noise[..., :1]), self.steps)


@dataclass(frozen=True, eq=False)
class Trained:
    """The averaged weights of a run, what its speakers' numbers are in, and the steps it took."""

    model: FlowModel
    setup: Setup
    steps: int


def load_run(folder: Path, which: Which = "average") -> Trained:
    """Return what a run learned, ready to infer; symbols it never met have the vector of their nearest.

    Raises ModelMissing, ModelDamaged.
    """
    saved = read_state(folder / "last.pt", f"python -m {RECIPE} --out {folder}")
    setup = Setup.of_run(folder)
    model, parts = FlowModel(setup.shape), saved["parts"]
    model.load_state_dict(parts["ema"]["weights"] if which == "average" else read_kept(folder, which, RECIPE))
    symbols = model.text.emb
    copy_stand_ins(symbols, untrained_symbols(model, symbols, parts["optimizer"]))
    return Trained(model.eval(), setup, saved["step"])


def keep_speakers(run: Trained, names: tuple[str, ...]) -> FlowModel:
    """Return the model with these speakers alone, in this order. Raises VoiceError for an unknown one."""
    rows = check_speakers(names, run.setup.shape.speakers)
    model = deepcopy(run.model)
    model.text.speakers = nn.Embedding.from_pretrained(model.text.speakers.weight.data[rows])
    return model


def write_graphs(model: FlowModel, folder: Path, euler: int, weights: Weights) -> None:
    """Write both graphs of a model; sentences of any length, one by one."""
    text = torch.zeros(1, 20, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    dynamic: Dynamic = {"tokens": {1: torch.export.Dim("tokens", min=2)}, "speaker": {}}
    graph = trace(TextGraph(model), text, dynamic, ["hidden", "lengths"], opset=WITH_GELU)
    save_graph(convert_weights(graph, weights), folder / TEXT_FILE)
    frames = torch.export.Dim("frames", min=2)
    widths = {"hidden": model.shape.text, "features": FEATURES, "noise": CHANNELS}
    given = tuple(torch.zeros(1, 40, width) for width in widths.values())
    dynamic = {name: {1: frames} for name in widths}
    graph = trace(FlowGraph(model, euler), given, dynamic, ["frames"], opset=WITH_GELU)
    save_graph(convert_weights(graph, weights), folder / FLOW_FILE)


def export(run: Trained, o: Options) -> Path:
    """Write the model folder; its card comes last, so that a broken export is not taken for a voice.

    Raises NoConsent, ModelMissing, VoiceError.
    """
    agreed = read_consent(o.consent).table()
    model, vocoder = keep_speakers(run, o.speaker), find(o.vocoder, kind="vocoder").folder
    o.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=o.out.parent, prefix=".export-") as beside:
        stage = Path(beside)
        write_graphs(model, stage, o.euler, o.weights)
        shutil.copyfile(vocoder / VOCODER_FILE, stage / VOCODER_FILE)
        speakers = {name: asdict(_speaker(run, o, name)) for name in o.speaker}
        options = {"speakers": speakers, "steps": run.steps, "euler": o.euler}
        measured = card_scores(o.out, o.scores)
        card = Card(
            o.out.name, "voice", "flow-matching", VOICE_RATE, "en", o.license, o.description, o.origin,
            hashes(stage, FILES), options, measured.scores, agreed, evaluation=measured.evaluation,
        )  # fmt: skip
        write_card(stage, card)
        o.out.mkdir(exist_ok=True)
        for name in (*FILES, "model.toml"):
            os.replace(stage / name, o.out / name)
    return o.out


def _speaker(run: Trained, o: Options, name: str) -> FlowSpeaker:
    """Return what the card says of a speaker."""
    span = run.setup.ranges[name]
    return FlowSpeaker(span.pitch_mean, span.pitch_spread, o.temperature, o.liveliness, o.pace, o.gain)


def main(o: Options) -> None:
    run = load_run(o.run, o.which)
    folder = export(run, o)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(f"{folder}: {size:.1f} MB, {run.steps} steps")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

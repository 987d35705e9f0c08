"""A trained model and a vocoder → a voice that `voice` speaks with: graphs, and the card that describes them.

    python -m recipes.tts.export --run runs/tts --vocoder runs/vocoder --speaker kathleen \
        --out voice/models/pretrained/kathleen

The averaged weights are exported; what is computed per frame is multiplied in eight bits. Symbols that
training never met sound as the ones most like them. Predictions are means and vary less than speech does:
`--contrast` and `--liveliness` give some of that back. `--scores` takes a table by `evaluate.py --json`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recipes.options import option, parse
from recipes.tts import texts
from recipes.tts.corpus import tokens_of
from recipes.tts.model import NOISES, AcousticModel, FrameModel, SentenceModel, Shape
from recipes.tts.train import Recipe
from recipes.exporting import Weights, stored
from voice.errors import ModelMissing, VoiceError
from voice.features import VOICE_RATE
from voice.models.card import Card, hashes, read_card, write_card
from voice.text.frontend import read_aloud
from voice.tts.acoustic import (
    BOUNDARY,
    FEATURES,
    FRAMES_FILE,
    SYMBOLS,
    TEXT_FILE,
    Manner,
    frame_features,
    token_frames,
)
from voice.tts.vocoder import FILE as VOCODER_FILE

STAND_INS = {
    "!": ".", "?": ".", "…": ",", ":": ";", "—": ",", "“": '"', "”": '"', '"': " ", "(": ",", ")": ",",
    "Q": "O", "a": "ɑ", "e": "A", "o": "O", "ɒ": "ɑ", "ɚ": "ə", "r": "ɹ", "x": "k", "ɾ": "T", "ʔ": "t",
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/tts"), "folder that train.py wrote")
    prosody: Path = option(Path("runs/prosody"), "folder that train_prosody.py wrote")
    vocoder: Path = option(Path("runs/vocoder"), "folder of a vocoder's run, or one with vocoder.onnx")
    speaker: tuple[str, ...] = option(("kathleen",), "speaker to export, the default one first (repeatable)")
    out: Path = option(Path("voice/models/pretrained/kathleen"), "the model folder to write")
    contrast: float = option(1.25, "factor on the predicted mel's departures from its mean")
    liveliness: float = option(1.0, "factor on the predicted pitch's departures from its mean")
    temperature: tuple[float, ...] = option((0.4, 1.0, 0.6), "of the flow, for length, pitch and energy")
    pace: float = option(1.0, "factor on the predicted durations")
    gain: float = option(1.4, "factor on the samples, for speakers who were recorded quietly")
    weights: Weights = option("int8", "how matrices are stored and multiplied; float16 is computed in float32")
    license: str = option("Apache-2.0", "its license")
    description: str = option("An American woman over fifty, from 52 minutes of her reading", "for its card")
    origin: str = option(
        "trained by recipes/tts and recipes/vocoder on the corpus kathleen (CC0), and beside it on LJ Speech "
        "(public domain) and on speech by heart (Apache-2.0)", "for its card",
    )  # fmt: skip
    voices: Path | None = option(None, "a list of voices instead, such as voices.toml; --out then holds their folders")
    scores: Path | None = option(None, "a table by evaluate.py --json, for its card")


PROSODY = "sentence.prosody."


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
    recipe: Recipe
    step: int


def load_run(folder: Path, prosody: Path | None = None) -> Run:
    """The sounds of one run, the prosody of another (none: random). Raises ModelMissing, or VoiceError where they
    have different speakers."""
    saved = _checkpoint(folder, "train")
    recipe = Recipe(Shape(("",)), {})
    recipe.load_state_dict(saved["parts"]["recipe"])
    model = AcousticModel(recipe.shape)
    weights = model.state_dict() | {
        name: value for name, value in saved["parts"]["ema"]["weights"].items() if not name.startswith(PROSODY)
    }
    if prosody is not None:
        learned = _checkpoint(prosody, "train_prosody")["parts"]
        if tuple(learned["recipe"]["shape"]["speakers"]) != tuple(recipe.shape.speakers):
            raise VoiceError(f"{folder} and {prosody} have different speakers: train both on the same features")
        weights |= {PROSODY + name: value for name, value in learned["best"]["weights"].items()}
    model.load_state_dict(weights)
    _stand_in(model, _untrained(model, saved["parts"]["optimizer"]))
    return Run(model.eval(), recipe, saved["step"])


def _checkpoint(folder: Path, script: str) -> dict[str, Any]:
    path = folder / "last.pt"
    if not path.exists():
        raise ModelMissing(f"there is no {path}; `python -m recipes.tts.{script} --out {folder}` makes one")
    return torch.load(path, map_location="cpu", weights_only=False)


def spirited(model: AcousticModel, temperature: Sequence[float]) -> None:
    """Gives prosody the noise that it speaks from, the same in every export; temperatures of length, pitch, energy."""
    noise = torch.randn(NOISES, len(temperature), generator=torch.Generator().manual_seed(0))
    model.sentence.prosody.noise.copy_(noise * torch.tensor(temperature))


def _untrained(model: AcousticModel, optimizer: dict[str, Any]) -> set[str]:
    """The symbols that no gradient has ever reached: Adam's mean of its squares is still zero there."""
    index = [id(p) for p in model.parameters()].index(id(model.sentence.symbols.weight))
    squares = optimizer["state"][index]["exp_avg_sq"].sum(1)
    return {SYMBOLS[i] for i in torch.nonzero(squares == 0).flatten().tolist()}


def _stand_in(model: AcousticModel, untrained: set[str]) -> None:
    for symbol in untrained & STAND_INS.keys():
        other = STAND_INS[symbol]
        while other in untrained and other in STAND_INS:
            other = STAND_INS[other]
        for part in (model.sentence, model.sentence.prosody):
            part.symbols.weight.data[SYMBOLS.index(symbol)] = part.symbols.weight.data[SYMBOLS.index(other)]


def keep_speakers(model: AcousticModel, names: Sequence[str]) -> None:
    """Only these speakers, in this order. Raises VoiceError for one that the run does not know."""
    known = model.shape.speakers
    unknown = [name for name in names if name not in known]
    if unknown:
        raise VoiceError(f"the run has no speaker {unknown[0]}; it has {', '.join(known)}")
    for part in (model.sentence, model.sentence.prosody):
        rows = part.speakers.weight.data[[known.index(name) for name in names]]
        part.speakers = nn.Embedding.from_pretrained(rows)


def write_graphs(model: AcousticModel, folder: Path, weights: Weights = "int8") -> None:
    """text.onnx and frames.onnx; sentences of any length, one at a time. The former, which runs once a
    sentence, is never multiplied in integers."""
    tokens, frames = torch.export.Dim("tokens", min=2), torch.export.Dim("frames", min=2)
    sentence = (torch.zeros(1, 20, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))
    said = ["hidden", "durations", "pitch", "energy"]
    text = _graph(TextGraph(model.sentence), sentence, {"tokens": {1: tokens}, "speaker": {}}, said)
    _save(stored(text, "float16" if weights == "int8" else weights), folder / TEXT_FILE)
    drawn = (torch.zeros(1, 40, model.shape.width), torch.zeros(1, 40, FEATURES))
    dynamic = {"hidden": {1: frames}, "features": {1: frames}}
    graph = _graph(FramesGraph(model.frames), drawn, dynamic, ["mel", "curve", "voicing"])
    shown = [given for given, _ in examples(model)] if weights == "int8" else ()
    _save(stored(graph, weights, shown), folder / FRAMES_FILE, model.shape.decoder * (model.shape.kernel // 2))


def _graph(graph: nn.Module, example: tuple[Tensor, ...], dynamic: dict[str, dict], outputs: list[str]):
    program = torch.onnx.export(
        graph.eval(), example, input_names=list(dynamic), output_names=outputs, dynamic_shapes=dynamic,
        opset_version=20, dynamo=True, verbose=False,
    )  # fmt: skip
    return program.model_proto


def _save(proto, path: Path, reach: int | None = None) -> None:
    """`reach`: frames on both sides of each that the graph sees, for streaming."""
    import onnx

    if reach is not None:
        proto.metadata_props.add(key="reach", value=str(reach))
    onnx.save(proto, path)


Arrays = dict[str, np.ndarray]


@torch.no_grad()
def examples(model: AcousticModel, count: int = 12) -> list[tuple[Arrays, Arrays]]:
    """What the frames' graph and the vocoder are given for invented sentences, each speaker in turn."""
    found = []
    readings = (reading for text in texts.invented(1) for reading in read_aloud(text) if reading.phonemes)
    for number, reading in enumerate(islice(readings, count * len(model.shape.speakers))):
        symbols = BOUNDARY + "".join(p for p in reading.phonemes if p in SYMBOLS) + BOUNDARY
        tokens = torch.from_numpy(tokens_of(symbols).astype(np.int64))[None]
        speaker = torch.tensor([number % model.sentence.speakers.num_embeddings])
        said = model.sentence(tokens, speaker, torch.ones(1, len(symbols), 1))
        durations = token_frames(symbols, torch.expm1(said.duration[0]).numpy())
        index, features = frame_features(durations, said.pitch[0].numpy(), said.energy[0].numpy())
        hidden, features = said.hidden[:, index], torch.from_numpy(features)[None]
        drawn = model.frames(hidden, features, torch.ones(1, len(index), 1))
        hertz = torch.exp(5.2 + 0.3 * drawn.curve) * (drawn.voicing > 0)
        sound = {"mel": drawn.mel.transpose(1, 2).numpy(), "f0": hertz.numpy()}
        found.append(({"hidden": hidden.numpy(), "features": features.numpy()}, sound))
    return found


def write_vocoder(source: Path, folder: Path, weights: Weights = "int8", drawn: Sequence[Arrays] = ()) -> None:
    """A run is exported, a folder's vocoder.onnx copied. `drawn`: what it will be given, besides recordings."""
    if (source / "last.pt").exists():
        from recipes.vocoder.export import export, load_run

        export(load_run(source), folder, weights, drawn)
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
        write_graphs(run.model, stage, options.weights)
        write_vocoder(options.vocoder, stage, options.weights, [sound for _, sound in examples(run.model)])
        write_card(stage, _card(run, options, hashes(stage, files)))
        options.out.mkdir(exist_ok=True)
        for name in (*files, "model.toml"):
            os.replace(stage / name, options.out / name)
    return options.out


def _card(run: Run, options: Options, files: dict[str, str]) -> Card:
    manners = {name: _manner(run, options, name) for name in options.speaker}
    return Card(
        options.out.name, "voice", "acoustic", VOICE_RATE, "en", options.license, options.description,
        options.origin, files, {"speakers": manners, "steps": run.step},
        measured(options.scores, options.out.name),
    )  # fmt: skip


def _manner(run: Run, options: Options, speaker: str) -> dict[str, float]:
    span = run.recipe.spans[speaker]
    return asdict(Manner(span.pitch_mean, span.pitch_spread, options.liveliness, options.pace, options.gain))


def export_all(run: Run, options: Options) -> Path:
    """The voices that a file lists: the first gets the model's folder, the others cards that point to it."""
    rows = tomllib.loads(options.voices.read_text("utf-8"))
    first, speakers = next(iter(rows)), tuple(row["speaker"] for row in rows.values())
    told = {row["speaker"]: replace(options, gain=row["gain"], liveliness=row["liveliness"]) for row in rows.values()}
    manners = {speaker: _manner(run, told[speaker], speaker) for speaker in speakers}
    whole = export(run, replace(options, speaker=speakers, out=options.out / first))
    files = read_card(whole).files
    for name, row in rows.items():
        shared = {} if name == first else {"graphs": f"../{first}"}
        listed = files if name == first else {f"../{first}/{file}": value for file, value in files.items()}
        chosen = shared | {"speaker": row["speaker"], "speakers": manners, "steps": run.step}
        about = (row["license"], row["description"], row["origin"])
        folder = options.out / name
        folder.mkdir(exist_ok=True)
        scores = measured(options.scores, name)
        write_card(folder, Card(name, "voice", "acoustic", VOICE_RATE, "en", *about, listed, chosen, scores))
    return whole


def measured(table: Path | None, voice: str) -> dict[str, Any]:
    """What the card says of a table by evaluate.py."""
    if table is None:
        return {}
    rows = [row for row in json.loads(table.read_text("utf-8")) if Path(row["system"]).name == voice]
    rates = {f"{row['test']} WER": round(row["rate"], 4) for row in rows}
    return rates | {"command": f"python -m recipes.tts.evaluate --system {voice}"}


def main(options: Options) -> None:
    run = load_run(options.run, options.prosody)
    spirited(run.model, options.temperature)
    folder = export_all(run, options) if options.voices else export(run, options)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(f"{folder}: {size:.1f} MB, {run.step} steps")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

"""What two runs learned, sounds and prosody → a voice that `voice` speaks with: graphs, and their card.

    python -m recipes.tts.export --run runs/sounds --prosody runs/prosody --speaker kathleen \
        --out voice/models/pretrained/kathleen

The averaged weights are exported; the sounds' matrices are multiplied in eight bits. Symbols that
training never met are spoken as the ones most like them. Predicted pitch varies less than speech does:
`--temperature` and `--liveliness` give that back. `--scores` takes a table by `evaluate.py --json`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recipes.checkpoints import read_state
from recipes.exporting import Weights, rows_about, stored
from recipes.options import option, parse
from recipes.tts import texts
from recipes.tts.corpus import tokens_of
from recipes.tts.model import NOISES, CurveModel, ProsodyModel, SpeakingModel
from recipes.tts.sounds import MAGNITUDES, Decoder, SoundModel, TextModel, spectrum
from recipes.tts.train import size_of
from recipes.tts.train_prosody import Setup
from voice.errors import VoiceError
from voice.features import VOICE_RATE
from voice.models.card import GRAPHS, PRETRAINED, Card, hashes, read_card, write_card
from voice.text.alphabet import BOUNDARY, SYMBOLS
from voice.text.english.language import ENGLISH
from voice.text.frontend import spoken_sentences
from voice.tts.acoustic import CURVES_FILE, SOUNDS_FILE, TEXT_FILE, SpeakerStats
from voice.tts.frames import FEATURES, frame_features, token_frames
from voice.tts.stft import BINS

HEARD = -1.5  # logarithm of a frame's amplitude above which it counts for the mean that contrast departs from
FILES = (TEXT_FILE, CURVES_FILE, SOUNDS_FILE)
STAND_INS = {
    "!": ".", "?": ".", "…": ",", ":": ";", "—": ",", "“": '"', "”": '"', '"': " ", "(": ",", ")": ",",
    "Q": "O", "a": "ɑ", "e": "A", "o": "O", "ɒ": "ɑ", "ɚ": "ə", "r": "ɹ", "x": "k", "ɾ": "T", "ʔ": "t",
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/sounds"), "folder that train.py wrote")
    prosody: Path = option(Path("runs/prosody"), "folder that train_prosody.py wrote")
    speaker: tuple[str, ...] = option(("kathleen",), "speaker to export, the default one first (repeatable)")
    out: Path = option(Path("voice/models/pretrained/kathleen"), "the model folder to write")
    contrast: tuple[float, ...] = option(
        (), "factor on the predicted spectra's departures from their mean; for every speaker one (repeatable)"
    )
    liveliness: float = option(1.0, "factor on the predicted pitch's departures from its mean")
    temperature: tuple[float, ...] = option((0.4, 1.0, 0.6), "of the flow, for length, pitch and energy")
    pace: float = option(1.0, "factor on the predicted durations")
    gain: float = option(1.0, "factor on the samples, for speakers who were recorded quietly")
    weights: Weights = option("int8", "how matrices are stored and multiplied; float16 computes in float32")
    license: str = option("Apache-2.0", "its license")
    description: str = option("", "who speaks, for its card")
    origin: str = option(
        "hibari-tts 0.2.1's network (Apache-2.0), changed by recipes/tts",
        "what it was trained on, for its card",
    )
    voices: Path | None = option(
        None, "a list of voices instead, such as voices.toml; --out then holds their folders"
    )
    scores: Path | None = option(None, "a table by evaluate.py --json, for its card")
    start: Path | None = option(
        None, "where to write all speakers' sounds too, for other voices to begin with"
    )


class TextGraph(nn.Module):
    """tokens [1, L], speaker [1] → for the curves and for the sounds [1, L, width];
    durations, pitch, energy [1, L]"""

    def __init__(self, prosody: ProsodyModel, curves: CurveModel, text: TextModel):
        super().__init__()
        self.prosody, self.curves, self.text = prosody, curves, text

    def forward(self, tokens: Tensor, speaker: Tensor) -> tuple[Tensor, ...]:
        mask = torch.ones_like(tokens, dtype=torch.float32)[..., None]
        said = self.prosody.said(tokens, speaker, mask).unbind(-1)
        return self.curves.hidden(tokens, speaker, mask), self.text(tokens, speaker, mask), *said


class CurvesGraph(nn.Module):
    """hidden [1, F, width], features [1, F, FEATURES] → pitch, loudness and voicing [1, F, 3]"""

    def __init__(self, model: CurveModel):
        super().__init__()
        self.model = model

    def forward(self, hidden: Tensor, features: Tensor) -> Tensor:
        return self.model(hidden, features, torch.ones_like(features[..., :1]))


class SoundsGraph(nn.Module):
    """frames [1, text + 1, F], f0 [1, F], speaker [1] → parts [1, 5, F, 601]"""

    def __init__(self, decoder: Decoder, middle: Tensor, contrast: Sequence[float]):
        """`middle` [S, 3, 601]: each speaker's mean magnitudes; `contrast` drives predictions away."""
        super().__init__()
        self.decoder = decoder
        factor = torch.tensor(contrast)[:, None]
        self.factor = nn.Embedding.from_pretrained(factor)
        self.offset = nn.Embedding.from_pretrained(middle.flatten(1) * (1 - factor))

    def forward(self, frames: Tensor, f0: Tensor, speaker: Tensor) -> Tensor:
        raw = self.decoder.raw(frames, f0, speaker)
        plain = [raw[:, :, i] for i in MAGNITUDES]
        factor = self.factor(speaker)[:, None]
        offsets = self.offset(speaker).unflatten(1, (3, 1, BINS)).unbind(1)
        sharper = [part * factor + offset for part, offset in zip(plain, offsets, strict=True)]
        louder = _level(sharper) - _level(plain)  # how loud a frame is stays as it was
        return spectrum(raw, [part - louder for part in sharper])


def _level(magnitudes: Sequence[Tensor]) -> Tensor:
    """Three times [1, F, 601] → [1, F, 1] logarithm of each frame's amplitude, by every eighth bin."""
    return torch.logsumexp(2 * torch.cat([each[..., ::8] for each in magnitudes], 2), 2, keepdim=True) / 2


@dataclass(frozen=True, eq=False)
class Run:
    """What two runs have learned: averaged weights, the speakers' ranges, and the steps of the sounds."""

    sounds: SoundModel
    speaking: SpeakingModel
    setup: Setup
    step: int
    speakers: tuple[str, ...]  # in the order of the models' tables


def load_run(folder: Path, prosody: Path) -> Run:
    """The sounds of one run, the prosody of another.

    Raises ModelMissing, or VoiceError where they have different speakers.
    """
    saved, learned = _checkpoint(folder, "train"), _checkpoint(prosody, "train_prosody")["parts"]
    setup = Setup.of_run(prosody, learned)
    sounds, speaking = SoundModel(size_of(folder, saved["parts"])), SpeakingModel(setup.shape)
    if tuple(sounds.size.speakers) != tuple(setup.shape.speakers):
        raise VoiceError(f"{folder} and {prosody} have different speakers: train both on the same features")
    sounds.load_state_dict(saved["parts"]["ema"]["weights"])
    speaking.load_state_dict(learned["ema"]["weights"] | learned["best"]["weights"])
    for model in (speaking.prosody, speaking.curves):
        _stand_in(model.symbols, _untrained(speaking, model.symbols, learned["optimizer"]))
    return Run(sounds.eval(), speaking.eval(), setup, saved["step"], setup.shape.speakers)


def _checkpoint(folder: Path, script: str) -> dict[str, Any]:
    return read_state(folder / "last.pt", f"python -m recipes.tts.{script} --out {folder}")


def spirited(prosody: ProsodyModel, temperature: Sequence[float]) -> None:
    """Gives prosody the noise that it speaks from, the same in every export.

    `temperature`: those of length, pitch and energy.
    """
    noise = torch.randn(NOISES, len(temperature), generator=torch.Generator().manual_seed(0))
    prosody.noise.copy_(noise * torch.tensor(temperature))


def _untrained(model: nn.Module, symbols: nn.Embedding, optimizer: dict[str, Any]) -> set[str]:
    """The symbols that no gradient has ever reached: Adam's mean of its squares is still zero there."""
    index = [id(p) for p in model.parameters()].index(id(symbols.weight))
    squares = optimizer["state"][index]["exp_avg_sq"].sum(1)
    return {SYMBOLS[i] for i in torch.nonzero(squares == 0).flatten().tolist()}


def _stand_in(symbols: nn.Embedding, untrained: set[str]) -> None:
    for symbol in untrained & STAND_INS.keys():
        other = STAND_INS[symbol]
        while other in untrained and other in STAND_INS:
            other = STAND_INS[other]
        symbols.weight.data[SYMBOLS.index(symbol)] = symbols.weight.data[SYMBOLS.index(other)]


def keep_speakers(run: Run, names: Sequence[str]) -> Run:
    """With only these speakers, in this order. Raises VoiceError for one that the runs do not know."""
    known = run.speakers
    unknown = [name for name in names if name not in known]
    if unknown:
        raise VoiceError(f"the run has no speaker {unknown[0]}; it has {', '.join(known)}")
    if len(set(names)) < len(names):
        raise VoiceError("a speaker is named twice; one voice for each is enough")
    rows = [known.index(name) for name in names]
    run = deepcopy(run)
    speaking, sounds = run.speaking, run.sounds
    tables = [(part, "speakers") for part in (speaking.prosody, speaking.curves, sounds.text)]
    for part, table in (*tables, (sounds.decoder, "tones")):
        setattr(part, table, nn.Embedding.from_pretrained(getattr(part, table).weight.data[rows]))
    return replace(run, speakers=tuple(names))


def write_graphs(run: Run, folder: Path, weights: Weights = "int8", contrast: Sequence[float] = ()) -> None:
    """The three graphs, with each speaker's contrast (none: 1); sentences of any length, one at a time.

    The text's, which runs once a sentence, is never multiplied in integers, and the curves' is small.
    """
    tokens, frames = torch.export.Dim("tokens", min=2), torch.export.Dim("frames", min=2)
    plain = "float16" if weights == "int8" else weights
    speaking, sounds, one = run.speaking, run.sounds, torch.zeros(1, dtype=torch.int64)
    graph = TextGraph(speaking.prosody, speaking.curves, sounds.text)
    said = ["hidden", "sounds", "durations", "pitch", "energy"]
    given = torch.zeros(1, 20, dtype=torch.int64), one
    text = _graph(graph, given, {"tokens": {1: tokens}, "speaker": {}}, said)
    _save(stored(text, plain), folder / TEXT_FILE)

    given = torch.zeros(1, 40, speaking.shape.width), torch.zeros(1, 40, FEATURES)
    dynamic = {"hidden": {1: frames}, "features": {1: frames}}
    curves = _graph(CurvesGraph(speaking.curves), given, dynamic, ["curves"])
    _save(stored(curves, plain), folder / CURVES_FILE, speaking.curves.reach)

    given = torch.zeros(1, sounds.size.text + 1, 40), torch.zeros(1, 40), one
    dynamic = {"frames": {2: frames}, "f0": {1: frames}, "speaker": {}}
    contrast = contrast or [1.0] * len(run.speakers)
    if len(contrast) != len(run.speakers):
        count = f"{len(contrast)} times for {len(run.speakers)} speakers"
        raise VoiceError(f"--contrast was given {count}: give one for each")
    shown = examples(run)
    graph = SoundsGraph(sounds.decoder, _middles(run, shown), contrast)
    decoder = _graph(graph, given, dynamic, ["parts"])
    decoder = stored(decoder, weights, shown if weights == "int8" else ())
    _save(decoder, folder / SOUNDS_FILE, sounds.size.reach)


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
def examples(run: Run, count: int = 8) -> list[Arrays]:
    """What the decoder is given for invented sentences, each speaker in turn."""
    found, speakers = [], run.sounds.text.speakers.num_embeddings
    readings = (reading for text in texts.invented(1) for reading in spoken_sentences(text, ENGLISH))
    for number, reading in enumerate(islice(readings, count * speakers)):
        symbols = BOUNDARY + "".join(p for p in reading.phonemes if p in SYMBOLS) + BOUNDARY
        found.append(_frames(run, symbols, number % speakers))
    return found


@torch.no_grad()
def _middles(run: Run, shown: Sequence[Arrays]) -> Tensor:
    """[S, 3, 601] the logarithms that the decoder predicts for each speaker, their mean over sound."""
    found: dict[int, list[Tensor]] = {}
    for given in shown:
        raw = run.sounds.decoder.raw(*(torch.from_numpy(given[name]) for name in ("frames", "f0", "speaker")))
        loud = given["frames"][0, -1]
        heard = loud >= min(HEARD, np.quantile(loud, 0.75))  # who was recorded quietly has loudest frames too
        found.setdefault(int(given["speaker"][0]), []).append(raw[0, heard])
    return torch.stack([torch.cat(found[speaker]).mean(0)[list(MAGNITUDES)] for speaker in sorted(found)])


def _frames(run: Run, symbols: str, speaker: int) -> Arrays:
    """As the runtime would, with a pitch that any speaker may have."""
    tokens = torch.from_numpy(tokens_of(symbols).astype(np.int64))[None]
    given = tokens, torch.tensor([speaker]), torch.ones(1, len(symbols), 1)
    duration, pitch, energy = run.speaking.prosody.said(*given)[0].unbind(-1)
    durations = token_frames(symbols, torch.expm1(duration).numpy())
    index, features = frame_features(durations, pitch.numpy(), energy.numpy())
    hidden = run.speaking.curves.hidden(*given)[:, index]
    frames = torch.from_numpy(features)[None], torch.ones(1, len(index), 1)
    curve, loud, voicing = run.speaking.curves(hidden, *frames).unbind(-1)
    span = run.setup.ranges[run.speakers[speaker]]
    hertz = torch.exp(span.pitch_mean + span.pitch_spread * curve) * (voicing > 0)
    loud = loud * span.energy_spread + span.energy_mean
    frames = torch.cat([run.sounds.text(*given)[0, index].T, loud])
    return {"frames": frames[None].numpy(), "f0": hertz.numpy(), "speaker": np.array([speaker], np.int64)}


def export(run: Run, options: Options) -> Path:
    """Writes the model folder; its card comes last, so that a broken export is not taken for a voice."""
    run = keep_speakers(run, options.speaker)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".export-") as beside:
        stage = Path(beside)
        write_graphs(run, stage, options.weights, options.contrast)
        write_card(stage, _card(run, options, hashes(stage, FILES)))
        options.out.mkdir(exist_ok=True)
        for name in (*FILES, "model.toml"):
            os.replace(stage / name, options.out / name)
    return options.out


def _card(run: Run, options: Options, files: dict[str, str]) -> Card:
    manners = {name: _manner(run, options, name) for name in options.speaker}
    return Card(
        options.out.name, "voice", "acoustic", VOICE_RATE, "en", options.license, options.description,
        options.origin, files, {"speakers": manners, "steps": run.step},
        measured(options.out, options.scores),
    )  # fmt: skip


def _manner(run: Run, options: Options, speaker: str) -> dict[str, float]:
    span = run.setup.ranges[speaker]
    return asdict(
        SpeakerStats(**asdict(span), liveliness=options.liveliness, pace=options.pace, gain=options.gain)
    )


def export_all(run: Run, options: Options) -> Path:
    """The voices that a file lists: the first gets the model's folder, the others a copy of its graphs, or,
    where they come with this package, cards that point to it."""
    rows = tomllib.loads(options.voices.read_text("utf-8"))
    first, speakers = next(iter(rows)), tuple(row["speaker"] for row in rows.values())
    told = {
        row["speaker"]: replace(options, gain=row["gain"], liveliness=row["liveliness"])
        for row in rows.values()
    }
    manners = {speaker: _manner(run, told[speaker], speaker) for speaker in speakers}
    contrast = tuple(row.get("contrast", 1.0) for row in rows.values())
    whole = export(run, replace(options, speaker=speakers, contrast=contrast, out=options.out / first))
    files, shares = read_card(whole).files, options.out.resolve() == PRETRAINED.resolve()
    for name, row in rows.items():
        folder = options.out / name
        folder.mkdir(exist_ok=True)
        shared, listed = {}, files
        if name != first and shares:
            shared = {GRAPHS: f"../{first}"}
            listed = {f"../{first}/{file}": value for file, value in files.items()}
        elif name != first:
            for file in files:
                shutil.copyfile(whole / file, folder / file)
        chosen = shared | {"speaker": row["speaker"], "speakers": manners, "steps": run.step}
        about = (row["license"], row["description"], row["origin"])
        scores = measured(folder, options.scores)
        write_card(folder, Card(name, "voice", "acoustic", VOICE_RATE, "en", *about, listed, chosen, scores))
    return whole


def measured(folder: Path, table: Path | None) -> dict[str, Any]:
    """What the card of the voice in `folder` says of a table by evaluate.py."""
    rows = rows_about(folder, table, "system")
    rates = {f"{row['test']} WER": round(row["rate"], 4) for row in rows}
    scores = {f"{row['test']} Distill-MOS": round(row["mos"], 2) for row in rows if row["mos"] is not None}
    most = max((row["sentences"] for row in rows), default=0)
    command = f"python -m recipes.tts.evaluate --system {folder.name} --limit {most}"
    return rates | scores | {"command": command} if rows else {}


def write_start(run: Run, path: Path) -> None:
    """What `train.py --warm-start` takes: the sounds' weights in half precision, with the speakers' names."""
    from safetensors.torch import save_file

    weights = {name: value.half().contiguous() for name, value in run.sounds.state_dict().items()}
    save_file(weights, path, {"speakers": ",".join(run.sounds.size.speakers)})


def main(options: Options) -> None:
    run = load_run(options.run, options.prosody)
    if options.start:
        write_start(run, options.start)
    spirited(run.speaking.prosody, options.temperature)
    folder = export_all(run, options) if options.voices else export(run, options)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(f"{folder}: {size:.1f} MB, {run.step} steps")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

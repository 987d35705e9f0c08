"""Writes a run of train.py as a model: `encoder.onnx`, its units, an n-gram model, and the card.

    python -m recipes.ctc.export --run runs/ctc --out my-recognizer --name mine
    python -m recipes.ctc.export --run runs/ctc --lm lm.arpa.gz --out my-recognizer --name mine
    voice transcribe talk.mp3 --model my-recognizer

The attention decoder helps the encoder to learn and stays behind. What the beam search weighs is set on the
card; recipes.ctc.evaluate finds it on dev clips.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from recipes import runs
from recipes.asr.evaluate import card_scores
from recipes.ctc.building import RECIPE, Architecture, Weights, read_model
from recipes.ctc.model import CTCModel
from recipes.exporting import save_graph, to_float16, trace
from recipes.options import option, parse
from voice.asr.ctc.beam_search import SearchOptions
from voice.asr.ctc.ngram import NgramModel
from voice.asr.ctc.recognizer import ENCODER_FILE, FEATURE_WIDTHS, INPUTS, OUTPUTS, SAMPLE_RATE
from voice.asr.ctc.units import UNITS_FILE
from voice.models.card import Card, check_name, hashes, write_card

ENGINE = "ctc"
EXAMPLE_ROWS, EXAMPLE_FRAMES = 2, 200


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/ctc"), "the run's folder")
    out: Path = option(Path("my-recognizer"), "the folder to write")
    name: str = option("mine", "what it is called")
    weights: Weights = option("best", "the best on dev, or the last step's average")
    lm: Path | None = option(None, "an ARPA file, plain or .gz, to search with")
    beam: int = option(
        SearchOptions.beam, "hypotheses that are kept; 1 takes the likeliest label of each frame"
    )
    lm_weight: float = option(SearchOptions.lm_weight, "weight of the n-gram model's log-probability")
    word_bonus: float = option(SearchOptions.word_bonus, "added for each word, with an n-gram model")
    unknown_word: float = option(SearchOptions.unknown_word, "added for each word that it does not know")
    label_floor: float = option(SearchOptions.label_floor, "nats below a frame's best that are followed")
    chunk: float = option(0.0, "seconds after which a frame sees no further; 0 is the whole utterance")
    license: str = option("Apache-2.0", "of the weights: that of what they were trained on, too")
    origin: str = option("", "where the model is from")
    description: str = option("", "one line")
    scores: Path | None = option(None, "a table that recipes.asr.evaluate wrote, for the card")


def export_encoder(model: CTCModel, inputs: int, path: Path, *, example_frames: int = EXAMPLE_FRAMES) -> None:
    """Write a network as ONNX, whole or not at all: weights as float16, batch and frames dynamic."""
    batch, frames = torch.export.Dim("batch", min=1), torch.export.Dim("frames", min=2)
    lengths = torch.tensor([example_frames] + [example_frames // 2] * (EXAMPLE_ROWS - 1))
    examples = torch.zeros(EXAMPLE_ROWS, example_frames, inputs), lengths, torch.tensor(8)
    shapes = zip(INPUTS, ({0: batch, 1: frames}, {0: batch}, {}), strict=True)
    save_graph(to_float16(trace(model, examples, dict(shapes), OUTPUTS)), path)


def settings(run: runs.Run, options: Options) -> dict[str, Any]:
    """Return the options of the card."""
    architecture = Architecture.of(run.options)
    found: dict[str, Any] = {
        "features": architecture.features, "frame": float(architecture.frame), "chunk": float(options.chunk),
        "lead": float(architecture.frame), "beam": options.beam,
    }  # fmt: skip
    if options.lm:
        found |= {"language_model": language_model_file(options.lm), "lm_weight": float(options.lm_weight)}
        found |= {"word_bonus": float(options.word_bonus), "unknown_word": float(options.unknown_word)}
        found["label_floor"] = float(options.label_floor)
    return found


def language_model_file(path: Path) -> str:
    """Return the name of an ARPA file in a model's folder."""
    return "lm.arpa.gz" if path.suffix == ".gz" else "lm.arpa"


def summary(run: runs.Run, classes: int) -> str:
    """Return one line on what the model is."""
    start = f"from {Path(run.base.name).name}" if run.base else "from scratch"
    return f"CTC recognizer trained {start}, {classes - 1} {run.options['units']}"


def main(options: Options) -> None:
    check_name(options.name, "--name")
    run = runs.read(options.run, RECIPE)
    model, encode = read_model(options.run, run, options.weights)
    options.out.mkdir(parents=True, exist_ok=True)
    files = [ENCODER_FILE, UNITS_FILE]
    if options.lm:
        NgramModel.read(options.lm)  # so that a damaged one is found now
        files.append(language_model_file(options.lm))
        shutil.copyfile(options.lm, options.out / files[-1])
    kind = Architecture.of(run.options).features
    frames = 4000 if kind == "samples" else EXAMPLE_FRAMES
    export_encoder(model, FEATURE_WIDTHS[kind], options.out / ENCODER_FILE, example_frames=frames)
    encode.units.write(options.out)
    origin = options.origin or "trained by recipes/ctc" + (f" from {run.base.name}" if run.base else "")
    measured = card_scores(options.out, options.scores)
    card = Card(
        options.name, "recognizer", ENGINE, SAMPLE_RATE, run.options["language"], options.license,
        options.description or summary(run, encode.units.classes), origin, hashes(options.out, files),
        settings(run, options), measured.scores, evaluation=measured.evaluation,
    )  # fmt: skip
    write_card(options.out, card)
    size = sum(path.stat().st_size for path in options.out.iterdir()) / 1e6
    print(f"{options.out}: {size:.1f} MB")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

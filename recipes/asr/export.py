"""Makes a model folder of a run, for `--model`: what differs from the base, or the whole.

    python -m recipes.asr.export --run runs/quick --out voice/models/pretrained/quick
    python -m recipes.asr.export --run runs/mine --whole --name mine --out my-recognizer

The run's `run.toml` says what it started from and in which language and context; another `--base`,
`--language` or `--context` is refused. The first command writes `adapter.safetensors`
(9 MB at rank 32), from which the model is derived on first use; the second a folder that
CTranslate2 opens. Both get their card.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import WhisperForConditionalGeneration

from recipes import runs
from recipes.asr import graphs, scoring
from recipes.asr import model as whisper
from recipes.asr.evaluate import card_scores
from recipes.asr.head import INSIDE, head_like, head_of, saved_head
from recipes.asr.head import export as export_head
from recipes.asr.train import RECIPE
from recipes.checkpoints import read_state
from recipes.kept_weights import read_kept
from recipes.options import option, parse
from voice.errors import ModelError
from voice.features import WHISPER_RATE
from voice.models import Model, entries, find, quantized
from voice.models.adapter import ADAPTER, WEIGHTS, write_adapter
from voice.models.card import BASE, Card, check_name, hashes, sha256, write_card
from voice.models.ct2 import read_model


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/quick"), "the run's folder")
    out: Path | None = option(None, "the model folder to write; NAME in the run's folder if not given")
    weights: Literal["best", "average", "last", "averaged-best", "averaged-last"] = option(
        "best", "of the best dev score, the newest, or the mean of what --keep-best or --average-last kept"
    )
    head: Path | None = option(None, "the run whose CTC head goes with it, if not its own")
    base: str | None = option(None, "where the model that the run started from is now, if it has moved")
    whole: bool = option(False, "write whole weights instead of what differs from the base")
    name: str | None = option(None, "the model's name; that of its folder if not given, or of the run's")
    language: str | None = option(None, "its language; the run's, or refused")
    context: Literal["utterance", "full"] | None = option(
        None, "what its encoder sees; the run's, or refused"
    )
    license: str | None = option(None, "its license; that of the base if not given")
    description: str | None = option(None, "for its card; by default what the run did")
    origin: str | None = option(None, "where it comes from; by default the base and this recipe")
    scores: Path | None = option(None, "a table by evaluate.py --json, for its card")


def read_weights(run: Path, which: str) -> dict[str, torch.Tensor]:
    """Return the weights that a run has learned, by their names in the model. Raises ModelError."""
    if which in ("average", "last"):
        parts = read_state(run / "last.pt", f"python -m {RECIPE} --out {run}")["parts"]
        weights = parts["average"]["weights"] if which == "average" else parts["weights"]
    else:
        weights = read_kept(run, which, RECIPE)
    return {whisper.parameter_name(name): value for name, value in weights.items()}


def load_tuned(base: Path, weights: dict[str, torch.Tensor]) -> WhisperForConditionalGeneration:
    """Return the base with learned weights in it, low-rank or whole, as their names tell."""
    model = whisper.load(base)
    ranks = {value.shape[0] for name, value in weights.items() if ".lora_A." in name}
    if ranks:
        whisper.add_low_rank(model, ranks.pop())
    inside = INSIDE.replace("/", ".")
    head = {name.removeprefix(inside): value for name, value in weights.items() if name.startswith(inside)}
    if head:
        model.letters = head_like(head)
    unknown = model.load_state_dict(weights, strict=False).unexpected_keys
    if unknown:
        raise ModelError(f"the run has weights that {base} does not have ({unknown[0]}); give its own --base")
    return model


def start_of(run: runs.Run, options: Options) -> tuple[str, Model]:
    """Return the name that the base of the run is found by, and the base.

    Raises ModelError where another model is called so, or where only its whole weights could be written.
    """
    assert run.base is not None  # train.py always says it
    name = options.base or run.base.name
    if not options.whole and name not in entries():
        raise ModelError(f"{name} is none of `voice models` to derive from; export with --whole")
    base = find(name)
    if scoring.fingerprint(base.folder) != run.base.sha256:
        raise ModelError(
            f"{options.run} did not start from {name} but from another model, called {run.base.name}: "
            "give --base the folder where that is"
        )
    return name, base


def summary(run: runs.Run, base: str) -> str:
    """Return one line on what the run made of its base."""
    title = Path(base).name.replace("-", " ").capitalize()
    learned = "transcripts" if run.options["labels"] == "text" else "its own transcripts"
    utterance = run.options["context"] == "utterance"
    return f"{title} tuned to the length of the utterance" if utterance else f"{title} tuned to {learned}"


def destination(options: Options) -> tuple[Path, str]:
    """Return the folder of the model and its name. Raises ModelDamaged where that is none."""
    named = options.name or (options.out or options.run).absolute().name
    check_name(named, "--name")
    return options.out or options.run / named, named


def main(options: Options) -> None:
    out, called = destination(options)
    run = runs.read(options.run, RECIPE)
    context = run.option("context", options.context, options.run)
    language = run.option("language", options.language, options.run)
    if run.options["whole"] and not options.whole:
        raise ModelError(f"{options.run} trained all weights; export it with --whole")
    name, start = start_of(run, options)
    if not options.whole and called == name:
        raise ModelError(f"--name {called}: a model cannot be called like its base; choose another name")
    base = start.folder
    model = load_tuned(base, read_weights(options.run, options.weights))
    out.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {"context": context}
    if options.whole:
        scoring.write_folder(model, base, out)
        files = [name for name in (WEIGHTS, *scoring.SMALL_FILES) if (out / name).exists()]
    else:
        tensors = {name: tensor.numpy() for name, tensor in whisper.adapter_tensors(model).items()}
        write_adapter(out / ADAPTER, tensors, sha256(base / WEIGHTS))
        settings[BASE], files = name, [ADAPTER]
    files += [path.name for path in graphs.write(out, graphs.Shape.of(read_model(base / WEIGHTS)))]
    if options.whole:
        quantized.complete(out)
        files.append(quantized.QUANTIZED)
    if options.head:
        model.letters = saved_head(options.head)
    if hasattr(model, "letters"):
        files.append(export_head(head_of(model), out).name)
    origin = options.origin or f"{start.card.origin or name}; tuned by recipes/asr"
    measured = card_scores(out, options.scores)
    card = Card(
        called, "recognizer", "whisper", WHISPER_RATE, language, options.license or start.card.license,
        options.description or summary(run, name), origin,
        hashes(out, files), settings, measured.scores, evaluation=measured.evaluation,
    )  # fmt: skip
    write_card(out, card)
    size = sum(path.stat().st_size for path in out.iterdir()) / 1e6
    print(f"{out}: {size:.1f} MB")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

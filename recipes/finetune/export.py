"""Makes a folder of a run that `voice` and its own library open.

    python -m recipes.finetune.export --run runs/mine --out my-model --name mine
    voice transcribe talk.mp3 --model hf:my-model     # of a voice: voice speak "Hello." --voice hf:my-model

Low-rank additions are put into the weights. The folder holds weights as safetensors, the configuration and
the tokenizer as transformers writes them, and a card; that of a Whisper has none, because it is converted for
CTranslate2 when it is first used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from recipes import runs
from recipes.checkpoints import read_state
from recipes.finetune.adapting import load_trained, merge_low_rank
from recipes.finetune.bases import base_folder, describe_base
from recipes.finetune.evaluate import card_scores
from recipes.finetune.tasks import Task
from recipes.finetune.train import RECIPE, Options, open_adapted
from recipes.kept_weights import read_kept
from recipes.options import option, parse, restore
from voice.errors import VoiceError
from voice.models.card import Card, check_name, hashes, write_card
from voice.models.converting import is_convertible
from voice.models.hub.folders import HYPERPARAMETERS, SPEECHBRAIN, TRANSFORMERS

Kept = Literal["best", "last", "averaged-best", "averaged-last"]


@dataclass(frozen=True)
class ExportOptions:
    run: Path = option(Path("runs/finetuned"), "the run's folder")
    out: Path = option(Path("finetuned"), "the model folder to write")
    weights: Kept = option("best", "of the best dev score, the newest, or the mean of what was kept")
    base: str | None = option(None, "where the model that the run started from is now, if it has moved")
    name: str = option("finetuned", "the model's name")
    license: str = option("unknown", "its license: that of the base and of the recordings")
    description: str | None = option(None, "for its card; by default what the run did")
    scores: Path | None = option(None, "a table by evaluate.py --json, for its card")


def open_trained(run: Path, options: ExportOptions) -> tuple[Task, runs.Run]:
    """Return the task of a run with the weights that it has learned, low-rank additions put in.

    Raises ModelError for a run without such weights, VoiceError where its base is another one now.
    """
    about = runs.read(run, RECIPE)
    assert about.base is not None  # train.py always says it
    folder = base_folder(options.base or about.base.name)
    if describe_base("", folder).sha256 != about.base.sha256:
        raise VoiceError(
            f"{run} did not start from {folder} as it is now: give --base the folder where that is"
        )
    task = open_adapted(replace(restore(Options, about.options), out=run), folder)
    load_trained(task.module, saved_weights(run, options.weights))
    merge_low_rank(task.module)
    task.module.eval()
    return task, about


def saved_weights(run: Path, which: Kept) -> dict[str, torch.Tensor]:
    """Return the weights that a run has learned. Raises ModelError."""
    if which != "last":
        return read_kept(run, which, RECIPE)
    saved = read_state(run / "last.pt", f"python -m {RECIPE} --out {run}")
    return saved["parts"]["weights"] | saved["parts"]["statistics"]


def main(options: ExportOptions) -> None:
    check_name(options.name, "--name")
    task, run = open_trained(options.run, options)
    options.out.mkdir(parents=True, exist_ok=True)
    task.save(options.out)
    if not is_convertible(options.out):
        write_card(options.out, card_of(task, run, options))
    size = sum(path.stat().st_size for path in options.out.iterdir()) / 1e6
    use = "transcribe FILE --model" if task.kind == "recognizer" else "speak TEXT --voice"
    print(f"{options.out}: {size:.1f} MB; voice {use} hf:{options.out}")


def card_of(task: Task, run: runs.Run, options: ExportOptions) -> Card:
    """Return the card of what was exported."""
    assert run.base is not None
    engine = SPEECHBRAIN if (options.out / HYPERPARAMETERS).is_file() else TRANSFORMERS
    files = sorted(
        path.name for path in options.out.iterdir() if path.is_file() and path.name != "model.toml"
    )
    about = options.description or f"{run.base.name} tuned to transcripts"
    measured = card_scores(options.out, options.scores)
    return Card(
        options.name, task.kind, engine, task.rate, str(run.options["language"]), options.license, about,
        f"{run.base.name}; tuned by recipes/finetune", hashes(options.out, files), run.model,
        measured.scores, evaluation=measured.evaluation,
    )  # fmt: skip


if __name__ == "__main__":
    main(parse(ExportOptions, description=__doc__))

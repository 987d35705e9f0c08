"""Trains the small network that says how long, high and loud each phoneme is.

    python -m recipes.tts.train_prosody --features runs/tts-data/kathleen-train.npz \
        --features runs/tts-data/heart-train.npz --dev runs/tts-data/kathleen-dev.npz --out runs/prosody

It sees tokens, not frames, so that thousands of steps take minutes. Besides the means it learns a flow (Lipman et al.
2023) from noise to what was said: means alone are flat. The weights that the dev set likes best are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch

from data.batching import batches_from, prefetch
from recipes.options import option, parse
from recipes.training import Checkpoint, Deadline, Ema, Progress, autocast, evaluating, seed_everything, warm_cosine
from recipes.tts import corpus
from recipes.tts.corpus import Batch, Utterance
from recipes.tts.model import ProsodyModel, Shape
from recipes.tts.train import Recipe
from voice.errors import VoiceError

WEIGHTS = {"duration": 1.0, "pitch": 0.3, "energy": 0.3, "flow": 1.0}


@dataclass(frozen=True)
class Options:
    features: tuple[Path, ...] = option((), "file that prepare.py made, to train on (repeatable)")
    dev: tuple[Path, ...] = option((), "file to choose the weights by (repeatable)")
    out: Path = option(Path("runs/prosody"), "folder of the run")
    steps: int = option(4000, "steps in all")
    minutes: float | None = option(None, "stop after so many minutes, resumably")
    batch_tokens: int = option(1200, "tokens a batch, padding included")
    rate: float = option(1e-3, "peak learning rate")
    decay: float = option(0.05, "of the weights")
    threads: int = option(1, "CPU threads")
    seed: int = option(0, "of the weights, the dropout and the data order")
    save_every: int = option(250, "steps between checkpoints, and between scores on the dev set")
    fresh: bool = option(False, "start over even where there is a run")


def main(options: Options) -> None:
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    utterances = [u for path in options.features for u in corpus.read(path)]
    if not utterances:
        raise VoiceError("there is nothing to learn from: give --features what recipes.tts.prepare made")
    spans = corpus.ranges(utterances)
    recipe, best = Recipe(Shape(speakers=tuple(spans)), spans), Best()
    model = ProsodyModel(recipe.shape)
    optimizer = torch.optim.AdamW(model.parameters(), options.rate, betas=(0.9, 0.98), weight_decay=options.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warm_cosine(step, 100, options.steps))
    ema = Ema(model, 0.998)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "ema": ema, "recipe": recipe,
             "best": best}  # fmt: skip
    checkpoint = Checkpoint(options.out, parts)
    done = 0 if options.fresh else checkpoint.restore()
    dev = [recipe.batch([u], torch.device("cpu")) for path in options.dev for u in corpus.read(path)]
    order = batches_from(done, [len(u.tokens) for u in utterances], options.batch_tokens, seed=options.seed)
    batches = prefetch(order, lambda item: _batch(recipe, [utterances[i] for i in item[1]]), ahead=2)

    with Deadline(options.minutes) as deadline:
        progress = Progress(options.out, first=done, steps=options.steps, deadline=deadline)
        while done < options.steps and not deadline.passed:
            with autocast(torch.device("cpu")):
                parts = model.loss(next(batches))
            loss = sum(WEIGHTS[name] * part for name, part in parts.items())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            ema.update(model)
            done += 1
            progress.step(done, {name: part.detach() for name, part in parts.items()})
            if done % options.save_every == 0 or done == options.steps:
                found = dev_losses(recipe, ema, dev)
                best.consider(found, ema)
                progress.scores(done, found)
                checkpoint.save(done)
        checkpoint.save(done)
        batches.close()
        progress.close()


class Best:
    """The averaged weights when the dev set liked them best."""

    def __init__(self) -> None:
        self.loss, self.weights = math.inf, {}

    def consider(self, found: dict[str, float], ema: Ema) -> None:
        if found["flow"] < self.loss:
            weights = {name: value.clone() for name, value in ema.weights.items()}
            self.loss, self.weights = found["flow"], weights

    def state_dict(self) -> dict:
        return {"loss": self.loss, "weights": self.weights}

    def load_state_dict(self, state: dict) -> None:
        self.loss, self.weights = state["loss"], state["weights"]


def _batch(recipe: Recipe, utterances: list[Utterance]) -> Batch:
    return recipe.batch(utterances, torch.device("cpu"))


def dev_losses(recipe: Recipe, ema: Ema, dev: list[Batch]) -> dict[str, float]:
    """Of the averaged weights, with the same noise each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ProsodyModel(recipe.shape)
        model.load_state_dict(ema.weights)
        with evaluating(model):
            found = [model.loss(batch) for batch in dev]
    return {name: float(torch.stack([each[name] for each in found]).mean()) for name in found[0]}


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

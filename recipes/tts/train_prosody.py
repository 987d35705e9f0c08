"""Trains the small networks that say how long, high and loud each phoneme is, and each of its frames.

    python -m recipes.tts.train_prosody --features runs/tts-data/kathleen-train.npz \
        --features runs/tts-data/heart-train.npz --dev runs/tts-data/kathleen-dev.npz --out runs/prosody

They see no spectra, so that thousands of steps take minutes. Of phonemes, a flow (Lipman et al. 2023) from
noise to what was said is learned besides the means, which alone are flat. Of either network the weights that
the dev set likes best are kept.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from data.batching import batches_from, prefetch
from recipes.options import option, parse
from recipes.training import (
    Checkpoint,
    Deadline,
    Ema,
    Progress,
    autocast,
    evaluating,
    seed_everything,
    warm_cosine,
)
from recipes.tts import corpus
from recipes.tts.corpus import Batch, Range, Utterance
from recipes.tts.model import Shape, SpeakingModel
from voice.errors import VoiceError

WEIGHTS = {
    "duration": 1.0,
    "pitch": 0.3,
    "energy": 0.3,
    "flow": 1.0,
    "curve": 1.0,
    "loudness": 1.0,
    "voicing": 1.0,
}
JUDGED = {
    "prosody.": ("flow",),
    "curves.": ("curve", "loudness", "voicing"),
}  # each network's losses on the dev set


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
    watched = [u for path in options.dev for u in corpus.read(path) if u.speaker in spans]
    if not watched:
        raise VoiceError("give --dev what recipes.tts.prepare made of recordings by the same speakers")
    recipe, best = Recipe(Shape(speakers=tuple(spans)), spans), Best()
    model = SpeakingModel(recipe.shape)
    optimizer = torch.optim.AdamW(
        model.parameters(), options.rate, betas=(0.9, 0.98), weight_decay=options.decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: warm_cosine(step, 100, options.steps)
    )
    ema = Ema(model, 0.998)
    kept = {
        "recipe": recipe,
        "model": model,
        "optimizer": optimizer,
        "schedule": schedule,
        "ema": ema,
        "best": best,
    }
    checkpoint = Checkpoint(options.out, kept)
    done = 0 if options.fresh else checkpoint.restore()
    dev = [recipe.batch([u], torch.device("cpu")) for u in watched]
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


class Recipe:
    """The models' shape and the speakers' ranges, kept in the checkpoint so that it describes itself."""

    def __init__(self, shape: Shape, spans: dict[str, Range]):
        self.shape, self.spans = shape, spans

    def state_dict(self) -> dict:
        spans = {name: asdict(span) for name, span in self.spans.items()}
        return {"shape": asdict(self.shape), "spans": spans}

    def load_state_dict(self, state: dict) -> None:
        """Raises VoiceError where the run is of other speakers than this one, if it has any."""
        if self.spans and set(self.spans) != set(state["spans"]):
            raise VoiceError(
                f"the run there is of {', '.join(state['spans'])}: another --out, or --fresh to start over"
            )
        self.shape = Shape(**state["shape"])
        self.spans = {name: Range(**span) for name, span in state["spans"].items()}

    def batch(self, utterances: list[Utterance], device: torch.device) -> Batch:
        examples = [corpus.example(u, self.spans[u.speaker]) for u in utterances]
        speakers = [self.shape.speakers.index(u.speaker) for u in utterances]
        return corpus.collate(examples, speakers, device)


class Best:
    """Each network's averaged weights when the dev set liked them best."""

    def __init__(self) -> None:
        self.losses, self.weights = dict.fromkeys(JUDGED, math.inf), {}

    def consider(self, found: dict[str, float], ema: Ema) -> None:
        for network, names in JUDGED.items():
            loss = sum(found[name] for name in names)
            if loss < self.losses[network]:
                self.losses[network] = loss
                own = {name: value.clone() for name, value in ema.weights.items() if name.startswith(network)}
                self.weights |= own

    def state_dict(self) -> dict:
        return {"losses": self.losses, "weights": self.weights}

    def load_state_dict(self, state: dict) -> None:
        self.losses, self.weights = state["losses"], state["weights"]


def _batch(recipe: Recipe, utterances: list[Utterance]) -> Batch:
    return recipe.batch(utterances, torch.device("cpu"))


def dev_losses(recipe: Recipe, ema: Ema, dev: list[Batch]) -> dict[str, float]:
    """Of the averaged weights, with the same noise each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SpeakingModel(recipe.shape)
        model.load_state_dict(ema.weights)
        with evaluating(model):
            found = [model.loss(batch) for batch in dev]
    return {name: float(torch.stack([each[name] for each in found]).mean()) for name in found[0]}


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

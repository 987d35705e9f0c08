"""Trains the small networks that say how long, high and loud each phoneme is, and each of its frames.

    python -m recipes.tts.train_prosody --features runs/tts-data/kathleen-train.npz \
        --features runs/tts-data/heart-train.npz --dev runs/tts-data/kathleen-dev.npz --out runs/prosody

They see no spectra, so that thousands of steps take minutes. Of phonemes, a flow (Lipman et al. 2023) from
noise to what was said is learned besides the means, which alone are flat. Of either network the weights that
the dev set likes best are kept. With `torchrun --nproc-per-node N -m` for `python -m` N devices train
together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from data.batching import Share, batches_from
from data.shards.workers import load_ahead
from recipes import runs
from recipes.devices import first_alone, is_writer
from recipes.kept_weights import KeptWeights
from recipes.options import group, option, parse
from recipes.scaling import Scale, ScaleOptions, show_plan
from recipes.training import (
    Checkpoint,
    Deadline,
    Ema,
    Progress,
    Stateful,
    evaluating,
    seed_batch,
    seed_everything,
    warm_cosine_schedule,
)
from recipes.tts import corpus, prepare
from recipes.tts.corpus import Batch, Range, Utterance, Utterances
from recipes.tts.model import Shape, SpeakingModel
from voice.errors import VoiceError

RECIPE = "recipes.tts.train_prosody"
WEIGHTS = {
    "duration": 1.0,
    "pitch": 0.3,
    "energy": 0.3,
    "flow": 1.0,
    "curve": 1.0,
    "loudness": 1.0,
    "voicing": 1.0,
}
SMALL = {"width": 32, "predictor": 2, "encoder": 1, "decoder": 1}  # sizes to try with
JUDGED = {
    "prosody.": ("flow",),
    "curves.": ("curve", "loudness", "voicing"),
}  # each network's losses on the dev set
ALL_JUDGED = tuple(name for names in JUDGED.values() for name in names)


@dataclass(frozen=True)
class Options:
    features: tuple[Path, ...] = option((), "file that prepare.py made, to train on (repeatable)")
    dev: tuple[Path, ...] = option((), "file to choose the weights by (repeatable)")
    out: Path = option(Path("runs/prosody"), "folder of the run", may_change=True)
    steps: int = option(4000, "steps in all", may_change=True)
    minutes: float | None = option(None, "stop after so many minutes, resumably", may_change=True)
    batch_tokens: int = option(1200, "tokens a batch, padding included")
    rate: float = option(1e-3, "peak learning rate")
    decay: float = option(0.05, "of the weights")
    threads: int = option(1, "CPU threads", may_change=True)
    seed: int = option(0, "of the weights, the dropout and the data order")
    save_every: int = option(
        250, "steps between checkpoints, and between scores on the dev set", may_change=True
    )
    scale: ScaleOptions = group(ScaleOptions())
    fresh: bool = option(False, "start over even where there is a run", may_change=True)
    small: bool = option(False, "networks of a size to try with", may_change=True)
    smoke: bool = option(
        False, "seconds on data/tiny with tiny networks, to see that all of it works", may_change=True
    )


Numbered = tuple[int, Batch]  # a batch with its number in the run


def batches(
    utterances: Utterances, setup: Setup, options: Options, first: int, share: Share
) -> Iterator[list[Numbered]]:
    """Yield this process's batches of step `first`, then of the next; each follows from seed and number."""
    cpu = torch.device("cpu")
    planned = batches_from(
        first * share.per_step, utterances.lengths[:, 0], options.batch_tokens, seed=options.seed,
        share=share,
    )  # fmt: skip

    def load(item: tuple[int, list[int]]) -> Numbered:
        return item[0], setup.batch([utterances[i] for i in item[1]], cpu)

    yield from share.by_step(load_ahead(planned, load, options.scale.workers))


def weigh(losses: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the weighted sum of the losses."""
    return torch.stack([WEIGHTS[name] * each for name, each in losses.items()]).sum()


def main(options: Options) -> None:
    scale = Scale.join(options.scale)
    if options.smoke:
        options = shrink(options)
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    utterances = corpus.read(*options.features)
    if not len(utterances):
        raise VoiceError("there is nothing to learn from: give --features what recipes.tts.prepare made")
    ranges = corpus.ranges(utterances)
    watched = corpus.read(*options.dev).by(ranges)
    if not len(watched):
        raise VoiceError("give --dev what recipes.tts.prepare made of recordings by the same speakers")
    sizes = SMALL if options.small else {}
    setup, best = Setup(Shape(speakers=tuple(ranges), **sizes), ranges), Best()
    data = (*options.features, *options.dev)
    run = runs.describe(RECIPE, options, data, model=setup.table(), batches_a_step=scale.share.per_step)
    resumes = not options.scale.dry_run and runs.begin(options.out, run, options)
    model = SpeakingModel(setup.shape).to(scale.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), options.rate, betas=(0.9, 0.98), weight_decay=options.decay
    )
    gradients = scale.accumulator(optimizer, model.parameters(), 1.0)
    schedule = warm_cosine_schedule(optimizer, 100, options.steps)
    ema, kept = Ema(model, 0.998), KeptWeights(options.out, options.scale)
    parts: dict[str, Stateful] = {
        "model": model, "optimizer": optimizer, "gradients": gradients, "schedule": schedule, "ema": ema,
        "best": best, "kept": kept,
    }  # fmt: skip
    checkpoint = Checkpoint(options.out, parts)
    first = done = checkpoint.restore() if resumes else 0
    scale.processes.equalize(model)
    dev = [setup.batch([u], scale.device) for u in watched]
    if options.scale.dry_run:
        tokens = int(utterances.lengths[:, 0].sum())
        some = next(batches(utterances, setup, options, 0, scale.share))[0][1].to(scale.device)
        epoch = tokens / options.batch_tokens
        return show_plan(scale, options.steps, epoch, {"prosody": model}, lambda: weigh(model.loss(some)))

    with Deadline(options.minutes) as deadline:
        progress = Progress(
            options.out, first=first, steps=options.steps, deadline=deadline, wandb=options.scale.wandb,
            config=run.options,
        )  # fmt: skip
        for mine in batches(utterances, setup, options, first, scale.share):
            if done >= options.steps or kept.exhausted or scale.processes.any(deadline.passed):
                break
            for number, batch in mine:
                seed_batch(options.seed, number)
                with scale.precision.autocast():
                    losses = model.loss(batch.to(scale.device))
                gradients.backward(weigh(losses))
            rate = float(schedule.get_last_lr()[0])
            gradients.step()
            schedule.step()
            ema.update(model)
            done += 1
            progress.step(done, {name: each.detach() for name, each in losses.items()}, rate=rate)
            if done % options.save_every == 0 or done == options.steps:
                if is_writer():
                    found = dev_losses(setup.shape, ema, dev)
                    best.consider(found, ema)
                    progress.scores(done, found)
                    kept.consider(done, [sum(found[name] for name in ALL_JUDGED)], ema.weights, found)
                checkpoint.save(done)
                if scale.processes.any(kept.exhausted):
                    break
        checkpoint.save(done)
        kept.write_means()
        progress.close()


def shrink(options: Options) -> Options:
    """Make everything small, on features of data/tiny that are made on the way."""
    with first_alone():
        made = prepare.tiny_features(options.out.parent / "tiny-data")
    return replace(
        options, features=(made["train"],), dev=(made["dev"],), small=True, steps=min(options.steps, 24),
        save_every=min(options.save_every, 6), batch_tokens=200,
    )  # fmt: skip


@dataclass(frozen=True)
class Setup:
    """The sizes of the networks, and the range of each speaker's pitch and loudness that they count in."""

    shape: Shape
    ranges: Mapping[str, Range]

    @classmethod
    def of_run(cls, folder: Path, saved: Mapping[str, Any]) -> Setup:
        """Return the setup of the run in `folder`, of whose checkpoint `saved` are the parts.

        Raises ModelMissing where neither run.toml nor the checkpoint says it.
        """
        if "recipe" in saved:  # as runs before run.toml kept it
            sizes, ranges = saved["recipe"]["shape"], saved["recipe"]["spans"]
        else:
            sizes = dict(runs.read(folder, RECIPE).model)
            ranges = sizes.pop("ranges")
        shape = Shape(**{**sizes, "speakers": tuple(sizes["speakers"])})
        return cls(shape, {name: Range(**each) for name, each in ranges.items()})

    def table(self) -> dict[str, Any]:
        """Return what run.toml says of it."""
        return asdict(self.shape) | {"ranges": {name: asdict(each) for name, each in self.ranges.items()}}

    def batch(self, utterances: Sequence[Utterance], device: torch.device) -> Batch:
        """Return utterances as the networks are given them."""
        examples = [corpus.example(u, self.ranges[u.speaker]) for u in utterances]
        speakers = [self.shape.speakers.index(u.speaker) for u in utterances]
        return corpus.collate(examples, speakers, device)


class Best:
    """Each network's averaged weights when the dev set liked them best."""

    def __init__(self) -> None:
        self.losses: dict[str, float] = dict.fromkeys(JUDGED, math.inf)
        self.weights: dict[str, torch.Tensor] = {}

    def consider(self, found: Mapping[str, float], ema: Ema) -> None:
        """Keep the average weights of each network whose losses are the lowest so far."""
        for network, names in JUDGED.items():
            loss = sum(found[name] for name in names)
            if loss < self.losses[network]:
                self.losses[network] = loss
                own = {name: value.clone() for name, value in ema.weights.items() if name.startswith(network)}
                self.weights |= own

    def state_dict(self) -> dict[str, Any]:
        return {"losses": self.losses, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.losses, self.weights = state["losses"], state["weights"]


def dev_losses(shape: Shape, ema: Ema, dev: Sequence[Batch]) -> dict[str, float]:
    """Return the mean losses of the averaged weights, with the same noise each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SpeakingModel(shape).to(dev[0].tokens.device)
        model.load_state_dict(ema.weights)
        with evaluating(model):
            found = [model.loss(batch) for batch in dev]
    return {name: float(torch.stack([each[name] for each in found]).mean()) for name in found[0]}


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

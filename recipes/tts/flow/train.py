"""Train an acoustic model by flow matching: phonemes → a mel spectrum and a pitch curve, several speakers.

    python -m recipes.tts.flow.train \
        --features runs/tts-data/kathleen-train.npz --manifest ../shared/corpora/kathleen/train.jsonl \
        --dev runs/tts-data/kathleen-dev.npz --manifest ../shared/corpora/kathleen/dev.jsonl --out runs/flow

It learns from the features that `recipes/tts/prepare.py` makes, and is self-contained: no other run says how
long or how high phonemes are. The encoder begins as that of `--warm-start`, by default hibari's, and with
`--cold` as nothing. The same command again resumes where the run stopped. With `torchrun --nproc-per-node N
-m` for `python -m` N devices train together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data.batching import Share
from data.shards.workers import load_ahead
from recipes import runs, training
from recipes.devices import first_alone, is_writer
from recipes.kept_weights import KeptWeights
from recipes.options import group, option, parse
from recipes.scaling import Scale, ScaleOptions, show_plan
from recipes.training import average_model, learning_rate, set_learning_rate
from recipes.tts import corpus, prepare
from recipes.tts.corpus import Range
from recipes.tts.flow.batches import Batch, cut, whole
from recipes.tts.flow.model import FlowModel, Shape
from recipes.tts.pieces import Collection
from recipes.tts.preparation import recordings
from recipes.tts.sounds import SoundModel
from recipes.tts.train import parse_shares, warm_weights
from recipes.tts.warm import heart_weights
from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE

RECIPE = "recipes.tts.flow.train"
SMALL = {"text": 16, "text_blocks": 1, "rounds": 2, "predictor": 1, "width": 32, "blocks": 2}  # to try with
CLIP_NORM = 1.0  # highest norm of all gradients together
MEASURED = 8  # batches from which the range of each channel is taken


@dataclass(frozen=True)
class Options:
    features: tuple[Path, ...] = option((), "file that prepare.py made, to train on (repeatable)")
    dev: tuple[Path, ...] = option((), "file to watch the losses on (repeatable)")
    manifest: tuple[Path, ...] = option((), "where the audio of all these is (repeatable)")
    share: tuple[str, ...] = option((), "NAME=NUMBER: how often a speaker is drawn, if not 1 (repeatable)")
    out: Path = option(Path("runs/flow"), "folder of the run", may_change=True)
    steps: int = option(6000, "all steps; the learning rate falls until then", may_change=True)
    minutes: float | None = option(None, "stop after so long, to go on another time", may_change=True)
    warm_start: Path | None = option(
        None,
        "whose encoder to begin with instead of hibari's: what recipes.tts.train takes too",
    )
    cold: bool = option(False, "begin with nothing")
    small: bool = option(False, "a network of a size to try with, that begins with nothing", may_change=True)
    batch: int = option(24, "pieces in a batch")
    seconds: float = option(1.6, "length of a piece")
    rate: float = option(1e-3, "highest learning rate")
    threads: int = option(1, "CPU threads", may_change=True)
    seed: int = option(0, "of weights, pieces and noise")
    save_every: int = option(250, "steps between checkpoints and looks at the dev clips", may_change=True)
    dev_clips: int = option(24, "dev clips to score then", may_change=True)
    scale: ScaleOptions = group(ScaleOptions())
    fresh: bool = option(False, "start over even where there is a run", may_change=True)
    smoke: bool = option(False, "seconds on data/tiny with a tiny model, to see that all of it works")


Numbered = tuple[int, Batch]  # a batch with its number in the run


def batches(
    collection: Collection, ranges: Mapping[str, Range], o: Options, first: int, share: Share
) -> Iterator[list[Numbered]]:
    """Yield this process's batches of step `first`, then of the next; each follows from seed and number."""
    frames = round(o.seconds * VOICE_RATE / VOICE_HOP)

    def load(number: int) -> Numbered:
        return number, cut(collection, ranges, o.seed, number, o.batch, frames)

    yield from share.by_step(load_ahead(share.numbers(first), load, o.scale.workers))


def first_encoder(o: Options, model: FlowModel) -> dict[str, Tensor]:
    """Return the weights that the encoder of a new run begins with. Raises VoiceError, ModelMissing."""
    if o.cold and o.warm_start:
        raise VoiceError("--cold begins with nothing, --warm-start with another run: leave one out")
    if o.cold or o.small:
        return model.text.state_dict()
    sounds = SoundModel(model.shape.encoder)
    known = warm_weights(o.warm_start, sounds) if o.warm_start else heart_weights(sounds)
    begin = "text."
    return {name.removeprefix(begin): each for name, each in known.items() if name.startswith(begin)}


def measure_range(model: FlowModel, collection: Collection, ranges: Mapping[str, Range], o: Options) -> None:
    """Set the model's range of each channel from some batches of the training data."""
    frames = round(o.seconds * VOICE_RATE / VOICE_HOP)
    some = [cut(collection, ranges, o.seed + 1, number, o.batch, frames) for number in range(MEASURED)]
    model.set_range(torch.cat([batch.wanted[batch.frame_mask[..., 0] > 0] for batch in some]))


def weigh(losses: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of the losses, which are of one unit."""
    return torch.stack(list(losses.values())).sum()


def dev_losses(model: FlowModel, dev: Sequence[Batch]) -> dict[str, float]:
    """Return the mean losses, with the same noise each time."""
    with torch.random.fork_rng(devices=[]), training.evaluating(model):
        torch.manual_seed(0)
        found = [model.loss(batch) for batch in dev]
    return {name: float(torch.stack([each[name] for each in found]).mean()) for name in found[0]}


def shrink(o: Options) -> Options:
    """Make everything small, on features of data/tiny that are made on the way."""
    with first_alone():
        made = prepare.tiny_features(o.out.parent / "tiny-data")
    return replace(
        o, features=(made["train"],), dev=(made["dev"],), manifest=tuple(prepare.TINY.values()), small=True,
        batch=4, seconds=0.5, steps=min(o.steps, 24), save_every=min(o.save_every, 6), dev_clips=1,
    )  # fmt: skip


def main(o: Options) -> None:
    scale = Scale.join(o.scale)
    if o.smoke:
        o = shrink(o)
    torch.set_num_threads(o.threads)
    training.seed_everything(o.seed)
    with first_alone():
        spoken, watched = recordings.load(o.features, o.manifest), recordings.load(o.dev, o.manifest)
    if not len(spoken):
        raise VoiceError("there is nothing to learn from: give --features what recipes.tts.prepare made")
    ranges = corpus.ranges(spoken.utterances)
    setup = Setup(Shape(tuple(ranges), **(SMALL if o.small else {})), ranges)
    data = (*o.features, *o.dev)
    run = runs.describe(RECIPE, o, data, model=setup.table(), batches_a_step=scale.share.per_step)
    resumes = not o.scale.dry_run and runs.begin(o.out, run, o)
    collection = Collection(spoken, setup.shape.speakers, parse_shares(o.share, setup.shape.speakers))
    model = FlowModel(setup.shape)
    if not resumes:
        model.text.load_state_dict(first_encoder(o, model))
        measure_range(model, collection, ranges, o)
    model.to(scale.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), o.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    gradients = scale.accumulator(optimizer, model.parameters(), CLIP_NORM)
    ema, kept = training.Ema(model, 0.998), KeptWeights(o.out, o.scale)
    parts: dict[str, training.Stateful] = {
        "model": model, "optimizer": optimizer, "gradients": gradients, "ema": ema, "kept": kept
    }  # fmt: skip
    checkpoint = training.Checkpoint(o.out, parts)
    first = checkpoint.restore() if resumes else 0
    scale.processes.equalize(model)
    own = Collection(watched.by(setup.shape.speakers), setup.shape.speakers)
    chosen = np.linspace(0, len(own.spoken) - 1, min(o.dev_clips, len(own.spoken))).astype(int).tolist()
    dev = [whole(own, ranges, number).to(scale.device) for number in chosen]
    print(f"{len(spoken)} clips, {spoken.minutes:.1f} minutes, speakers {', '.join(ranges)}", flush=True)
    if o.scale.dry_run:
        some = next(batches(collection, ranges, o, 0, scale.share))[0][1].to(scale.device)
        epoch = 60 * spoken.minutes / (o.batch * o.seconds)
        return show_plan(scale, o.steps, epoch, {"flow": model}, lambda: weigh(model.loss(some)))

    with training.Deadline(o.minutes) as deadline:
        progress = training.Progress(
            o.out, first=first, steps=o.steps, deadline=deadline, wandb=o.scale.wandb, config=run.options
        )
        steps = range(first, first if kept.exhausted else o.steps)
        for step, mine in zip(steps, batches(collection, ranges, o, first, scale.share), strict=False):
            rate = learning_rate(step, o.steps, o.rate)
            set_learning_rate(optimizer, rate)
            for number, batch in mine:
                training.seed_batch(o.seed, number)
                with scale.precision.autocast():
                    losses = model.loss(batch.to(scale.device))
                gradients.backward(weigh(losses))
            gradients.step()
            ema.update(model)
            progress.step(step + 1, {name: each.detach() for name, each in losses.items()}, rate=rate)

            over = scale.processes.any(deadline.passed) or step + 1 == o.steps
            if over or (step + 1) % o.save_every == 0:
                if dev and is_writer():
                    scores = dev_losses(average_model(model, ema), dev)
                    progress.scores(step + 1, scores)
                    kept.consider(step + 1, [sum(scores.values())], ema.weights, scores)
                checkpoint.save(step + 1)
                over = scale.processes.any(over or kept.exhausted)
            if over:
                break
        kept.write_means()
        progress.close()


@dataclass(frozen=True)
class Setup:
    """The sizes of the model, and the range of each speaker's pitch that it counts in."""

    shape: Shape
    ranges: Mapping[str, Range]

    @classmethod
    def of_run(cls, folder: Path) -> Setup:
        """Return the setup of the run in `folder`. Raises ModelMissing where it does not say it."""
        sizes = dict(runs.read(folder, RECIPE).model)
        ranges = {name: Range(**each) for name, each in sizes.pop("ranges").items()}
        return cls(Shape(**{**sizes, "speakers": tuple(sizes["speakers"])}), ranges)

    def table(self) -> dict[str, Any]:
        """Return what run.toml says of it."""
        return asdict(self.shape) | {"ranges": {name: asdict(each) for name, each in self.ranges.items()}}


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

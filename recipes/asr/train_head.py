"""Trains a CTC head on what a recognizer's encoder gives, the encoder as it is.

    python -m recipes.asr.train_head --manifest …/train.jsonl --dev …/dev.jsonl \
        --augment ../shared/corpora --out runs/head

The encoder runs once over every window (and over further, augmented copies of it), as CTranslate2
runs it in use; its output lies in files of the run (`encoded.py`). Text comes from the manifest's `text`, or
its `asr_text`. With `torchrun --nproc-per-node N -m` for `python -m` N devices train together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.augmentation import augment_from
from data.batching import Share, batches_from, pad
from data.shards.workers import load_ahead
from recipes import runs
from recipes.asr import smoke
from recipes.asr.encoded import EncodedExamples, Example, Ways, name_of, write_examples
from recipes.asr.head import Head, ctc_loss, export, saved_head
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
    average_model,
    evaluating,
    seed_batch,
    seed_everything,
    warm_cosine_schedule,
)
from voice.asr.ctc.alphabet import BLANK
from voice.asr.ctc.head import greedy_letters
from voice.features import WHISPER_RATE
from voice.metrics import Score, total, word_errors
from voice.models import find
from voice.models.adapter import WEIGHTS
from voice.models.card import sha256

RECIPE = "recipes.asr.train_head"


@dataclass(frozen=True)
class Options:
    manifest: tuple[str, ...] = option(
        ("data/tiny/train.jsonl",), "train on this; PATH:N takes N; repeatable"
    )
    dev: tuple[str, ...] = option(
        ("data/tiny/dev.jsonl",), "watch this; PATH:-N takes the last N; repeatable"
    )
    model: tuple[str, ...] = option(
        ("quick",),
        "the recognizer whose encoder it sits on; others that borrow it hear each window once; repeatable",
    )
    out: Path = option(Path("runs/head"), "the run's folder; a run that is there goes on", may_change=True)
    start: Path | None = option(None, "begin with the head of this run, of train.py or of this recipe")
    augment: Path | None = option(None, "corpora with noise/ and rir/: train on augmented copies too")
    copies: int = option(1, "augmented copies of every window")
    joined: int = option(0, "further windows made of several clips, up to 29 s")
    width: int = option(256, "channels")
    blocks: int = option(4, "ConvNeXt blocks")
    kernel: int = option(9, "frames that a block's convolution spans")
    rate: float = option(1e-3, "learning rate")
    warmup: int = option(200, "steps until the learning rate is reached")
    steps: int = option(6000, "steps in all; the learning rate falls to zero over them", may_change=True)
    batch_seconds: float = option(120.0, "seconds of speech in a batch")
    minutes: float | None = option(None, "stop after so many minutes; the next call goes on", may_change=True)
    save_every: int = option(500, "steps between checkpoints", may_change=True)
    check_every: int = option(500, "steps between scores on the dev clips", may_change=True)
    seed: int = option(0, "decides order, margins, augmentation and first weights")
    threads: int = option(torch.get_num_threads(), "CPU threads", may_change=True)
    scale: ScaleOptions = group(ScaleOptions())
    fresh: bool = option(False, "start over even where there is a run", may_change=True)
    smoke: bool = option(False, "seconds: a tiny random encoder on data/tiny")


Numbered = tuple[int, tuple[torch.Tensor, ...]]  # a batch with its number in the run


def batch(some: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return encoder outputs (B, F, D), frames (B,), labels (B, L) and how many they are (B,)."""
    rows, frames = pad([each.encoded for each in some], axis=0)
    labels, lengths = pad([each.labels for each in some], BLANK)
    inputs = torch.from_numpy(rows.astype(np.float32))
    return inputs, torch.from_numpy(frames), torch.from_numpy(labels), torch.from_numpy(lengths)


def batches(train: EncodedExamples, first: int, options: Options, share: Share) -> Iterator[list[Numbered]]:
    """Yield this process's batches of step `first`, then of the next; each follows from seed and number."""
    planned = batches_from(
        first * share.per_step, train.durations, options.batch_seconds, seed=options.seed, share=share
    )

    def load(item: tuple[int, list[int]]) -> Numbered:
        return item[0], batch([train[index] for index in item[1]])

    yield from share.by_step(load_ahead(planned, load, options.scale.workers))


def check(head: Head, dev: Sequence[Example]) -> dict[str, float]:
    """Return word error rates of greedy decoding, of each corpus and of all."""
    scores: dict[str, list[Score]] = {}
    device = next(head.parameters()).device
    with evaluating(head):
        for each in dev:
            encoded = torch.from_numpy(each.encoded.astype(np.float32))[None].to(device)
            errors = word_errors(each.text, greedy_letters(head(encoded)[0].float().cpu().numpy()))
            scores.setdefault(each.corpus, []).append(errors)
    rates = {f"wer/{name}": total(some).rate for name, some in scores.items()}
    return rates | {"wer": total(score for some in scores.values() for score in some).rate}


def folders(options: Options) -> list[Path]:
    """Return the folders of the recognizers whose encoders are heard."""
    if options.smoke:
        return [smoke.base(options.out)]
    return [find(name).folder for name in options.model]


def describe_run(options: Options, models: Sequence[Path], batches_a_step: int) -> runs.Run:
    """Return what a run with these options is; its base is the first of the models."""
    base = runs.Base(options.model[0], sha256(models[0] / WEIGHTS))
    sizes = {"width": options.width, "blocks": options.blocks, "kernel": options.kernel}
    data = (*options.manifest, *options.dev)
    return runs.describe(RECIPE, options, data, base=base, model=sizes, batches_a_step=batches_a_step)


def encode_all(options: Options, run: runs.Run, models: Sequence[Path]) -> list[EncodedExamples]:
    """Return train and dev examples. The encoder runs once; what it gives stays in files of the run."""
    import ctranslate2

    noises = augment_from(options.augment, WHISPER_RATE) if options.augment else None
    ways = Ways(noises, options.copies, options.joined, options.seed), Ways(seed=options.seed)
    hashes = [sha256(folder / WEIGHTS) for folder in models]
    found = []
    for manifests, way in zip((options.manifest, options.dev), ways, strict=True):
        made: dict[str, Any] = {
            "augment": options.augment if way.augment else None,
            "models": hashes,
            "data": manifests,
        }
        made |= {"files": [run.data[name] for name in manifests]}
        made |= {"copies": way.copies, "joins": way.joins, "seed": way.seed}
        path = options.out / name_of(made)
        if not path.exists():
            encoders = [
                ctranslate2.models.Whisper(str(each), compute_type="int8", intra_threads=options.threads)
                for each in models
            ]
            write_examples(path, manifests, encoders, way)
        found.append(EncodedExamples(path))
    return found


def shrink(options: Options) -> Options:
    """Make the run short; what was set by hand otherwise stays."""
    steps = min(options.steps, 8)
    return replace(options, steps=steps, save_every=2, check_every=4, width=16, blocks=1, warmup=2)


def main(options: Options) -> None:
    scale = Scale.join(options.scale)
    if options.smoke:
        options = shrink(options)
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    with first_alone():
        models = folders(options)
    run = describe_run(options, models, scale.share.per_step)
    resumes = not options.scale.dry_run and runs.begin(options.out, run, options)
    with first_alone():
        train, dev = encode_all(options, run, models)
    print(f"{len(train)} windows, {train.durations.sum() / 60:.1f} minutes; {len(dev)} dev clips", flush=True)

    fresh = Head(train.width, options.width, options.blocks, options.kernel)
    head = (saved_head(options.start) if options.start else fresh).to(scale.device).train()
    optimizer = torch.optim.AdamW(head.parameters(), lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01)
    gradients = scale.accumulator(optimizer, head.parameters(), 1.0)
    schedule = warm_cosine_schedule(optimizer, options.warmup, options.steps)
    average, kept = Ema(head, 0.998), KeptWeights(options.out, options.scale)
    parts: dict[str, Stateful] = {
        "head": head, "optimizer": optimizer, "gradients": gradients, "schedule": schedule,
        "average": average, "kept": kept,
    }  # fmt: skip
    checkpoint = Checkpoint(options.out, parts)
    first = checkpoint.restore() if resumes else 0
    scale.processes.equalize(head)

    def loss_of(numbered: Numbered) -> torch.Tensor:
        """Return the nats a letter of a batch."""
        number, some = numbered
        seed_batch(options.seed, number)
        rows, frames, labels, lengths = (each.to(scale.device) for each in some)
        with scale.precision.autocast():
            return ctc_loss(head(rows), frames, labels, lengths)

    if options.scale.dry_run:
        some = next(batches(train, 0, options, scale.share))[0]
        epoch = float(train.durations.sum()) / options.batch_seconds
        return show_plan(scale, options.steps, epoch, {"head": head}, lambda: loss_of(some))

    with Deadline(options.minutes) as deadline:
        progress = Progress(
            options.out, first=first, steps=options.steps, deadline=deadline, wandb=options.scale.wandb,
            config=run.options,
        )  # fmt: skip
        for mine in batches(train, first, options, scale.share):
            if first >= options.steps or kept.exhausted or scale.processes.any(deadline.passed):
                break
            for each in mine:
                loss = loss_of(each)
                gradients.backward(loss)
            rate = float(schedule.get_last_lr()[0])
            gradients.step()
            schedule.step()
            average.update(head)
            first += 1
            progress.step(first, {"ctc": loss.detach()}, rate=rate)
            if first % options.check_every == 0 or first == options.steps:
                if is_writer():
                    mean = average_model(head, average)
                    scores = check(mean, dev)
                    progress.scores(first, scores)
                    kept.consider(first, [scores["wer"]], average.weights, scores)
                    export(mean.cpu(), options.out)
                if scale.processes.any(kept.exhausted):
                    break
            if first % options.save_every == 0 or first == options.steps:
                checkpoint.save(first)
        checkpoint.save(first)
        kept.write_means()
        progress.close()


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

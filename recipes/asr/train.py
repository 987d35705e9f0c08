"""Fine-tunes Whisper to hear an utterance in its own length instead of 30 s, or to one's own recordings.

    python -m recipes.asr.train --manifest …/untranscribed.jsonl:240 --dev …/dev.jsonl --out runs/quick
    python -m recipes.asr.train --manifest my/train.jsonl --dev my/dev.jsonl --labels text --context full

Audio-context fine-tuning: the frozen model with its full context teaches itself with the features
cut to the utterance and a random margin. Soft targets, after Hinton et al. 2015, "Distilling the
Knowledge in a Neural Network": KL to the teacher's distribution over its own transcript, the end
token included, plus a little of the squared error of the last hidden states and of cross-entropy.
`--ctc` trains a head of letters on the same encoder; `--augment` lets the student hear noise and rooms
where the teacher heard none. With `torchrun --nproc-per-node N -m` for `python -m` N devices train together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from transformers import WhisperForConditionalGeneration

from data.augmentation import augment_from
from recipes import runs
from recipes.asr import model as whisper
from recipes.asr import smoke
from recipes.asr.batches import BatchPlan, Numbered, batches
from recipes.asr.examples import DataOptions, Examples, gather
from recipes.asr.head import INSIDE, Head, saved_head
from recipes.asr.losses import LossOptions, losses, weight
from recipes.asr.scoring import dev_scores, fingerprint
from recipes.asr.teacher import TeacherOptions
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.checkpoints import read_state
from recipes.devices import first_alone, is_writer
from recipes.kept_weights import KeptWeights
from recipes.options import group, option, parse
from recipes.scaling import Precision, Scale, ScaleOptions, show_plan
from recipes.training import (
    Checkpoint,
    Deadline,
    Ema,
    Progress,
    Stateful,
    averaged_weights,
    seed_batch,
    seed_everything,
    warm_cosine_schedule,
)
from voice.features import WHISPER_RATE
from voice.models import find

RECIPE = "recipes.asr.train"
TINY = "data/tiny"
RATES = {("own", False): 2e-4, ("own", True): 2e-5, ("text", False): 3e-5, ("text", True): 1e-5}  # by whole


@dataclass(frozen=True)
class Options:
    manifest: tuple[str, ...] = option((f"{TINY}/train.jsonl",), "train on this; PATH:N takes N; repeatable")
    dev: tuple[str, ...] = option((f"{TINY}/dev.jsonl",), "watch this; PATH:-N takes the last N; repeatable")
    base: str = option("whisper-base", "the model to start from and to learn from: a name or a folder")
    out: Path = option(Path("runs/quick"), "the run's folder; a run that is there goes on", may_change=True)
    answers: Path | None = option(
        None, "the folder of the teacher's answers; by default OUT/answers", may_change=True
    )
    teacher: str | None = option(None, "another model to learn from: a name or a folder")
    teacher_context: Literal["utterance", "full"] = option("full", "what the teacher's encoder sees")
    start: Path | None = option(None, "begin with the learned weights of this run's best.pt")
    start_head: Path | None = option(None, "begin with the CTC head of this run of train_head.py")
    fresh: bool = option(False, "start over even where there is a run", may_change=True)
    labels: Literal["own", "text"] = option("own", "learn the base's transcripts (own) or the manifest's")
    as_written: bool = option(False, "learn transcripts without capitals or marks as they are written")
    context: Literal["utterance", "full"] = option("utterance", "what the encoder sees: that, or 30 s")
    margin: float = option(1.0, "most seconds of silence after the utterance; random from 0")
    language: str = option("en", "the language of all clips")
    joined: int = option(0, "further windows made of several clips, up to 29 s")
    whole: bool = option(False, "train all weights instead of low-rank additions")
    rank: int = option(32, "rank of the additions")
    losses: LossOptions = group(LossOptions())
    augment: Path | None = option(None, "corpora with noise/ and rir/: augment what the student hears")
    spec_augment: bool = option(False, "mask bands and frames of what the student hears (Park et al. 2019)")
    rate: float = option(0.0, "learning rate; 0: 2e-4 for additions, 2e-5 for all weights, less for text")
    head_rate: float = option(1e-3, "learning rate of the CTC head")
    warmup: int = option(40, "steps until the learning rate is reached")
    steps: int = option(1000, "steps in all; the learning rate falls to zero over them", may_change=True)
    batch_seconds: float = option(45.0, "seconds of speech in a batch")
    minutes: float | None = option(None, "stop after so many minutes; the next call goes on", may_change=True)
    save_every: int = option(50, "steps between checkpoints", may_change=True)
    check_every: int = option(
        100, "steps between scores on the dev clips; a multiple of save-every is best", may_change=True
    )
    seed: int = option(0, "decides order, margins, joins and first weights")
    threads: int = option(torch.get_num_threads(), "CPU threads", may_change=True)
    scale: ScaleOptions = group(ScaleOptions())
    smoke: bool = option(False, "seconds: a tiny random model on data/tiny")


def plan_of(train: Examples, options: Options) -> BatchPlan:
    """Return how examples become batches; at least one fits into each."""
    seconds = max(options.batch_seconds, float(train.durations.max()))
    return BatchPlan(seconds, options.margin, options.seed, options.scale.workers)


def start_folder(options: Options) -> Path:
    """Return the folder of the model to start from. Raises ModelMissing for an unknown one."""
    return smoke.base(options.out) if options.smoke else find(options.base).folder


def data_options(options: Options, base: Path) -> DataOptions:
    """Return how recordings become batches; a random model says nothing but loops."""
    return DataOptions(
        TrainingTokenizer.open(base, options.language),
        options.context,
        whisper.mel_bands(base),
        augment_from(options.augment, WHISPER_RATE) if options.augment else None,
        ctc=options.losses.ctc > 0,
        keep_loops=options.smoke,
        as_written=options.as_written,
    )


def teacher_options(options: Options, base: Path) -> TeacherOptions | None:
    """Return who teaches; nobody where there are transcripts. Raises ModelMissing for an unknown model."""
    if options.labels == "text":
        return None
    folder = find(options.teacher).folder if options.teacher else base
    return TeacherOptions(folder, options.teacher_context, options.answers or options.out / "answers")


def masking(options: Options) -> nn.Module:
    """Return SpecAugment's masks, at most a tenth of the time or of the bands each, or what changes nothing.

    Randomness is PyTorch's own, which the checkpoint keeps.
    """
    if not options.spec_augment:
        return nn.Identity()
    from torchaudio.transforms import SpecAugment

    masks: nn.Module = SpecAugment(2, 50, 2, 15, p=0.1)
    return masks


def describe_run(options: Options, base: Path, batches_a_step: int = 1) -> runs.Run:
    """Return what a run with these options is; `base` is the folder of the model that it starts from."""
    name = str(base) if options.smoke else options.base
    data = (*options.manifest, *options.dev)
    start = runs.Base(name, fingerprint(base))
    return runs.describe(RECIPE, options, data, base=start, batches_a_step=batches_a_step)


def student(base: Path, options: Options, device: torch.device) -> WhisperForConditionalGeneration:
    """Return the student: the base, whole or frozen with low-rank additions, ready to train."""
    model = whisper.load(base, device)
    if not options.whole:
        whisper.add_low_rank(model, options.rank)
        halved = Precision.of(options.scale.precision, device).dtype
        if halved:
            whisper.halve_frozen(model, halved)
    if options.losses.ctc > 0:
        head = saved_head(options.start_head) if options.start_head else Head(model.config.d_model)
        model.letters = head.to(device)
    if options.start:
        weights = saved_weights(options.start / "best.pt")
        learned = {whisper.parameter_name(name): weight for name, weight in weights.items()}
        model.load_state_dict(learned, strict=False)
    return model.train()


def saved_weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the weights of a `best.pt`. Raises ModelError where there is none."""
    return read_state(path, f"python -m recipes.asr.train --out {path.parent}")["weights"]


def badness(scores: Mapping[str, float]) -> tuple[float, float]:
    """Return what the best weights have least of: word errors, with noise and without, then the loss."""
    return scores["wer"] + scores.get("noisy", 0.0), scores["loss"]


def parameter_groups(weights: nn.ParameterDict, options: Options) -> list[dict[str, Any]]:
    """Return what learns at which rate: the recognizer and, if there is one, its CTC head."""
    rate = options.rate or RATES[options.labels, options.whole]
    groups = [{"params": [w for n, w in weights.items() if not n.startswith(INSIDE)], "lr": rate}]
    if options.losses.ctc > 0:
        head = [w for n, w in weights.items() if n.startswith(INSIDE)]
        groups.append({"params": head, "lr": options.head_rate})
    return groups


def shrink(options: Options) -> Options:
    """Make the run short; what was set by hand otherwise stays."""
    steps = min(options.steps, 8)
    return replace(options, steps=steps, save_every=1, check_every=4, rank=2, joined=2, warmup=2)


def main(options: Options) -> None:
    scale = Scale.join(options.scale)
    if options.smoke:
        options = shrink(options)
    torch.set_num_threads(options.threads)
    with first_alone():
        base = start_folder(options)
    run = describe_run(options, base, scale.share.per_step)
    resumes = not options.scale.dry_run and runs.begin(options.out, run, options)
    data, teacher = data_options(options, base), teacher_options(options, base)
    train = gather(
        options.manifest, data, teacher, joins=options.joined, seed=options.seed, threads=options.threads
    )
    dev = gather(options.dev, data, teacher, threads=options.threads).readable()
    plan = plan_of(train, options)
    print(f"{len(train)} windows, {train.durations.sum() / 60:.1f} minutes; {len(dev)} dev clips", flush=True)

    seed_everything(options.seed)  # here, so that it makes no difference whether a teacher was asked
    model, mask = student(base, options, scale.device), masking(options)
    weights = whisper.learning_weights(model)
    optimizer = torch.optim.AdamW(parameter_groups(weights, options), betas=(0.9, 0.98), weight_decay=0.01)
    gradients = scale.accumulator(optimizer, weights.values(), 1.0)
    schedule = warm_cosine_schedule(optimizer, options.warmup, options.steps)
    average, kept = Ema(weights, 0.99), KeptWeights(options.out, options.scale)
    parts: dict[str, Stateful] = {
        "weights": weights, "optimizer": optimizer, "gradients": gradients, "schedule": schedule,
        "average": average, "kept": kept,
    }  # fmt: skip
    checkpoint = Checkpoint(options.out, parts)
    first = checkpoint.restore() if resumes else 0
    scale.processes.equalize(weights)

    def losses_of(numbered: Numbered) -> dict[str, torch.Tensor]:
        """Return the losses of a batch by name; "loss" is the whole, by how much the batch counts."""
        number, batch = numbered
        seed_batch(options.seed, number)
        with scale.precision.autocast():
            values = losses(
                model, replace(batch, features=mask(batch.features)), data.tokenizer, options.losses
            )
        return values | {"loss": values["loss"] * weight(batch)}

    if options.scale.dry_run:
        some, epoch = next(batches(train, 0, data, plan, scale.share))[0], plan.count(train)
        return show_plan(scale, options.steps, epoch, {"model": model}, lambda: losses_of(some)["loss"])

    with Deadline(options.minutes) as deadline:
        progress = Progress(
            options.out, first=first, steps=options.steps, deadline=deadline, wandb=options.scale.wandb,
            config=run.options,
        )  # fmt: skip
        for mine in batches(train, first, data, plan, scale.share):
            if first >= options.steps or kept.exhausted or scale.processes.any(deadline.passed):
                break
            for batch in mine:
                values = losses_of(batch)
                gradients.backward(values["loss"])
            rate = float(schedule.get_last_lr()[0])
            gradients.step()
            schedule.step()
            average.update(weights)

            first += 1
            progress.step(first, {name: value.item() for name, value in values.items()}, rate=rate)
            if first % options.check_every == 0 or first == options.steps:
                if is_writer():
                    with averaged_weights(weights, average):
                        scores = dev_scores(
                            model, dev, data, options.losses, base, options.out / "check",
                            seed=options.seed, threads=options.threads,
                        )  # fmt: skip
                    progress.scores(first, scores)
                    kept.consider(first, badness(scores), average.weights, scores)
                if scale.processes.any(kept.exhausted):
                    break
            if first % options.save_every == 0 or first == options.steps:
                checkpoint.save(first)
        checkpoint.save(first)
        kept.write_means()
        progress.close()
        if train.sounds.left_out and is_writer():
            print(train.sounds.left_out, flush=True)


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

"""Tunes a recognizer to transcribed recordings and keeps what it knew.

    python -m recipes.asr.tuning.train --manifest my/train.jsonl --dev my/dev.jsonl --out runs/mine
    python -m recipes.asr.tuning.train --base whisper-base --general …/librispeech/untranscribed.jsonl:160 …

The transcripts are rewritten as the base writes (`restyle.py`), the base's distribution stays in the targets
and old speech in the batches (`objective.py`), the lower encoder layers stay as they are and run once
(`encoder.py`). Rate, rank and steps follow from the amount of speech (`plan.py`); `--minutes` shortens the
schedule to what fits. `export.py` takes as much of what was learned as dev allows, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn
from transformers import WhisperForConditionalGeneration

from recipes import runs
from recipes.asr import model as whisper
from recipes.asr import smoke
from recipes.asr.scoring import fingerprint
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.tuning.base_answers import BaseAnswers, BaseOptions
from recipes.asr.tuning.encoder import add_low_rank, learns_whole, mask
from recipes.asr.tuning.examples import TuningBatch
from recipes.asr.tuning.objective import ObjectiveOptions, objective
from recipes.asr.tuning.plan import TOP, Horizon, Pace, Plan, describe_plan, plan_for, steps_between_checks
from recipes.asr.tuning.scoring import Scorer, check
from recipes.asr.tuning.sets import Sets, batches, gather
from recipes.kept_weights import KeptWeights
from recipes.options import group, option, parse
from recipes.scaling import ScaleOptions
from recipes.training import (
    Checkpoint,
    Deadline,
    Ema,
    Progress,
    autocast,
    averaged_weights,
    best_device,
    has_fast_bfloat16,
    seed_everything,
)
from voice.errors import ModelError
from voice.models import find

RECIPE = "recipes.asr.tuning.train"
TINY = "data/tiny"
SMOKE_GENERAL, SMOKE_WATCHED = (f"{TINY}/train.jsonl:4",), (f"{TINY}/dev.jsonl:2",)  # old speech
DECAY = 0.97  # of the average of weights
PATIENCE = 3  # checks without a lower dev loss until a run ends


@dataclass(frozen=True)
class Options:
    manifest: tuple[str, ...] = option((f"{TINY}/train.jsonl",), "tune to this; PATH:N takes N; repeatable")
    dev: tuple[str, ...] = option((f"{TINY}/dev.jsonl",), "watch this; PATH:-N takes the last N; repeatable")
    general: tuple[str, ...] = option(
        (), "old speech to stay good at, with transcripts or without; repeatable"
    )
    general_dev: tuple[str, ...] = option((), "old speech to watch; repeatable")
    base: str = option("quick", "the recognizer to start from: a name or a folder")
    out: Path = option(Path("runs/tuned"), "the run's folder; a run that is there goes on", may_change=True)
    answers: Path | None = option(
        None, "the folder of the base's answers; by default OUT/answers", may_change=True
    )
    language: str = option("en", "the language of all clips")
    top: int | None = option(
        None, "encoder layers that learn, from the top; by default all, or two in the full context"
    )
    rank: int | None = option(None, "rank of the additions; by default from the amount of speech")
    rate: float | None = option(None, "learning rate; by default from the amount of speech")
    steps: int | None = option(None, "steps at most; by default from the amount of speech", may_change=True)
    batch_seconds: float | None = option(None, "seconds of windows in a batch, their silence included")
    general_share: float = option(0.2, "seconds of old speech in a step beside each second of the set")
    objective: ObjectiveOptions = group(ObjectiveOptions())
    masks: bool = option(True, "mask stretches of what is heard (SpecAugment)")
    minutes: float | None = option(None, "end within so many minutes, the rate fallen", may_change=True)
    save_every: int = option(20, "steps between checkpoints", may_change=True)
    seed: int = option(0, "decides order, packing, masks and first weights")
    threads: int = option(torch.get_num_threads(), "CPU threads", may_change=True)
    fresh: bool = option(False, "start over even where there is a run", may_change=True)
    smoke: bool = option(False, "seconds: a tiny random model on data/tiny")


def base_of(options: Options) -> tuple[Path, str]:
    """Return the folder of the base and the context that it hears in. Raises ModelMissing, ModelError."""
    if options.smoke:
        return smoke.base(options.out), "utterance"
    found = find(options.base)
    if not (found.folder / "model.bin").is_file():
        raise ModelError(f"{options.base} is no Whisper for CTranslate2; tune it with recipes.finetune")
    return found.folder, found.card.options.get("context", "full")


def make_plan(options: Options, sets: Sets, context: str) -> Plan:
    """Return the plan for the data, with what the options say otherwise."""
    own = [each.heard for each in sets.train.examples]
    speech, padded = sum(each.window.duration for each in own), sum(each.seconds for each in own)
    plan = plan_for(speech, padded, context)
    given = {name: getattr(options, name) for name in ("top", "rank", "rate", "steps", "batch_seconds")}
    plan = replace(plan, **{name: value for name, value in given.items() if value is not None})
    return replace(plan, check=steps_between_checks(plan.steps))


def student(base: Path, plan: Plan, device: torch.device) -> WhisperForConditionalGeneration:
    """Return the base with low-rank additions where it is to learn."""
    model = whisper.load(base, device)
    add_low_rank(model, plan.rank, plan.top)
    if has_fast_bfloat16(device):
        whisper.halve_frozen(model)
    return model.train()


def masking(options: Options, step: int) -> torch.Generator | None:
    """Return what decides the masks of a step, or None where nothing is masked."""
    return torch.Generator().manual_seed(1_000_003 * options.seed + step) if options.masks else None


def shrink(options: Options) -> Options:
    """Make the run short, on what comes with the package."""
    general = options.general or SMOKE_GENERAL
    watched = options.general_dev or SMOKE_WATCHED
    return replace(
        options, general=general, general_dev=watched, steps=min(options.steps or 6, 6), rank=2,
        top=1 if options.top is None else options.top, save_every=min(options.save_every, 2),
    )  # fmt: skip


def describe(options: Options, base: Path) -> runs.Run:
    """Return what a run with these options is; `base` is the folder of the model that it starts from."""
    name = str(base) if options.smoke else options.base
    data = (*options.manifest, *options.dev, *options.general, *options.general_dev)
    return runs.describe(RECIPE, options, data, base=runs.Base(name, fingerprint(base)))


def read_sets(
    options: Options, base: Path, context: str, tokenizer: TrainingTokenizer, tell: Callable[[str], None]
) -> Sets:
    """Return all that is learned and watched, with what the base says of it; tell what was done to it."""
    asked = BaseOptions(
        base, context, options.language, top_of(options, context), options.answers or options.out / "answers",
        options.threads,
    )  # fmt: skip
    answers = BaseAnswers(asked, tokenizer, tell)
    sets = gather(
        options.manifest, options.dev, options.general, options.general_dev, answers,
        seed=options.seed, trusts=options.smoke,
    )  # fmt: skip
    answers.close()
    for line in sets.train.describe():
        tell(line)
    return sets


def top_of(options: Options, context: str) -> int:
    """Return how many encoder layers learn at most."""
    return TOP[context] if options.top is None else options.top


def compute_gradients(
    model: WhisperForConditionalGeneration, batch: Sequence[TuningBatch], tokenizer: TrainingTokenizer,
    top: int, options: Options, step: int,
) -> dict[str, float]:  # fmt: skip
    """Add up the gradients of a step's parts, and return the losses of the set and of old speech by name."""
    generator, mel = masking(options, step), learns_whole(model, top)
    values: dict[str, float] = {}
    for part in batch:
        states = mask(part.states, generator, mel=mel) if generator else part.states
        with autocast(model.device):
            found = objective(model, replace(part, states=states), tokenizer, top, options.objective)
        found["loss"].backward()
        kind = "general" if bool(part.is_general.all()) else "set"
        values |= {f"{kind}/{name}": value.item() for name, value in found.items()}
    return values


def main(options: Options, tell: Callable[[str], None] = print) -> bool:
    """Tune, or go on; return False where a signal ended the run before its time."""
    deadline = Deadline(options.minutes)
    if options.smoke:
        options = shrink(options)
    torch.set_num_threads(options.threads)
    device, (base, context) = best_device(), base_of(options)
    resumes = runs.begin(options.out, describe(options, base), options)
    tokenizer = TrainingTokenizer.open(base, options.language)
    top = top_of(options, context)
    sets = read_sets(options, base, context, tokenizer, tell)
    plan = make_plan(options, sets, context)

    seed_everything(options.seed)
    model = student(base, plan, device)
    weights, horizon = whisper.learning_weights(model), Horizon(plan.steps)
    kept = KeptWeights(options.out, ScaleOptions(patience=PATIENCE))
    optimizer = torch.optim.AdamW(weights.values(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: horizon.factor(step))
    average = Ema(weights, DECAY)
    checkpoint = Checkpoint(
        options.out,
        {
            "weights": weights, "optimizer": optimizer, "schedule": schedule,
            "average": average, "kept": kept, "horizon": horizon,
        },
    )  # fmt: skip
    first = checkpoint.restore() if resumes else 0
    scorer = Scorer(sets.dev, sets.general_dev, tokenizer, top, base, options.out / "check", options.threads)

    def check_dev(step: int) -> None:
        """Score the averaged weights, which are the first ones before any step, and keep the best."""
        with averaged_weights(weights, average):
            progress.scores(step, check(scorer, model, options.objective, kept, step, weights))

    with deadline:
        progress = Progress(options.out, first=first, steps=horizon.steps, deadline=deadline)
        pace = Pace()
        if first == 0:
            with pace.check():
                check_dev(0)
        old = options.general_share * plan.batch_seconds
        for batch in batches(first, sets, plan.batch_seconds, old, tokenizer, seed=options.seed):
            if first >= horizon.steps or kept.exhausted:
                break
            if deadline.passed or not pace.has_room(deadline.seconds_left):
                break
            optimizer.zero_grad(set_to_none=True)
            values = compute_gradients(model, batch, tokenizer, top, options, first)
            nn.utils.clip_grad_norm_(weights.values(), 1.0)
            optimizer.step()
            schedule.step()
            average.update(weights)

            first += 1
            pace.end_step()
            progress.step(first, values)
            if not horizon.is_settled and pace.is_known:
                horizon.settle(first, pace.step_seconds, pace.checking, plan.check, deadline.seconds_left)
                progress.steps = horizon.steps
                tell(describe_plan(plan, horizon, first, pace.step_seconds, pace.checking))
            if first % plan.check == 0 or first == horizon.steps:
                with pace.check():
                    check_dev(first)
            if first % options.save_every == 0 or first == horizon.steps:
                checkpoint.save(first)
        signalled = deadline.passed and (deadline.seconds_left is None or deadline.seconds_left > 0)
        unchecked = first > 0 and first % plan.check and first != horizon.steps and not kept.exhausted
        if unchecked and not signalled:
            check_dev(first)
        checkpoint.save(first)
        progress.close()
    return not signalled


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

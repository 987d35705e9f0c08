"""Fine-tunes a recognizer or a voice of the Hugging Face Hub on recordings with transcripts.

    python -m recipes.finetune.train --base hf:facebook/wav2vec2-base-960h --manifest my/train.jsonl \
        --dev my/dev.jsonl --out runs/mine
    python -m recipes.finetune.train --base hf:openai/whisper-small --rank 16 --freeze encoder …
    python -m recipes.finetune.train --base hf:microsoft/speecht5_tts …

`--base` is a folder too: any that transformers or speechbrain has written. The classes that it may hold are
listed in tasks.py. What is exported, `voice transcribe --model hf:FOLDER` and `voice speak --voice hf:FOLDER`
open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from data.batching import Share, batches_from, plan_epoch
from data.loading import AudioCache
from data.shards.workers import load_ahead
from recipes import runs
from recipes.asr.windows import select_any
from recipes.devices import first_alone, is_writer
from recipes.finetune import smoke
from recipes.finetune.adapting import AdaptOptions, Statistics, adapt, trainable
from recipes.finetune.bases import base_folder, describe_base, open_task
from recipes.finetune.smoke import NETWORKS
from recipes.finetune.tasks import Example, Inputs, Task
from recipes.kept_weights import KeptWeights
from recipes.options import group, option, parse
from recipes.scaling import Scale, ScaleOptions, show_plan
from recipes.training import (
    Checkpoint,
    Deadline,
    Progress,
    Stateful,
    evaluating,
    seed_batch,
    seed_everything,
    warm_cosine_schedule,
)
from voice.errors import ManifestError, VoiceError
from voice.manifest import Clip
from voice.metrics import total, word_errors

RECIPE = "recipes.finetune.train"
TINY = "data/tiny"
Numbered = tuple[int, Inputs]  # a batch with its number in the run


@dataclass(frozen=True)
class Options:
    base: str = option(
        "hf:facebook/wav2vec2-base-960h", "what to start from: hf:ORG/NAME[@revision] or a folder"
    )
    manifest: tuple[str, ...] = option((f"{TINY}/train.jsonl",), "train on this; PATH:N takes N; repeatable")
    dev: tuple[str, ...] = option((f"{TINY}/dev.jsonl",), "watch this; PATH:-N takes the last N; repeatable")
    out: Path = option(
        Path("runs/finetuned"), "the run's folder; a run that is there goes on", may_change=True
    )
    fresh: bool = option(False, "start over even where there is a run", may_change=True)
    language: str = option("en", "the language of all clips")
    adapt: AdaptOptions = group(AdaptOptions())
    masks: bool = option(True, "mask time and frequency as the network's configuration says (SpecAugment)")
    rate: float = option(0.0, "learning rate; 0 is 1e-4 for low-rank additions and 2e-5 for all weights")
    head_rate: float = option(1e-3, "learning rate of layers that are new")
    warmup: int = option(50, "steps until the learning rate is reached")
    steps: int = option(1000, "steps in all; the learning rate falls to zero over them", may_change=True)
    batch_seconds: float = option(60.0, "seconds of speech in a batch, padding counted")
    minutes: float | None = option(None, "stop after so many minutes; the next call goes on", may_change=True)
    save_every: int = option(100, "steps between checkpoints", may_change=True)
    check_every: int = option(100, "steps between scores on the dev clips; the best is kept", may_change=True)
    seed: int = option(0, "decides order, masks and first weights")
    threads: int = option(torch.get_num_threads(), "CPU threads", may_change=True)
    scale: ScaleOptions = group(ScaleOptions())
    smoke: bool = option(False, "seconds: a small random network of a real class on data/tiny")
    network: str = option("wav2vec2", f"with --smoke: {', '.join(NETWORKS)}")


class Recordings:
    """Clips with what a task makes of them; what cannot be learned from is left out and counted."""

    def __init__(self, clips: Sequence[Clip], task: Task, what: str) -> None:
        tokens = [task.tokens(clip.text or "") for clip in clips]
        fitting = [
            index for index, (clip, each) in enumerate(zip(clips, tokens, strict=True))
            if len(each) and task.fits(clip.duration, each)
        ]  # fmt: skip
        if len(fitting) < len(clips):
            name = next(clip.id for index, clip in enumerate(clips) if index not in set(fitting))
            left_out = f"{what}: {len(clips) - len(fitting)} clips are left out, {name} among them"
            print(f"{left_out}: their text is too long, or nothing that this network writes", flush=True)
        if not fitting:
            raise VoiceError(f"{what}: nothing is left to learn from")
        self.clips, self._tokens = [clips[index] for index in fitting], [tokens[index] for index in fitting]
        self._sounds = AudioCache(self.clips, task.rate)

    @property
    def durations(self) -> list[float]:
        """Seconds of each clip."""
        return [clip.duration for clip in self.clips]

    def budget(self, options: Options) -> float:
        """Return the seconds of a batch, in which the longest clip has room."""
        return max(options.batch_seconds, *self.durations)

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Example:
        return Example(self._sounds[index], self._tokens[index])


def read_transcribed(manifests: Sequence[str]) -> list[Clip]:
    """Return the clips of manifests that have a transcript. Raises ManifestError where there is none."""
    clips = [clip for manifest in manifests for clip in select_any(manifest) if clip.text]
    if not clips:
        raise ManifestError(f"{', '.join(manifests)} holds no clip with a transcript")
    return clips


def batches(
    train: Recordings, task: Task, first: int, options: Options, share: Share
) -> Iterator[list[Numbered]]:
    """Yield this process's batches of step `first`, then of the next; each follows from seed and number."""

    def load(planned: tuple[int, list[int]]) -> Numbered:
        number, indices = planned
        return number, task.batch([train[index] for index in indices])

    planned = batches_from(
        first * share.per_step, train.durations, train.budget(options), seed=options.seed, share=share
    )
    yield from share.by_step(load_ahead(planned, load, options.scale.workers))


def on_device(batch: Inputs, device: torch.device) -> dict[str, torch.Tensor]:
    """Return a batch on a device."""
    return {name: value.to(device) for name, value in batch.items()}


def dev_scores(task: Task, dev: Recordings, device: torch.device) -> dict[str, float]:
    """Return the mean loss over the dev clips, and for a recognizer its errors per word."""
    with evaluating(task.module):
        losses = [task.loss(on_device(task.batch([dev[index]]), device)) for index in range(len(dev))]
        scores = {"loss": float(torch.stack(losses).mean())}
        if task.kind == "recognizer":
            written = [task.hypothesis(dev[index].samples) for index in range(len(dev))]
            pairs = zip(dev.clips, written, strict=True)
            scores["wer"] = total(word_errors(clip.text or "", text) for clip, text in pairs).rate
    return scores


def badness(scores: Mapping[str, float]) -> tuple[float, float]:
    """Return what the best weights have least of: word errors, then the loss."""
    return scores.get("wer", 0.0), scores["loss"]


def open_adapted(options: Options, folder: Path, texts: Sequence[str] = ()) -> Task:
    """Return the task of a base, ready to learn. Without `texts` a new vocabulary is that of the run."""
    task = open_task(
        folder, texts, options.out / "vocabulary",
        language=options.language, masked=options.masks and not options.smoke, seed=options.seed,
    )  # fmt: skip
    adapt(task, options.adapt)
    return task


def start_folder(options: Options) -> Path:
    """Return the folder of the model to start from. Raises ModelError."""
    return smoke.base(options.network, options.out) if options.smoke else base_folder(options.base)


def optimizer_of(task: Task, weights: nn.ParameterDict, options: Options) -> torch.optim.Optimizer:
    """Return AdamW with a rate for new layers and another one for the rest."""
    rate = options.rate or (1e-4 if options.adapt.rank else 2e-5)
    is_new = {name: bool(task.head) and name.replace("/", ".").startswith(task.head) for name in weights}
    groups = [
        {"params": [each for name, each in weights.items() if is_new[name] is new], "lr": lr}
        for new, lr in ((False, rate), (True, options.head_rate))
    ]
    return torch.optim.AdamW(
        [each for each in groups if each["params"]], betas=(0.9, 0.98), weight_decay=0.01
    )


def shrink(options: Options) -> Options:
    """Make the run short; what was set by hand otherwise stays."""
    steps = min(options.steps, 8)
    return replace(options, steps=steps, save_every=1, check_every=4, warmup=2, batch_seconds=12.0, rate=1e-3)


def run_of(options: Options, folder: Path, task: Task, batches_a_step: int) -> runs.Run:
    """Return what a run with these options is; `folder` has the model that it starts from."""
    name, data = str(folder) if options.smoke else options.base, (*options.manifest, *options.dev)
    return runs.describe(
        RECIPE, options, data, base=describe_base(name, folder), model=task.card_options(),
        batches_a_step=batches_a_step,
    )  # fmt: skip


def announce(train: Recordings, dev: Recordings, weights: nn.ParameterDict, task: Task) -> None:
    """Print how much there is to learn from, and how much learns."""
    learning, whole = (
        sum(each.numel() for each in some) for some in (weights.values(), task.module.parameters())
    )
    print(f"{len(train)} clips, {len(dev)} dev clips; {learning:,} of {whole:,} weights learn", flush=True)


def main(options: Options) -> None:
    scale = Scale.join(options.scale)
    if options.smoke:
        options = shrink(options)
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    clips, held_out = read_transcribed(options.manifest), read_transcribed(options.dev)
    with first_alone():
        folder = start_folder(options)
        task = open_adapted(options, folder, [clip.text or "" for clip in clips])
    train, dev = Recordings(clips, task, "train"), Recordings(held_out, task, "dev")
    run = run_of(options, folder, task, scale.share.per_step)
    resumes = not options.scale.dry_run and runs.begin(options.out, run, options)

    nn.Module.to(task.module, scale.device)
    weights, statistics = trainable(task.module), Statistics(task.module)
    announce(train, dev, weights, task)
    optimizer = optimizer_of(task, weights, options)
    gradients = scale.accumulator(optimizer, weights.values(), 1.0)
    schedule = warm_cosine_schedule(optimizer, options.warmup, options.steps)
    kept = KeptWeights(options.out, options.scale)
    parts: dict[str, Stateful] = {
        "weights": weights, "statistics": statistics, "optimizer": optimizer, "gradients": gradients,
        "schedule": schedule, "kept": kept,
    }  # fmt: skip
    checkpoint = Checkpoint(options.out, parts)
    first = checkpoint.restore() if resumes else 0
    scale.processes.equalize(weights)

    def loss_of(numbered: Numbered) -> torch.Tensor:
        """Return the loss of a batch, whose masks and dropout follow from its number."""
        seed_batch(options.seed, numbered[0])
        with scale.precision.autocast():
            return task.loss(on_device(numbered[1], scale.device))

    if options.scale.dry_run:
        some = next(batches(train, task, 0, options, scale.share))[0]
        epoch = len(plan_epoch(train.durations, train.budget(options), seed=options.seed, epoch=0))
        return show_plan(scale, options.steps, epoch, {"network": task.module}, lambda: loss_of(some))

    with Deadline(options.minutes) as deadline:
        progress = Progress(
            options.out, first=first, steps=options.steps, deadline=deadline, wandb=options.scale.wandb,
            config=run.options,
        )  # fmt: skip
        for mine in batches(train, task, first, options, scale.share):
            if first >= options.steps or kept.exhausted or scale.processes.any(deadline.passed):
                break
            for batch in mine:
                loss = loss_of(batch)
                gradients.backward(loss)
            gradients.step()
            schedule.step()

            first += 1
            progress.step(first, {"loss": loss.item()})
            if first % options.check_every == 0 or first == options.steps:
                if is_writer():
                    scores = dev_scores(task, dev, scale.device)
                    progress.scores(first, scores)
                    kept.consider(
                        first, badness(scores), weights.state_dict() | statistics.state_dict(), scores
                    )
                if scale.processes.any(kept.exhausted):
                    break
            if first % options.save_every == 0 or first == options.steps:
                checkpoint.save(first)
        checkpoint.save(first)
        kept.write_means()
        progress.close()


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

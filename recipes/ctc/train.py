"""Trains a speech-to-text encoder of one's own by CTC and attention, from scratch or from one that is there.

    python -m recipes.ctc.train --manifest …/train.jsonl --dev …/dev.jsonl --out runs/ctc
    python -m recipes.ctc.train --base quick --units characters --manifest … --dev … --out runs/warm
    python -m recipes.ctc.train --base hf:facebook/hubert-base-ls960 --manifest … --dev … --out runs/hubert
    python -m recipes.ctc.train --dry-run 8 --hours 960 --batch-seconds 600
    torchrun --nproc-per-node 8 -m recipes.ctc.train --manifest … --dev … --out runs/large

A run goes on where it was when called again. `--dry-run` says what a run takes and trains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from data.batching import rng_for
from data.loading import AudioCache
from recipes import runs
from recipes.ctc import examples as data
from recipes.ctc import plan
from recipes.ctc.building import (
    RECIPE,
    base_of,
    build,
    count_weights,
    feature_kind,
    frame_of,
    weight_groups,
)
from recipes.ctc.model import Conformer, CTCModel, JointLoss, Size
from recipes.ctc.scoring import dev_scores
from recipes.ctc.texts import TextEncoder, UnitKind, Writing, text_encoder
from recipes.devices import first_alone, is_writer
from recipes.kept_weights import KeptWeights
from recipes.options import group, option, parse
from recipes.scaling import Scale, ScaleOptions
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
from voice.asr.ctc.recognizer import SAMPLE_RATE, WHOLE
from voice.errors import VoiceError

LONGEST_CHUNK = 1.0  # seconds; Zhang et al. 2020 draw up to 25 frames of 40 ms


@dataclass(frozen=True)
class Options:
    manifest: tuple[str, ...] = option(
        ("data/tiny/train.jsonl",), "train on this; PATH:N takes N; repeatable"
    )
    dev: tuple[str, ...] = option(
        ("data/tiny/dev.jsonl",), "watch this; PATH:-N takes the last N; repeatable"
    )
    out: Path = option(Path("runs/ctc"), "the run's folder; a run that is there goes on", may_change=True)
    base: str | None = option(
        None, "begin with this encoder: quick, a Whisper, hf:NAME, hf:FOLDER; else random"
    )
    language: str = option("en", "what is spoken, as its card will say")
    writing: Writing = option("spoken", "write English as spoken, any language in lower case, or as written")
    base_head: bool = option(
        False, "begin with the CTC head of the base too, as quick has one: English letters"
    )
    units: UnitKind = option(
        "pieces", "the texts' characters, word pieces by sentencepiece, or English letters"
    )
    vocabulary: int = option(500, "about how many word pieces")
    size: Size = group(Size())
    augment: data.AugmentOptions = group(data.AugmentOptions())
    streaming: bool = option(
        True, "half of the batches see chunks of up to 1 s instead of the whole utterance"
    )
    attention: float = option(0.3, "weight of the attention decoder's loss beside CTC's; 0 is none")
    rate: float = option(1e-3, "highest learning rate of what begins at random")
    encoder_rate: float = option(5e-5, "highest learning rate of an encoder that was there")
    warmup: int = option(1000, "steps until the highest learning rate")
    steps: int = option(30_000, "steps in all; the learning rate falls to zero over them", may_change=True)
    batch_seconds: float = option(120.0, "padded seconds of speech in a batch of one device")
    minutes: float | None = option(None, "stop after so many minutes; the next call goes on", may_change=True)
    save_every: int = option(500, "steps between checkpoints", may_change=True)
    check_every: int = option(500, "steps between scores on the dev clips", may_change=True)
    seed: int = option(0, "decides first weights, order, augmentation and chunks")
    threads: int = option(torch.get_num_threads(), "CPU threads", may_change=True)
    smoke: bool = option(False, "a small network learns the tiny corpus by heart in a minute")
    fresh: bool = option(False, "start over even where there is a run", may_change=True)
    hours: float | None = option(None, "with --dry-run: as if there were so many hours", may_change=True)
    scale: ScaleOptions = group(ScaleOptions())


def shrink(options: Options) -> Options:
    """Make the run short; what it reads and where it writes stays."""
    size = Size(layers=2, width=96, heads=4, feed_forward=256, kernel=7, dropout=0.0, decoder_layers=1)
    return replace(
        options, size=size, units="characters", augment=data.AugmentOptions((), (), 0.0, False),
        streaming=False, attention=0.0, rate=3e-3, warmup=20, steps=min(options.steps, 260),
        batch_seconds=16.0, save_every=130, check_every=130,
    )  # fmt: skip


def describe_run(options: Options, batches_a_step: int = 1) -> runs.Run:
    """Return what a run with these options is."""
    files = (*options.manifest, *options.dev, *options.augment.noise)
    return runs.describe(RECIPE, options, files, base=base_of(options.base), batches_a_step=batches_a_step)


def plan_of(options: Options) -> plan.Plan:
    """Return what a run with these options takes."""
    hours = options.hours or sum(clip.duration for clip in data.select(options.manifest)) / 3600
    return plan.estimate(
        options.base, options.size, units=options.units, vocabulary=options.vocabulary,
        attention=options.attention, hours=hours, devices=options.scale.dry_run, steps=options.steps,
        batch_seconds=options.batch_seconds * options.scale.accumulate,
    )  # fmt: skip


def draw_chunk(options: Options, number: int) -> int:
    """Return how many output frames a frame of a batch sees at once."""
    rng = rng_for(options.seed, 3, number)
    if not options.streaming or rng.random() < 0.5:
        return WHOLE
    return int(rng.integers(1, 1 + round(LONGEST_CHUNK / frame_of(options.base, options.size))))


def masking(options: Options) -> nn.Module:
    """Return SpecAugment's masks over (B, D, T): PyTorch's randomness, which the checkpoint keeps."""
    if not options.augment.masks or feature_kind(options.base) == "samples":
        return nn.Identity()
    from torchaudio.transforms import SpecAugment

    masks: nn.Module = SpecAugment(2, 50, 2, 20, p=0.2)
    return masks


def start_model(options: Options, train: data.Examples, encode: TextEncoder) -> CTCModel:
    """Return the network to train; one from scratch knows the mean and deviation of the features."""
    model = build(
        options.base,
        options.size,
        encode.units.classes,
        attention=options.attention,
        base_head=options.base_head,
    )
    if isinstance(model.encoder, Conformer):
        mean, deviation = data.feature_statistics(train)
        model.encoder.normalize(mean, deviation)
    return model.train()


def noises_of(manifests: Sequence[str]) -> AudioCache | None:
    """Return the noises of manifests; None without any."""
    clips = data.select(manifests)
    return AudioCache(clips, SAMPLE_RATE) if clips else None


def score_average(
    model: CTCModel, average: Ema, dev: data.Examples, encode: TextEncoder, language: str
) -> dict[str, float]:
    """Return the scores of the averaged weights on dev."""
    with averaged_weights(model, average):
        return dev_scores(model, dev, encode, language, next(model.parameters()).device)


def check(options: Options) -> None:
    """Refuse options that contradict each other. Raises VoiceError."""
    if options.base_head and (options.units, options.writing) != ("letters", "spoken"):
        raise VoiceError("--base-head writes English letters: give --units letters --writing spoken with it")
    if options.writing == "spoken" and options.language != "en":
        raise VoiceError(f"--writing spoken is English: give --writing lower with {options.language}")


def main(options: Options) -> None:
    scale = Scale.join(options.scale)
    if options.smoke:
        options = shrink(options)
    torch.set_num_threads(options.threads)
    if options.scale.dry_run:
        print(plan_of(options).table())
        return
    check(options)
    resumes = runs.begin(options.out, describe_run(options, scale.share.per_step), options)
    clips = data.select(options.manifest)
    with first_alone():
        encode = text_encoder(
            options.out, data.texts_of(clips), options.writing, options.units, options.vocabulary,
            resumes=resumes or not is_writer(),
        )  # fmt: skip
    kind = feature_kind(options.base)
    train, dev = (data.gather(each, encode, kind) for each in (clips, data.select(options.dev)))
    noises, mask = noises_of(options.augment.noise), masking(options)
    seed_everything(options.seed)
    model = start_model(options, train, encode).to(scale.device)
    size = f"{count_weights(model) / 1e6:.1f} M weights"
    print(f"{plan.describe(train)}; {len(dev.utterances)} dev clips; {size}", flush=True)

    loss_of = JointLoss(model, options.attention)
    encoder_rate = options.encoder_rate if options.base else options.rate
    optimizer = torch.optim.AdamW(
        weight_groups(model, options.rate, encoder_rate), betas=(0.9, 0.98), weight_decay=0.01
    )
    gradients = scale.accumulator(optimizer, model.parameters(), 5.0)
    schedule = warm_cosine_schedule(optimizer, options.warmup, options.steps)
    average, kept = Ema(model, 0.998), KeptWeights(options.out, options.scale)
    parts: dict[str, Stateful] = {
        "model": model, "optimizer": optimizer, "gradients": gradients, "schedule": schedule,
        "average": average, "kept": kept,
    }  # fmt: skip
    checkpoint = Checkpoint(options.out, parts)
    done = checkpoint.restore() if resumes else 0
    scale.processes.equalize(model)

    def losses_of(numbered: tuple[int, data.Batch]) -> dict[str, Tensor]:
        """Return the losses of a batch by name; masks, dropout and the chunk follow from its number."""
        number, batch = numbered[0], numbered[1].to(scale.device)
        seed_batch(options.seed, number)
        features = mask(batch.features.transpose(1, 2)).transpose(1, 2)
        chunk = torch.tensor(draw_chunk(options, number), device=scale.device)
        with scale.precision.autocast():
            losses: dict[str, Tensor] = loss_of(features, batch.frames, batch.labels, batch.lengths, chunk)
        return losses

    with Deadline(options.minutes) as deadline:
        progress = Progress(
            options.out, first=done, steps=options.steps, deadline=deadline, wandb=options.scale.wandb
        )
        for mine in data.batches(
            train, done, options.batch_seconds, options.augment, noises, options.seed, scale
        ):
            if done >= options.steps or kept.exhausted or scale.processes.any(deadline.passed):
                break
            for batch in mine:
                losses = losses_of(batch)
                gradients.backward(losses["loss"])
            rate = float(schedule.get_last_lr()[0])
            gradients.step()
            schedule.step()
            average.update(model)

            done += 1
            progress.step(done, {name: value.item() for name, value in losses.items()}, rate=rate)
            if done % options.check_every == 0 or done == options.steps:
                if is_writer():
                    scores = score_average(model, average, dev, encode, options.language)
                    progress.scores(done, scores)
                    kept.consider(done, (scores["cer"], scores["loss"]), average.weights, scores)
                if scale.processes.any(kept.exhausted):
                    break
            if done % options.save_every == 0 or done == options.steps:
                checkpoint.save(done)
        checkpoint.save(done)
        kept.write_means()
        progress.close()


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

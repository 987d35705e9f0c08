"""Trains a speech-to-text encoder of one's own by CTC and attention, from scratch or from one that is there.

    python -m recipes.ctc.train --manifest …/train.jsonl --dev …/dev.jsonl --out runs/ctc
    python -m recipes.ctc.train --base quick --units characters --manifest … --dev … --out runs/warm
    python -m recipes.ctc.train --base hf:facebook/hubert-base-ls960 --manifest … --dev … --out runs/hubert
    python -m recipes.ctc.train --dry-run 8 --hours 960 --batch-seconds 600
    torchrun --nproc-per-node 8 -m recipes.ctc.train --manifest … --dev … --out runs/large

A run goes on where it was when called again. `--dry-run` says what a run takes and trains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from data.batching import rng_for
from data.loading import AudioCache
from recipes import runs
from recipes.ctc import examples as data
from recipes.ctc import plan
from recipes.ctc.building import RECIPE, Architecture, base_of, count_weights, weight_groups
from recipes.ctc.features import AugmentOptions, Changes, FrozenFeatures, SoundFeatures
from recipes.ctc.model import BesideLetters, Conformer, CTCModel, JointLoss, Size
from recipes.ctc.scoring import dev_scores
from recipes.ctc.texts import TextEncoder, UnitKind, Writing, text_encoder
from recipes.ctc.warm import HUB
from recipes.devices import first_alone, is_writer
from recipes.kept_weights import KeptWeights
from recipes.options import group, option, parse, values
from recipes.scaling import Precision, Scale, ScaleOptions
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
from voice.manifest import Clip

MASKED_FRAMES = 25  # at most, of what a frozen encoder gives: 0.5 s
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
        False,
        "begin with the CTC head of the base too, as quick has one: English letters; or read it, frozen",
    )
    freeze: bool = option(
        False, "keep the base's encoder as it is, and what it gives on disk; Conformer layers learn on it"
    )
    encoded: Path | None = option(
        None, "with --freeze: where that is kept for other runs too; else with the run", may_change=True
    )
    units: UnitKind = option(
        "pieces", "the texts' characters, word pieces by sentencepiece, or English letters"
    )
    vocabulary: int = option(500, "about how many word pieces")
    size: Size = group(Size())
    augment: AugmentOptions = group(AugmentOptions())
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
        options, size=size, units="characters", augment=AugmentOptions((), (), 0.0, False),
        streaming=False, attention=0.0, rate=3e-3, warmup=20, steps=min(options.steps, 260),
        batch_seconds=16.0, save_every=130, check_every=130,
    )  # fmt: skip


def describe_run(options: Options, batches_a_step: int = 1) -> runs.Run:
    """Return what a run with these options is."""
    files = (*options.manifest, *options.dev, *options.augment.noise)
    return runs.describe(RECIPE, options, files, base=base_of(options.base), batches_a_step=batches_a_step)


def architecture_of(options: Options) -> Architecture:
    """Return what the network of a run is made of."""
    return Architecture.of(values(options))


def plan_of(options: Options) -> plan.Plan:
    """Return what a run with these options takes."""
    hours = options.hours or sum(clip.duration for clip in data.select(options.manifest)) / 3600
    return plan.estimate(
        architecture_of(options), units=options.units, vocabulary=options.vocabulary, hours=hours,
        devices=options.scale.dry_run, steps=options.steps,
        batch_seconds=options.batch_seconds * options.scale.accumulate,
    )  # fmt: skip


def draw_chunk(options: Options, number: int) -> int:
    """Return how many output frames a frame of a batch sees at once."""
    rng = rng_for(options.seed, 3, number)
    if not options.streaming or rng.random() < 0.5:
        return WHOLE
    return int(rng.integers(1, 1 + round(LONGEST_CHUNK / architecture_of(options).frame)))


def masking(options: Options) -> nn.Module:
    """Return SpecAugment's masks over (B, D, T): PyTorch's randomness, which the checkpoint keeps."""
    if not options.augment.masks or (options.base or "").startswith(HUB) and not options.freeze:
        return nn.Identity()
    from torchaudio.transforms import SpecAugment

    if options.freeze:  # an encoder's channels are no frequencies
        return SpecAugment(2, MASKED_FRAMES, 0, 1, p=0.2)
    return SpecAugment(2, 50, 2, 20, p=0.2)


def start_model(options: Options, train: data.Examples, encode: TextEncoder) -> CTCModel:
    """Return the network to train; one from scratch knows the mean and deviation of the features."""
    inputs = train.features(train.utterances[0].index).shape[1] if options.freeze else None
    model = architecture_of(options).build(encode.units.classes, inputs)
    inner = model.encoder.encoder if isinstance(model.encoder, BesideLetters) else model.encoder
    if isinstance(inner, Conformer):
        inner.normalize(*data.feature_statistics(train))
    return model.train()


def noises_of(manifests: Sequence[str]) -> AudioCache | None:
    """Return the noises of manifests; None without any."""
    clips = data.select(manifests)
    return AudioCache(clips, SAMPLE_RATE) if clips else None


def gather(
    options: Options, clips: Sequence[Clip], encode: TextEncoder, precision: Precision
) -> tuple[data.Examples, data.Examples]:
    """Return the examples to learn from and those to watch; a frozen base hears them once."""
    architecture = architecture_of(options)
    changes = Changes(options.augment, noises_of(options.augment.noise), options.seed)
    keep = keeper(options, precision) if options.freeze else None
    train = data.gather(clips, encode, architecture.features, changes, keep)
    return train, data.gather(data.select(options.dev), encode, architecture.features, None, keep)


def keeper(options: Options, precision: Precision) -> Callable[[SoundFeatures], FrozenFeatures]:
    """Return what has the frozen base hear clips, and keeps what it gives."""
    quantized = precision.device.type == "cpu"
    encoder = architecture_of(options).base_encoder(quantized=quantized).to(precision.device)
    base = f"{base_of(options.base)} {options.base_head}"
    folder = options.encoded or options.out / "encoded"

    def keep(sounds: SoundFeatures) -> FrozenFeatures:
        return FrozenFeatures(sounds, encoder, base, folder, precision)

    return keep


def score_average(
    model: CTCModel, average: Ema, dev: data.Examples, encode: TextEncoder, language: str
) -> dict[str, float]:
    """Return the scores of the averaged weights on dev."""
    with averaged_weights(model, average):
        return dev_scores(model, dev, encode, language, next(model.parameters()).device)


def check(options: Options) -> None:
    """Refuse options that contradict each other. Raises VoiceError."""
    letters = (options.units, options.writing) == ("letters", "spoken")
    if options.base_head and not letters and not options.freeze:
        raise VoiceError("--base-head writes English letters: give --units letters --writing spoken with it")
    if options.freeze and (options.base is None or options.streaming):
        raise VoiceError("--freeze keeps an encoder that is there: give --base and --no-streaming with it")
    if options.freeze and options.base_head and letters and options.size.subsampling != 2:
        raise VoiceError("--base-head --units letters corrects each frame of 20 ms: give --subsampling 2")
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
    train, dev = gather(options, clips, encode, scale.precision)
    mask = masking(options)
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
        for mine in data.batches(train, done, options.batch_seconds, options.seed, scale):
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

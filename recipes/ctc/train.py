"""Trains a speech-to-text encoder of one's own by CTC and attention, from scratch or from one that is there.

    python -m recipes.ctc.train --manifest …/train.jsonl --dev …/dev.jsonl --out runs/ctc
    python -m recipes.ctc.train --base quick --units characters --manifest … --dev … --out runs/warm
    python -m recipes.ctc.train --base hf:facebook/hubert-base-ls960 --manifest … --dev … --out runs/hubert
    python -m recipes.ctc.train --dry-run --hours 960 --devices 8 --batch-seconds 600

A run goes on where it was when called again. `--dry-run` says what a run takes and trains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from data.batching import rng_for
from data.loading import AudioCache
from recipes import runs
from recipes.checkpoints import write_state
from recipes.ctc import examples as data
from recipes.ctc import plan
from recipes.ctc.building import (
    RECIPE,
    base_of,
    build,
    count_weights,
    feature_kind,
    frame_of,
    use_weights,
    weight_groups,
)
from recipes.ctc.model import Conformer, CTCModel, JointLoss, Size
from recipes.ctc.scoring import Best, dev_scores
from recipes.ctc.texts import TextEncoder, UnitKind, Writing, text_encoder
from recipes.options import group, option, parse
from recipes.training import (
    Checkpoint,
    Deadline,
    Ema,
    Progress,
    Stateful,
    autocast,
    best_device,
    seed_everything,
    warm_cosine,
)
from voice.asr.ctc.recognizer import WHOLE
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
    dry_run: bool = option(False, "say what a run takes, and train nothing", may_change=True)
    hours: float | None = option(None, "with --dry-run: as if there were so many hours", may_change=True)
    devices: int = option(1, "with --dry-run: as if there were so many devices", may_change=True)


def shrink(options: Options) -> Options:
    """Make the run short; what it reads and where it writes stays."""
    size = Size(layers=2, width=96, heads=4, feed_forward=256, kernel=7, dropout=0.0, decoder_layers=1)
    return replace(
        options, size=size, units="characters", augment=data.AugmentOptions((), (), 0.0, False),
        streaming=False, attention=0.0, rate=3e-3, warmup=20, steps=min(options.steps, 260),
        batch_seconds=16.0, save_every=130, check_every=130,
    )  # fmt: skip


def describe_run(options: Options) -> runs.Run:
    """Return what a run with these options is."""
    files = (*options.manifest, *options.dev, *options.augment.noise)
    return runs.describe(RECIPE, options, files, base=base_of(options.base))


def plan_of(options: Options) -> plan.Plan:
    """Return what a run with these options takes."""
    hours = options.hours or sum(clip.duration for clip in data.select(options.manifest)) / 3600
    return plan.estimate(
        options.base, options.size, units=options.units, vocabulary=options.vocabulary,
        attention=options.attention, hours=hours, devices=options.devices, steps=options.steps,
        batch_seconds=options.batch_seconds,
    )  # fmt: skip


def draw_chunk(options: Options, step: int) -> int:
    """Return how many output frames a frame of this step's batch sees at once."""
    rng = rng_for(options.seed, 3, step)
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
        model.encoder.mean.copy_(mean)
        model.encoder.scale.copy_(1 / deviation)
    return model.train()


def noises_of(manifests: Sequence[str]) -> AudioCache | None:
    """Return the noises of manifests; None without any."""
    clips = data.select(manifests)
    return AudioCache(clips, data.SAMPLE_RATE) if clips else None


def check(
    model: CTCModel,
    average: Ema,
    dev: data.Examples,
    encode: TextEncoder,
    best: Best,
    options: Options,
    step: int,
) -> dict[str, float]:
    """Score the averaged weights on dev; write them to `best.pt` if they are the best so far."""
    own = use_weights(model, average.weights)
    scores = dev_scores(model, dev, encode, options.language, next(model.parameters()).device)
    model.load_state_dict(own)
    if best.improves(scores):
        found = {"scores": scores, "step": step, "weights": average.weights}
        write_state(options.out / "best.pt", found)
    return scores


def main(options: Options) -> None:
    if options.smoke:
        options = shrink(options)
    torch.set_num_threads(options.threads)
    if options.dry_run:
        print(plan_of(options).table())
        return
    if options.base_head and (options.units, options.writing) != ("letters", "spoken"):
        raise VoiceError("--base-head writes English letters: give --units letters --writing spoken with it")
    device = best_device()
    resumes = runs.begin(options.out, describe_run(options), options)
    clips = data.select(options.manifest)
    encode = text_encoder(
        options.out, data.texts_of(clips), options.writing, options.units, options.vocabulary, resumes=resumes
    )
    kind = feature_kind(options.base)
    train, dev = (data.gather(each, encode, kind) for each in (clips, data.select(options.dev)))
    noises, mask = noises_of(options.augment.noise), masking(options)
    seed_everything(options.seed)
    model = start_model(options, train, encode).to(device)
    print(
        f"{plan.describe(train)}; {len(dev.utterances)} dev clips; {count_weights(model) / 1e6:.1f} M weights"
    )

    loss_of = JointLoss(model, options.attention)
    encoder_rate = options.encoder_rate if options.base else options.rate
    optimizer = torch.optim.AdamW(
        weight_groups(model, options.rate, encoder_rate), betas=(0.9, 0.98), weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, partial(warm_cosine, warmup=options.warmup, steps=options.steps)
    )
    average, best = Ema(model, 0.998), Best()
    parts: dict[str, Stateful] = {
        "model": model, "optimizer": optimizer, "schedule": schedule, "average": average, "best": best,
    }  # fmt: skip
    checkpoint = Checkpoint(options.out, parts)
    done = checkpoint.restore() if resumes else 0
    with Deadline(options.minutes) as deadline:
        progress = Progress(options.out, first=done, steps=options.steps, deadline=deadline)
        for step, batch in data.batches(
            train, done, options.batch_seconds, options.augment, noises, options.seed
        ):
            if step >= options.steps or deadline.passed:
                break
            batch = batch.to(device)
            features = mask(batch.features.transpose(1, 2)).transpose(1, 2)
            chunk = torch.tensor(draw_chunk(options, step), device=device)
            with autocast(device):
                losses: dict[str, Tensor] = loss_of(
                    features, batch.frames, batch.labels, batch.lengths, chunk
                )
            optimizer.zero_grad(set_to_none=True)
            losses["loss"].backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            average.update(model)

            done = step + 1
            progress.step(done, {name: value.item() for name, value in losses.items()})
            if done % options.check_every == 0 or done == options.steps:
                progress.scores(done, check(model, average, dev, encode, best, options, done))
            if done % options.save_every == 0 or done == options.steps:
                checkpoint.save(done)
        checkpoint.save(done)
        progress.close()


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

"""Trains a CTC head on what a recognizer's encoder gives, the encoder as it is.

    python -m recipes.asr.train_head --manifest …/train.jsonl --dev …/dev.jsonl \
        --augment ../shared/corpora --out runs/head

The encoder runs once over every window (and over further, augmented copies of it), as CTranslate2
runs it in use; its output stays in memory. Text comes from the manifest's `text`, or its `asr_text`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from data.augmentation import Augment, augment_from
from data.batching import batches_from, pad, rng_for
from data.loading import AudioCache
from recipes import runs
from recipes.asr import windows
from recipes.asr.head import Head, ctc_loss, export, saved_head
from recipes.options import option, parse
from recipes.training import (
    Checkpoint,
    Deadline,
    Ema,
    Progress,
    Stateful,
    evaluating,
    seed_everything,
    warm_cosine,
)
from voice.asr.ctc.alphabet import BLANK, FRAME, spell
from voice.asr.ctc.head import greedy_letters
from voice.asr.whisper.encoder import storage_view
from voice.asr.whisper.windows import MARGIN, WINDOW_SAMPLES, features
from voice.features import WHISPER_RATE
from voice.manifest import Clip
from voice.metrics import Score, total, word_errors
from voice.models import find
from voice.models.adapter import WEIGHTS
from voice.models.card import sha256

RECIPE = "recipes.asr.train_head"
SHOWN_EVERY = 20.0  # s


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
    fresh: bool = option(False, "start over even where there is a run", may_change=True)


@dataclass(frozen=True, eq=False)
class Example:
    """A window's encoder output (F, D) float16, the letters said in it, and where it is from."""

    encoded: np.ndarray
    labels: np.ndarray
    text: str
    corpus: str


def text_of(clip: Clip) -> str | None:
    """Return the transcript of a clip, or what an earlier recognizer wrote."""
    return clip.text if clip.text is not None else clip.extra.get("asr_text")


def encode(samples: np.ndarray, model: Any, margin: float) -> np.ndarray:
    """Return the encoder's output (F, D) float16 of (T,) samples and `margin` seconds of silence."""
    length = min(WINDOW_SAMPLES, len(samples) + round(margin * WHISPER_RATE))
    view = storage_view(features(samples, length // 320 * 320)[None])
    return np.asarray(model.encode(view, to_cpu=True))[0].astype(np.float16)


def examples(
    manifests: Sequence[str], models: Sequence[Any], options: Options, augment: Augment | None, joins: int
) -> Iterator[Example]:
    """Yield every window as it is through each encoder, and augmented copies of it through the first."""
    listed, left_out = windows.select(manifests)
    clips = [clip for clip in listed if text_of(clip)]
    left_out.add_all([clip.id for clip in listed if not text_of(clip)], "without a transcript")
    sounds = AudioCache(clips, WHISPER_RATE, left_out=left_out)
    every = windows.single(clips) + windows.join_clips(clips, joins, seed=options.seed)
    begun = shown = time.monotonic()
    for number, window in enumerate(every):
        text = " ".join(text_of(clips[index]) or "" for index in window.clips)
        corpus = clips[window.clips[0]].audio.parent.parent.name
        ways = [(model, 0) for model in models]
        ways += [(models[0], 1 + copy) for copy in range(options.copies if augment else 0)]
        whole = windows.open_sound(window, sounds)
        if whole is None:
            continue
        for model, copy in ways:
            rng = rng_for(options.seed, 2, number, copy)
            samples = augment(whole, rng)[:WINDOW_SAMPLES] if copy and augment else whole
            margin = rng.uniform(0.0, 0.8) if augment else MARGIN
            yield Example(encode(samples, model, margin), spell(text).labels, text, corpus)
        now = time.monotonic()
        if now - shown > SHOWN_EVERY:
            shown = now
            left = (now - begun) / (number + 1) * (len(every) - number - 1) / 60
            print(f"encoded {number + 1} of {len(every)}, {left:.0f} minutes left", flush=True)
    if left_out:
        print(left_out, flush=True)


def batch(some: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return encoder outputs (B, F, D), frames (B,), labels (B, L) and how many they are (B,)."""
    rows, frames = pad([each.encoded for each in some], axis=0)
    labels, lengths = pad([each.labels for each in some], BLANK)
    inputs = torch.from_numpy(rows.astype(np.float32))
    return inputs, torch.from_numpy(frames), torch.from_numpy(labels), torch.from_numpy(lengths)


def check(head: Head, dev: Sequence[Example]) -> dict[str, float]:
    """Return word error rates of greedy decoding, of each corpus and of all."""
    scores: dict[str, list[Score]] = {}
    with evaluating(head):
        for each in dev:
            log_probs = head(torch.from_numpy(each.encoded.astype(np.float32))[None])[0].numpy()
            scores.setdefault(each.corpus, []).append(word_errors(each.text, greedy_letters(log_probs)))
    rates = {f"wer/{name}": total(some).rate for name, some in scores.items()}
    return rates | {"wer": total(score for some in scores.values() for score in some).rate}


def describe_run(options: Options) -> runs.Run:
    """Return what a run with these options is; its base is the first of the models."""
    base = runs.Base(options.model[0], sha256(find(options.model[0]).folder / WEIGHTS))
    sizes = {"width": options.width, "blocks": options.blocks, "kernel": options.kernel}
    return runs.describe(RECIPE, options, (*options.manifest, *options.dev), base=base, model=sizes)


def gather_examples(options: Options) -> tuple[list[Example], list[Example]]:
    """Return train and dev examples, kept in memory so that the encoder runs once."""
    import ctranslate2

    models = [
        ctranslate2.models.Whisper(str(find(name).folder), compute_type="int8", intra_threads=options.threads)
        for name in options.model
    ]
    augment = augment_from(options.augment, WHISPER_RATE) if options.augment else None
    train = list(examples(options.manifest, models, options, augment, options.joined))
    dev = list(examples(options.dev, models, options, None, 0))
    return train, dev


def main(options: Options) -> None:
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    resumes = runs.begin(options.out, describe_run(options), options)
    train, dev = gather_examples(options)
    durations = [len(each.encoded) * FRAME for each in train]
    print(f"{len(train)} windows, {sum(durations) / 60:.1f} minutes; {len(dev)} dev clips", flush=True)

    inputs = train[0].encoded.shape[1]
    fresh = Head(inputs, options.width, options.blocks, options.kernel)
    head = (saved_head(options.start) if options.start else fresh).train()
    optimizer = torch.optim.AdamW(head.parameters(), lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, partial(warm_cosine, warmup=options.warmup, steps=options.steps)
    )
    average = Ema(head, 0.998)
    parts: dict[str, Stateful] = {
        "head": head,
        "optimizer": optimizer,
        "schedule": schedule,
        "average": average,
    }
    checkpoint = Checkpoint(options.out, parts)
    first = checkpoint.restore() if resumes else 0
    with Deadline(options.minutes) as deadline:
        progress = Progress(options.out, first=first, steps=options.steps, deadline=deadline)
        for step, indices in batches_from(first, durations, options.batch_seconds, seed=options.seed):
            if step >= options.steps or deadline.passed:
                break
            rows, frames, labels, lengths = batch([train[index] for index in indices])
            loss = ctc_loss(head(rows), frames, labels, lengths)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            average.update(head)
            first = step + 1
            progress.step(first, {"ctc": loss.item()})
            if first % options.check_every == 0 or first == options.steps:
                own = {name: value.clone() for name, value in head.state_dict().items()}
                head.load_state_dict(average.weights)
                progress.scores(first, check(head, dev))
                export(head, options.out)
                head.load_state_dict(own)
                head.train()
            if first % options.save_every == 0 or first == options.steps:
                checkpoint.save(first)
        checkpoint.save(first)
        progress.close()


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

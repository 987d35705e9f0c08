"""Train a vocoder: mel and pitch → 24 kHz speech, first on spectra alone, then against discriminators.

    python -m recipes.vocoder.train --steps 3200 --adversarial-from 1275 --out runs/vocoder

`model.py` says what it is and after whom: a Vocos-like generator (Siuzdak 2023) with a harmonic source
(Wang et al. 2019), trained as HiFi-GAN is (Kong et al. 2020). Speech is clear after 500 steps, some five
minutes of one core; the adversarial stage takes the roughness away. Stop it at any time: the same
command goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from data.batching import prefetch
from recipes import runs, training
from recipes.adversarial import CLIP_NORM, AdversarialOptions, adversarial_step, make_discriminators
from recipes.options import group, option, parse
from recipes.training import adamw, learning_rate, set_learning_rate
from recipes.vocoder.crops import EDGE, Augmentation, Corpus, Crops, load_corpus, without_edges
from recipes.vocoder.losses import SpectralLoss
from recipes.vocoder.model import SIZES, Generator
from voice.features import VOICE_HOP, VOICE_RATE

RECIPE = "recipes.vocoder.train"
CORPORA = Path("../shared/corpora")
TINY = Path(__file__).resolve().parents[2] / "data" / "tiny"


@dataclass(frozen=True)
class Options:
    manifest: tuple[Path, ...] = option(
        (CORPORA / "kathleen/train.jsonl", CORPORA / "ljspeech/train.jsonl"), "training data, repeatable"
    )
    dev: tuple[Path, ...] = option(
        (CORPORA / "kathleen/dev.jsonl", CORPORA / "ljspeech/dev.jsonl"), "scored on the way, repeatable"
    )
    out: Path = option(Path("runs/vocoder"), "folder of the run", may_change=True)
    steps: int = option(3200, "all steps; the learning rate falls until then", may_change=True)
    minutes: float | None = option(None, "stop after so long, to go on another time", may_change=True)
    adversarial: AdversarialOptions = group(AdversarialOptions())
    batch: int = option(16, "crops in a batch")
    seconds: float = option(0.6, "length of a crop")
    rate: float = option(1e-3, "highest learning rate")
    mel_noise: float = option(0.15, "noise on the input mel, nats; each crop draws its level below that")
    mel_blur: float = option(0.15, "share of crops whose input mel is smoothed")
    pitch_jitter: float = option(0.002, "relative standard deviation of slow errors in pitch")
    size: Literal["base", "tiny"] = option("base", "of the generator")
    plain: bool = option(False, "without sources, as Vocos is: to compare with")
    threads: int = option(torch.get_num_threads(), "CPU threads", may_change=True)
    seed: int = option(0, "of weights, crops and noise")
    save_every: int = option(250, "steps between checkpoints and looks at the dev clips", may_change=True)
    dev_clips: int = option(8, "dev clips to score then", may_change=True)
    smoke: bool = option(False, "a tiny model on data/tiny, in seconds")
    fresh: bool = option(False, "start over even where there is a run", may_change=True)


def shrink(o: Options) -> Options:
    """Make everything small; what was set by hand otherwise stays. Threads would wait for each other."""
    adversarial = replace(
        o.adversarial,
        discriminators_batch=2,
        discriminators_seconds=0.2,
        discriminators_width=4,
        adversarial_from=8,
    )
    return replace(
        o, manifest=(TINY / "train.jsonl",), dev=(TINY / "dev.jsonl",), size="tiny", batch=2, seconds=0.3,
        adversarial=adversarial, steps=min(o.steps, 24), save_every=min(o.save_every, 6), dev_clips=1,
        threads=1,
    )  # fmt: skip


def batches(corpus: Corpus, o: Options, first: int) -> Iterator[Crops]:
    """Yield the batches of steps `first`, `first` + 1, …; each depends on the seed and its step alone."""
    frames = round(o.seconds * VOICE_RATE / VOICE_HOP) + 2 * EDGE
    how = Augmentation(o.mel_noise, o.mel_blur, o.pitch_jitter)
    return prefetch(count(first), lambda step: corpus.crops(o.seed, step, o.batch, frames, how))


def dev_scores(generator: Generator, corpus: Corpus, o: Options) -> dict[str, float]:
    """Return PESQ-WB and log-mel L1 of copy synthesis on the first clips of each dev set."""
    from recipes.vocoder.scores import mel_distance, pesq_wideband

    device = next(generator.parameters()).device
    chosen = np.linspace(0, len(corpus.frames) - 1, o.dev_clips).astype(int)
    rows = []
    with training.evaluating(generator):
        for index in chosen.tolist():
            whole = corpus.whole(index)
            made = generator(*whole.to(device).inputs)[0].cpu().numpy()
            real = whole.real[0].numpy()
            rows.append((pesq_wideband(real, made), mel_distance(real, made)))
    pesq, distance = np.nanmean(np.array(rows), 0)
    return {"pesq": float(pesq), "mel_l1": float(distance)}


def main(o: Options) -> None:
    if o.smoke:
        o = shrink(o)
    torch.set_num_threads(o.threads)
    device = training.best_device()
    training.seed_everything(o.seed)
    size = SIZES[o.size]
    resumes = runs.begin(o.out, runs.describe(RECIPE, o, (*o.manifest, *o.dev), model=asdict(size)), o)
    generator = Generator(size, o.plain).to(device)
    discriminators = make_discriminators(o.adversarial).to(device)
    distance = SpectralLoss().to(device)
    optimizer = adamw(generator, o.rate)
    discriminator_optimizer = adamw(discriminators, o.adversarial.discriminators_rate)
    ema = training.Ema(generator, 0.998)
    parts: dict[str, training.Stateful] = {"model": generator, "optimizer": optimizer, "ema": ema,
             "discriminators": discriminators,
             "discriminator_optimizer": discriminator_optimizer}  # fmt: skip
    checkpoint = training.Checkpoint(o.out, parts)
    first = checkpoint.restore() if resumes else 0
    corpus, dev = load_corpus(o.manifest, o.out.parent), load_corpus(o.dev, o.out.parent)
    print(f"{len(corpus.frames)} clips, {corpus.minutes:.1f} minutes", flush=True)

    with training.Deadline(o.minutes) as deadline:
        progress = training.Progress(o.out, first=first, steps=o.steps, deadline=deadline)
        for step, crops in zip(range(first, o.steps), batches(corpus, o, first), strict=False):
            crops = crops.to(device)
            set_learning_rate(optimizer, learning_rate(step, o.steps, o.rate))
            set_learning_rate(
                discriminator_optimizer, learning_rate(step, o.steps, o.adversarial.discriminators_rate)
            )

            with training.autocast(device):
                spectral = generator.parts(crops.mel, crops.f0)
            made = generator.sound(spectral, crops.pulse, crops.noise)
            made, real = without_edges(made), without_edges(crops.real)
            loss, shown = distance(made, real)

            if step >= o.adversarial.adversarial_from:
                more, judged = adversarial_step(
                    discriminators, discriminator_optimizer, made, real, o.adversarial, step
                )
                loss, shown = loss + more, shown | judged

            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(generator.parameters(), CLIP_NORM)
            optimizer.step()
            ema.update(generator)
            progress.step(step + 1, {"loss": loss.detach(), **shown})

            over = deadline.passed or step + 1 == o.steps
            if over or (step + 1) % o.save_every == 0:
                checkpoint.save(step + 1)
                progress.scores(step + 1, dev_scores(training.average_model(generator, ema), dev, o))
            if over:
                break
        progress.close()


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

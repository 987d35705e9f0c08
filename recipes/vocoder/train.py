"""Train a vocoder: mel and pitch → 24 kHz speech, first on spectra alone, then against discriminators.

    python -m recipes.vocoder.train --steps 3200 --adversarial-from 1275 --out runs/vocoder

`model.py` says what it is and after whom: a Vocos-like generator (Siuzdak 2023) with a harmonic source
(Wang et al. 2019), trained as HiFi-GAN is (Kong et al. 2020). Speech is clear after 500 steps, some five
minutes of one core; the adversarial stage takes the roughness away. Stop it at any time: the same
command goes on where it was. With `torchrun --nproc-per-node N -m` for `python -m` N devices train together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from data.batching import Share
from data.shards.workers import load_ahead
from recipes import runs, training
from recipes.adversarial import CLIP_NORM, AdversarialOptions, AdversarialTraining, Drawn
from recipes.devices import first_alone, is_writer
from recipes.kept_weights import KeptWeights
from recipes.options import group, option, parse
from recipes.scaling import Scale, ScaleOptions, show_plan
from recipes.training import adamw, average_model, learning_rate, set_learning_rate
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
    scale: ScaleOptions = group(ScaleOptions())
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


Numbered = tuple[int, Crops]  # a batch with its number in the run


def batches(corpus: Corpus, o: Options, first: int, share: Share) -> Iterator[list[Numbered]]:
    """Yield this process's batches of step `first`, then of the next; each follows from seed and number."""
    frames = round(o.seconds * VOICE_RATE / VOICE_HOP) + 2 * EDGE
    how = Augmentation(o.mel_noise, o.mel_blur, o.pitch_jitter)

    def cut(number: int) -> Numbered:
        return number, corpus.crops(o.seed, number, o.batch, frames, how)

    yield from share.by_step(load_ahead(share.numbers(first), cut, o.scale.workers))


def dev_scores(
    generator: Generator, corpus: Corpus, o: Options, progress: training.Progress, step: int
) -> dict[str, float]:
    """Return PESQ-WB and log-mel L1 of copy synthesis on some dev clips, and let the first be heard."""
    from recipes.vocoder.scores import mel_distance, pesq_wideband

    device = next(generator.parameters()).device
    chosen = np.linspace(0, len(corpus.frames) - 1, o.dev_clips).astype(int)
    rows: list[tuple[float, float]] = []
    with training.evaluating(generator):
        for index in chosen.tolist():
            whole = corpus.whole(index)
            made = generator(*whole.to(device).inputs)[0].cpu().numpy()
            real = whole.real[0].numpy()
            if not rows:
                progress.audio(step, "copy", made, VOICE_RATE)
            rows.append((pesq_wideband(real, made), mel_distance(real, made)))
    pesq, distance = np.nanmean(np.array(rows), 0)
    scores = {"pesq": float(pesq), "mel_l1": float(distance)}
    progress.scores(step, scores)
    return scores


def badness(scores: Mapping[str, float]) -> tuple[float, ...]:
    """Return what the best weights have least of: PESQ counts, or the distance where it is not installed."""
    return (-scores["pesq"],) if math.isfinite(scores["pesq"]) else (scores["mel_l1"],)


def main(o: Options) -> None:
    scale = Scale.join(o.scale)
    if o.smoke:
        o = shrink(o)
    torch.set_num_threads(o.threads)
    training.seed_everything(o.seed)
    size, data = SIZES[o.size], (*o.manifest, *o.dev)
    run = runs.describe(RECIPE, o, data, model=asdict(size), batches_a_step=scale.share.per_step)
    resumes = not o.scale.dry_run and runs.begin(o.out, run, o)
    generator = Generator(size, o.plain).to(scale.device)
    adversarial = AdversarialTraining(o.adversarial, scale)
    distance = SpectralLoss().to(scale.device)
    optimizer = adamw(generator, o.rate)
    gradients = scale.accumulator(optimizer, generator.parameters(), CLIP_NORM)
    ema, kept = training.Ema(generator, 0.998), KeptWeights(o.out, o.scale)
    parts: dict[str, training.Stateful] = {
        "model": generator, "optimizer": optimizer, "gradients": gradients, "ema": ema, "kept": kept,
        **adversarial.parts,
    }  # fmt: skip
    checkpoint = training.Checkpoint(o.out, parts)
    first = checkpoint.restore() if resumes else 0
    scale.processes.equalize(generator, adversarial.discriminators)
    with first_alone():
        corpus, dev = load_corpus(o.manifest, o.out.parent), load_corpus(o.dev, o.out.parent)
    print(f"{len(corpus.frames)} clips, {corpus.minutes:.1f} minutes", flush=True)

    def draw(batch: Numbered) -> Drawn:
        """Return what the generator makes of a batch and what was recorded, (B, T) each."""
        number, crops = batch
        training.seed_batch(o.seed, number)
        with scale.precision.autocast():
            spectral = generator.parts(crops.mel, crops.f0)
        made = generator.sound(spectral, crops.pulse, crops.noise)
        return without_edges(made), without_edges(crops.real)

    if o.scale.dry_run:
        number, crops = next(batches(corpus, o, 0, scale.share))[0]
        some = number, crops.to(scale.device)
        epoch = corpus.minutes * 60 / (o.batch * o.seconds)
        models = {"generator": generator, "discriminators": adversarial.discriminators}
        return show_plan(
            scale, o.steps, epoch, models, lambda: adversarial.whole_loss(draw(some), distance, o.steps)
        )

    with training.Deadline(o.minutes) as deadline:
        progress = training.Progress(
            o.out, first=first, steps=o.steps, deadline=deadline, wandb=o.scale.wandb, config=run.options
        )
        steps = range(first, first if kept.exhausted else o.steps)
        for step, mine in zip(steps, batches(corpus, o, first, scale.share), strict=False):
            mine = [(number, crops.to(scale.device)) for number, crops in mine]
            rate = learning_rate(step, o.steps, o.rate)
            set_learning_rate(optimizer, rate)
            shown = adversarial.learn(mine, draw, distance, gradients, step, o.steps)
            ema.update(generator)
            progress.step(step + 1, shown, rate=rate)

            over = scale.processes.any(deadline.passed) or step + 1 == o.steps
            if over or (step + 1) % o.save_every == 0:
                if is_writer():
                    scores = dev_scores(average_model(generator, ema), dev, o, progress, step + 1)
                    kept.consider(step + 1, badness(scores), ema.weights, scores)
                checkpoint.save(step + 1)
                over = scale.processes.any(over or kept.exhausted)
            if over:
                break
        kept.write_means()
        progress.close()


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

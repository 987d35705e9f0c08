"""Train a vocoder: mel and pitch → 24 kHz speech, first on spectra alone, then against discriminators.

    python -m recipes.vocoder.train --steps 3200 --adversarial-from 1275 --out runs/vocoder

`model.py` says what it is and after whom: a Vocos-like generator (Siuzdak 2023) with a harmonic source
(Wang et al. 2019), trained as HiFi-GAN is (Kong et al. 2020). Speech is clear after 500 steps, some five
minutes of one core; the adversarial stage takes the roughness away. Stop it at any time: the same
command goes on where it was.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from data.batching import prefetch
from recipes import options, training
from recipes.options import option
from recipes.vocoder import losses
from recipes.vocoder.crops import EDGE, Augmentation, Corpus, Crops, load_corpus
from recipes.vocoder.discriminators import discriminators
from recipes.vocoder.model import SIZES, Generator
from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE

CORPORA = Path("../shared/corpora")
TINY = Path(__file__).resolve().parents[2] / "data" / "tiny"
RAMP = 300  # steps over which the adversarial terms come in
HEAD_START = 100  # steps that the discriminators learn before the generator hears of them
CLIP_NORM = 5.0


@dataclass(frozen=True)
class Options:
    manifest: tuple[Path, ...] = option(
        (CORPORA / "kathleen/train.jsonl", CORPORA / "ljspeech/train.jsonl"), "training data, repeatable"
    )
    dev: tuple[Path, ...] = option(
        (CORPORA / "kathleen/dev.jsonl", CORPORA / "ljspeech/dev.jsonl"), "scored on the way, repeatable"
    )
    out: Path = option(Path("runs/vocoder"), "folder of the run")
    steps: int = option(3200, "all steps; the learning rate falls until then")
    minutes: float | None = option(None, "stop after so long, to go on another time")
    adversarial_from: int = option(1275, "the first step with discriminators")
    discriminator: Literal["small", "hifigan"] = option("small", "our own, or speechbrain's HiFi-GAN's")
    critic_width: int = option(16, "channels of the small discriminators' first layer")
    critic_batch: int = option(8, "crops that discriminators see, of the batch")
    critic_seconds: float = option(0.3, "and how much of each")
    adversarial_weight: float = option(0.25, "of fooling the discriminators")
    feature_weight: float = option(1.0, "of matching their features")
    batch: int = option(16, "crops in a batch")
    seconds: float = option(0.6, "length of a crop")
    rate: float = option(1e-3, "highest learning rate")
    critic_rate: float = option(5e-4, "the discriminators' learning rate")
    mel_noise: float = option(0.15, "noise on the input mel, nats; each crop draws its level below that")
    mel_blur: float = option(0.15, "share of crops whose input mel is smoothed")
    pitch_jitter: float = option(0.002, "relative standard deviation of slow errors in pitch")
    size: Literal["base", "tiny"] = option("base", "of the generator")
    plain: bool = option(False, "without sources, as Vocos is: to compare with")
    threads: int = option(torch.get_num_threads(), "CPU threads")
    seed: int = option(0, "of weights, crops and noise")
    save_every: int = option(250, "steps between checkpoints and looks at the dev clips")
    dev_clips: int = option(8, "dev clips to score then")
    smoke: bool = option(False, "a tiny model on data/tiny, in seconds")
    fresh: bool = option(False, "start over even where there is a run")


def smoked(o: Options) -> Options:
    """Everything small; what was set by hand otherwise stays. Threads would wait for each other."""
    return replace(
        o, manifest=(TINY / "train.jsonl",), dev=(TINY / "dev.jsonl",), size="tiny", batch=2, seconds=0.3,
        critic_batch=2, critic_seconds=0.2, critic_width=4, steps=min(o.steps, 24), adversarial_from=8,
        save_every=min(o.save_every, 6), dev_clips=1, threads=1,
    )  # fmt: skip


def batches(corpus: Corpus, o: Options, first: int) -> Iterator[Crops]:
    """The batches of steps `first`, `first` + 1, …; each depends on the seed and its step alone."""
    frames = round(o.seconds * VOICE_RATE / VOICE_HOP) + 2 * EDGE
    how = Augmentation(o.mel_noise, o.mel_blur, o.pitch_jitter)
    return prefetch(count(first), lambda step: corpus.crops(o.seed, step, o.batch, frames, how))


def rate_at(step: int, o: Options, peak: float) -> float:
    """Warm-up over 200 steps, then a cosine down to 5 % at the last."""
    done = min(1.0, step / o.steps)
    return peak * min(1.0, (step + 1) / 200) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def adversarial_share(step: int, o: Options) -> float:
    """0 until the discriminators have had their head start, then a ramp up to 1."""
    return min(1.0, max(0.0, (step - o.adversarial_from - HEAD_START) / RAMP))


def inner(samples: Tensor) -> Tensor:
    """Without the edges, whose windows hang over the crop's end: [B, T] → [B, T − 2 · EDGE · 300]"""
    return samples[:, EDGE * VOICE_HOP : -EDGE * VOICE_HOP]


def excerpts(made: Tensor, real: Tensor, o: Options, step: int) -> tuple[Tensor, Tensor]:
    """What the discriminators see of this step: the same places of both."""
    length = min(round(o.critic_seconds * VOICE_RATE), made.shape[1])
    first = (step * 7919) % (made.shape[1] - length + 1)
    return made[: o.critic_batch, first : first + length], real[: o.critic_batch, first : first + length]


def critic_step(critics: nn.Module, optimizer: torch.optim.Optimizer, made: Tensor, real: Tensor) -> Tensor:
    with training.autocast(made.device):
        judged = critics(torch.cat([real, made.detach()]))
        loss = losses.discriminator_loss(*halves(judged))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(critics.parameters(), CLIP_NORM)
    optimizer.step()
    return loss.detach()


def halves(judged: list[losses.Judgment]) -> tuple[list[losses.Judgment], list[losses.Judgment]]:
    """Judgments of a batch whose first half is real → those of the real half, those of the made one."""
    split = [(score.chunk(2), [layer.chunk(2) for layer in layers]) for score, layers in judged]
    return tuple([(score[i], [layer[i] for layer in layers]) for score, layers in split] for i in (0, 1))


def against_critics(critics: nn.Module, made: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """The adversarial and the feature loss of the generator; the critics' own gradients are not computed."""
    critics.requires_grad_(False)
    with training.autocast(made.device):
        with torch.no_grad():
            judged_real = critics(real)
        judged = critics(made)
        terms = losses.adversarial_loss(judged), losses.feature_loss(judged_real, judged)
    critics.requires_grad_(True)
    return terms


def adversarial_step(
    critics: nn.Module, optimizer: torch.optim.Optimizer, made: Tensor, real: Tensor, o: Options, step: int
) -> tuple[Tensor | float, dict[str, Tensor]]:
    """The critics learn of this step; what the generator's loss gets on top, and all losses to show."""
    some, some_real = excerpts(made, real, o, step)
    shown = {"critics": critic_step(critics, optimizer, some, some_real)}
    share = adversarial_share(step, o)
    if not share:
        return 0.0, shown
    fooling, features = against_critics(critics, some, some_real)
    shown |= {"fooling": fooling.detach(), "features": features.detach()}
    return share * (o.adversarial_weight * fooling + o.feature_weight * features), shown


def dev_scores(generator: Generator, corpus: Corpus, o: Options) -> dict[str, float]:
    """PESQ-WB and log-mel L1 of copy synthesis on the first clips of each dev set."""
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


def averaged(generator: nn.Module, ema: training.Ema) -> nn.Module:
    """A copy that holds the average weights; draws nothing at random, unlike a new one."""
    copy = deepcopy(generator)
    copy.load_state_dict(ema.weights)
    return copy


def describe(o: Options, resumes: bool) -> None:
    """`options.json` beside the checkpoint, so that the export knows what was trained.

    Raises VoiceError where a run goes on as another kind: the weights would fit, but mean something else.
    """
    o.out.mkdir(parents=True, exist_ok=True)
    path = o.out / "options.json"
    begun = resumes and path.exists()
    before = json.loads(path.read_text()).get("plain", False) if begun else o.plain
    if before != o.plain:
        has = "no sources" if before else "sources"
        raise VoiceError(f"{o.out} was begun with {has}; name another --out, or give --fresh to start over")
    path.write_text(json.dumps(asdict(o), default=str, indent=1) + "\n")


def main(o: Options) -> None:
    if o.smoke:
        o = smoked(o)
    torch.set_num_threads(o.threads)
    device = training.best_device()
    training.seed_everything(o.seed)
    generator = Generator(SIZES[o.size], o.plain).to(device)
    critics = discriminators(o.discriminator, o.critic_width).to(device)
    distance = losses.SpectralLoss().to(device)
    fused = {"betas": (0.8, 0.99), "weight_decay": 0.01, "fused": True}
    optimizer = torch.optim.AdamW(generator.parameters(), o.rate, **fused)
    critic_optimizer = torch.optim.AdamW(critics.parameters(), o.critic_rate, **fused)
    ema = training.Ema(generator, 0.998)
    parts = {"model": generator, "optimizer": optimizer, "ema": ema,
             "critics": critics, "critic_optimizer": critic_optimizer}  # fmt: skip
    checkpoint = training.Checkpoint(o.out, parts)
    first = 0 if o.fresh else checkpoint.restore()
    describe(o, resumes=first > 0)
    corpus, dev = load_corpus(o.manifest, o.out.parent), load_corpus(o.dev, o.out.parent)
    print(f"{len(corpus.frames)} clips, {corpus.minutes:.1f} minutes", flush=True)

    with training.Deadline(o.minutes) as deadline:
        progress = training.Progress(o.out, first=first, steps=o.steps, deadline=deadline)
        for step, crops in zip(range(first, o.steps), batches(corpus, o, first), strict=False):
            crops = crops.to(device)
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, o, o.rate)
            for group in critic_optimizer.param_groups:
                group["lr"] = rate_at(step, o, o.critic_rate)

            with training.autocast(device):
                spectral = generator.parts(crops.mel, crops.f0)
            made = generator.sound(spectral, crops.pulse, crops.noise)
            made, real = inner(made), inner(crops.real)
            loss, shown = distance(made, real)

            if step >= o.adversarial_from:
                more, judged = adversarial_step(critics, critic_optimizer, made, real, o, step)
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
                progress.scores(step + 1, dev_scores(averaged(generator, ema), dev, o))
            if over:
                break
        progress.close()


if __name__ == "__main__":
    main(options.parse(Options, description=__doc__))

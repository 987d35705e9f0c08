"""Trains how a sentence sounds whose lengths, pitch and energy are known: phonemes → mel and F0, several speakers.

    python -m recipes.tts.train --features runs/tts-data/kathleen-train.npz \
        --features runs/tts-data/ljspeech-train.npz --features runs/tts-data/heart-train.npz \
        --dev runs/tts-data/kathleen-dev.npz --out runs/tts

Non-autoregressive regression on features that `prepare.py` made, after FastSpeech 2 (Ren et al. 2021,
https://arxiv.org/abs/2006.04558). The same command again resumes where the run stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from data.batching import batches_from, prefetch
from recipes.options import option, parse
from recipes.training import (
    Checkpoint,
    Deadline,
    Ema,
    Progress,
    autocast,
    best_device,
    evaluating,
    seed_everything,
)
from recipes.tts import corpus
from recipes.tts.corpus import Batch, Range, Utterance
from recipes.tts.finish import MelCritic, excerpts, flow_loss
from recipes.tts.model import AcousticModel, Shape, losses, total
from recipes.vocoder.train import against_critics, critic_step
from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE

CRITIC_RATE = 4e-4
HEAD_START = 50  # steps that the critic learns before the model hears of it
RAMP = 100  # steps over which its say grows


@dataclass(frozen=True)
class Options:
    features: tuple[Path, ...] = option((), "file that prepare.py made, to train on (repeatable)")
    dev: tuple[Path, ...] = option((), "file to watch the losses on (repeatable)")
    out: Path = option(Path("runs/tts"), "folder of the run")
    steps: int = option(5000, "steps in all; the learning rate falls to its end by then")
    minutes: float | None = option(None, "stop after so many minutes, resumably")
    batch_seconds: float = option(28.0, "seconds of speech a batch, padding included")
    rate: float = option(1e-3, "peak learning rate")
    warmup: int = option(100, "steps until the peak")
    width: int = option(192, "channels of the model")
    warm_start: Path | None = option(None, "last.pt of another run to take the weights from")
    finish: Literal["", "flow", "critic"] = option("", "what sharpens the spectra")
    refiner: int = option(4, "blocks of the flow")
    critic_weight: float = option(0.3, "of fooling the critic")
    feature_weight: float = option(1.0, "of matching its features")
    threads: int = option(1, "CPU threads")
    seed: int = option(0, "of the weights, the dropout and the data order")
    save_every: int = option(200, "steps between checkpoints, and between scores on the dev set")
    fresh: bool = option(False, "start over even where there is a run")
    smoke: bool = option(False, "seconds on data/tiny with a tiny model, to see that all of it works")


def main(options: Options) -> None:
    if options.smoke:
        options = _smoke(options)
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    device = best_device()

    utterances = [u for path in options.features for u in corpus.read(path)]
    if not utterances:
        raise VoiceError("there is nothing to learn from: give --features what recipes.tts.prepare made")
    spans = corpus.ranges(utterances)
    shape = _shape(options, spans)
    model = AcousticModel(shape).to(device)
    _set_scale(model, utterances)
    if options.warm_start:
        model.load_state_dict(warm_weights(options.warm_start, model))
    model.sentence.prosody.requires_grad_(False)  # train_prosody.py does that
    critic = MelCritic().to(device)
    critic_optimizer = torch.optim.AdamW(critic.parameters(), CRITIC_RATE, betas=(0.8, 0.99), weight_decay=0.01)
    optimizer = torch.optim.AdamW(model.parameters(), options.rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, options))
    ema = Ema(model, 0.998)
    recipe = Recipe(shape, spans)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "ema": ema, "recipe": recipe,
             "critic": critic, "critic_optimizer": critic_optimizer}  # fmt: skip
    checkpoint = Checkpoint(options.out, parts)
    done = 0 if options.fresh else checkpoint.restore()
    batches = _batches(utterances, recipe, options, done, device)
    dev = [u for path in options.dev for u in corpus.read(path) if u.speaker in spans]

    with Deadline(options.minutes) as deadline:
        progress = Progress(options.out, first=done, steps=options.steps, deadline=deadline)
        while done < options.steps and not deadline.passed:
            batch = next(batches)
            with autocast(device):
                drawn = model(batch)
            parts = losses(drawn, batch, model.frames.mel_spread)
            loss = total(parts)
            if options.finish == "flow":
                with autocast(device):
                    refiner, spread = model.frames.refiner, model.frames.mel_spread
                    parts["flow"] = flow_loss(refiner, drawn.mel, drawn.inside, batch, spread)
                loss = loss + parts["flow"]
            if options.finish == "critic":
                made, real = excerpts(drawn.mel, batch, model.frames.mel_mean, model.frames.mel_spread, done)
                parts["critic"] = critic_step(critic, critic_optimizer, made, real)
                if done > HEAD_START:
                    parts["fooling"], parts["features"] = against_critics(critic, made, real)
                    fooled = options.critic_weight * parts["fooling"] + options.feature_weight * parts["features"]
                    loss = loss + min(1.0, (done - HEAD_START) / RAMP) * fooled
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            ema.update(model)
            done += 1
            progress.step(done, {"loss": loss.detach(), **{n: p.detach() for n, p in parts.items()}})
            if done % options.save_every == 0:
                if dev:
                    progress.scores(done, dev_losses(ema, recipe, dev, device))
                checkpoint.save(done)
        checkpoint.save(done)
        batches.close()
        progress.close()


class Recipe:
    """The model's shape and the speakers' ranges, kept in the checkpoint so that it describes itself."""

    def __init__(self, shape: Shape, spans: dict[str, Range]):
        self.shape, self.spans = shape, spans

    def state_dict(self) -> dict:
        spans = {name: asdict(span) for name, span in self.spans.items()}
        return {"shape": asdict(self.shape), "spans": spans}

    def load_state_dict(self, state: dict) -> None:
        self.shape = Shape(**state["shape"])
        self.spans = {name: Range(**span) for name, span in state["spans"].items()}

    def batch(self, utterances: list[Utterance], device: torch.device) -> Batch:
        examples = [corpus.example(u, self.spans[u.speaker]) for u in utterances]
        speakers = [self.shape.speakers.index(u.speaker) for u in utterances]
        return corpus.collate(examples, speakers, device)


def _shape(options: Options, spans: dict[str, Range]) -> Shape:
    refiner = options.refiner if options.finish == "flow" else 0
    shape = Shape(speakers=tuple(spans), width=options.width, refiner=refiner)
    return replace(shape, encoder=1, predictor=1, decoder=2) if options.smoke else shape


def _rate(step: int, options: Options) -> float:
    """Up in a line, down in half a cosine to a fiftieth."""
    if step < options.warmup:
        return (step + 1) / options.warmup
    share = min(1.0, (step - options.warmup) / max(1, options.steps - options.warmup))
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))


def _set_scale(model: AcousticModel, utterances: list[Utterance]) -> None:
    """Mean of each mel band, and one spread for all of them: quiet bands need no finer drawing."""
    mel = np.concatenate([u.mel[::4] for u in utterances]).astype(np.float32)
    model.frames.mel_mean.copy_(torch.from_numpy(mel.mean(0)))
    model.frames.mel_spread.fill_(float((mel - mel.mean(0)).std()))


def _batches(
    utterances: list[Utterance], recipe: Recipe, options: Options, done: int, device: torch.device
) -> Iterator[Batch]:
    seconds = [len(u.f0) * VOICE_HOP / VOICE_RATE for u in utterances]
    order = batches_from(done, seconds, options.batch_seconds, seed=options.seed)
    return prefetch(order, lambda item: recipe.batch([utterances[i] for i in item[1]], device), ahead=2)


def dev_losses(ema: Ema, recipe: Recipe, dev: list[Utterance], device: torch.device) -> dict[str, float]:
    """Losses of the averaged weights, with the true lengths, pitch and energy given."""
    with torch.random.fork_rng(devices=[]):  # a resumed run does not score again; its dropout must not notice
        model = AcousticModel(recipe.shape).to(device)
    model.load_state_dict(ema.weights)
    found: dict[str, list[float]] = {}
    with evaluating(model):
        for first in range(0, len(dev), 8):
            batch = recipe.batch(dev[first : first + 8], device)
            for name, part in losses(model(batch), batch, model.frames.mel_spread).items():
                found.setdefault(name, []).append(float(part))
    return {name: float(np.mean(values)) for name, values in found.items()}


def warm_weights(path: Path, model: AcousticModel) -> dict[str, torch.Tensor]:
    """Another run's averaged weights where they fit, speakers by their names; the model's own elsewhere."""
    own = model.state_dict()
    saved = torch.load(path, map_location="cpu", weights_only=False)["parts"]
    other, known = saved["ema"]["weights"], saved["recipe"]["shape"]["speakers"]
    shared = [name for name in model.shape.speakers if name in known]
    for name, value in own.items():
        if name.endswith("speakers.weight") and name in other and other[name].shape[1] == value.shape[1]:
            for speaker in shared:
                value[model.shape.speakers.index(speaker)] = other[name][known.index(speaker)]
        elif name in other and other[name].shape == value.shape:
            own[name] = other[name]
    return own


def _smoke(options: Options) -> Options:
    """A tiny model, a few steps, features of data/tiny made on the way."""
    from recipes.tts import prepare

    root = Path(__file__).parents[2] / "data" / "tiny"
    made = options.out.parent / "tiny-data"
    manifests = tuple(str(root / f"{split}.jsonl") for split in ("train", "dev"))
    if not (made / "tiny-dev.npz").exists():
        prepare.main(prepare.Options(manifest=manifests, out=made))
    return replace(
        options, features=(made / "tiny-train.npz",), dev=(made / "tiny-dev.npz",), width=32,
        batch_seconds=20.0, steps=min(options.steps, 30), warmup=5, save_every=min(options.save_every, 10),
    )  # fmt: skip


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

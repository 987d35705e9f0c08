"""Trains how phonemes sound whose lengths, pitch and loudness are known: several speakers, one network.

    python -m recipes.tts.train \
        --features runs/tts-data/kathleen-train.npz --manifest ../shared/corpora/kathleen/train.jsonl \
        --features runs/tts-data/heart-train.npz --manifest runs/taught/heart/train.jsonl \
        --dev runs/tts-data/kathleen-dev.npz --manifest ../shared/corpora/kathleen/dev.jsonl --out runs/sounds

It begins with hibari's voice (`warm.py`), or with another run's (`--warm-start`); spectra of several
resolutions teach it, then critics beside them, as in `recipes/vocoder`. The same command again resumes where
the run stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from data.batching import prefetch
from recipes import training
from recipes.checkpoints import read_state
from recipes.options import option, parse
from recipes.tts import pieces, prepare
from recipes.tts.pieces import CONTEXT, Collection, Errors, Pieces
from recipes.tts.sounds import Size, SoundModel
from recipes.tts.warm import heart_weights
from recipes.vocoder import losses
from recipes.vocoder.crops import EDGE
from recipes.vocoder.discriminators import discriminators
from recipes.vocoder.model import Synthesis
from recipes.vocoder.train import CLIP_NORM, adversarial_step, averaged, rate_at
from recipes.vocoder.train import inner as without_edges
from voice.errors import ModelMissing, VoiceError
from voice.features import VOICE_HOP, VOICE_RATE

TINY = Path(__file__).parents[2] / "data" / "tiny"
# A size to try with.
SMALL = {"text": 16, "text_blocks": 1, "rounds": 2, "width": 32, "hidden": 48, "blocks": 2}


@dataclass(frozen=True)
class Options:
    features: tuple[Path, ...] = option((), "file that prepare.py made, to train on (repeatable)")
    dev: tuple[Path, ...] = option((), "file to watch the losses on (repeatable)")
    manifest: tuple[Path, ...] = option((), "where the audio of all these is (repeatable)")
    share: tuple[str, ...] = option((), "NAME=NUMBER: how often a speaker is drawn, if not 1 (repeatable)")
    out: Path = option(Path("runs/sounds"), "folder of the run")
    steps: int = option(4000, "all steps; the learning rate falls until then")
    minutes: float | None = option(None, "stop after so long, to go on another time")
    warm_start: Path | None = option(
        None, "what to begin with instead of hibari's voice: voices.safetensors here or a run's last.pt"
    )
    cold: bool = option(False, "begin with nothing")
    adversarial_from: int = option(1500, "the first step with critics")
    discriminator: Literal["small", "hifigan"] = option("small", "our own, or speechbrain's HiFi-GAN's")
    critic_width: int = option(16, "channels of the small critics' first layer")
    critic_batch: int = option(8, "pieces that critics see, of the batch")
    critic_seconds: float = option(0.3, "and how much of each")
    critics_start: Path | None = option(None, "last.pt of a run whose critics to begin with")
    adversarial_weight: float = option(0.25, "of fooling the critics")
    feature_weight: float = option(1.0, "of matching their features")
    batch: int = option(16, "pieces in a batch")
    seconds: float = option(0.6, "length of a piece")
    rate: float = option(5e-4, "highest learning rate")
    critic_rate: float = option(4e-4, "the critics' learning rate")
    loud_noise: float = option(0.15, "slow errors in the loudness given, nats")
    pitch_jitter: float = option(0.002, "slow errors in the pitch given, relative")
    threads: int = option(1, "CPU threads")
    seed: int = option(0, "of pieces and noise")
    save_every: int = option(250, "steps between checkpoints and looks at the dev clips")
    dev_clips: int = option(8, "dev clips to score then")
    fresh: bool = option(False, "start over even where there is a run")
    smoke: bool = option(False, "seconds on data/tiny with a tiny model, to see that all of it works")


class Learner:
    """A run's networks and what moves them; all of it is in the checkpoint."""

    def __init__(self, o: Options, size: Size, device: torch.device) -> None:
        self.options, self.device = o, device
        self.model, self.sound = SoundModel(size).to(device), Synthesis().to(device)
        self.critics = discriminators(o.discriminator, o.critic_width).to(device)
        self.distance = losses.SpectralLoss().to(device)
        fused = {"betas": (0.8, 0.99), "weight_decay": 0.01, "fused": True}
        self.optimizer = torch.optim.AdamW(self.model.parameters(), o.rate, **fused)
        self.critic_optimizer = torch.optim.AdamW(self.critics.parameters(), o.critic_rate, **fused)
        if o.fresh or not (o.out / "last.pt").exists():
            self._begin()
        self.ema = training.Ema(self.model, 0.998)

    def _begin(self) -> None:
        """The weights that a new run begins with."""
        o = self.options
        if o.cold and o.warm_start:
            raise VoiceError("--cold begins with nothing, --warm-start with another run: leave one out")
        if o.warm_start:
            self.model.load_state_dict(warm_weights(o.warm_start, self.model))
        elif not o.cold:
            self.model.load_state_dict(heart_weights(self.model))
        if o.critics_start:
            self.critics.load_state_dict(_saved(o.critics_start)["critics"])

    def parts(self) -> dict[str, training.Stateful]:
        own = {"about": About(self.model.size), "model": self.model, "optimizer": self.optimizer}
        critics = {"critics": self.critics, "critic_optimizer": self.critic_optimizer}
        return {**own, "ema": self.ema, **critics}

    def step(self, step: int, given: Pieces) -> dict[str, Tensor]:
        """One step of all networks; the losses."""
        o = self.options
        for optimizer, peak in ((self.optimizer, o.rate), (self.critic_optimizer, o.critic_rate)):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, o, peak)
        with training.autocast(self.device):
            parts = self.model(*given.inputs)
        made, real = drawn(self.sound, parts, given)
        loss, shown = self.distance(made, real)
        if step >= o.adversarial_from:
            more, judged = adversarial_step(self.critics, self.critic_optimizer, made, real, o, step)
            loss, shown = loss + more, shown | judged
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimizer.step()
        self.ema.update(self.model)
        return {"loss": loss.detach(), **shown}


class About:
    """The network's size, kept in the checkpoint so that it describes itself."""

    def __init__(self, size: Size) -> None:
        self.size = size

    def state_dict(self) -> dict:
        return asdict(self.size)

    def load_state_dict(self, state: dict) -> None:
        """Raises VoiceError where the run is of another network than this one."""
        saved = Size(**state)
        if saved != self.size:
            there, here = ", ".join(saved.speakers), ", ".join(self.size.speakers)
            raise VoiceError(
                f"the run there is of {there}, not of {here} at the same size: "
                "give the same features, another --out, or --fresh to start over"
            )


def drawn(sound: Synthesis, parts: Tensor, given: Pieces) -> tuple[Tensor, Tensor]:
    """(B, 5, F, 601) of pieces → their samples and the recording's, without context and edges: (B, T) each"""
    inner = slice(CONTEXT, parts.shape[2] - CONTEXT)
    samples = slice(CONTEXT * VOICE_HOP, -CONTEXT * VOICE_HOP)
    made = sound(parts[:, :, inner], given.pulse[:, samples], given.noise[:, samples])
    return without_edges(made), without_edges(given.real[:, samples])


def warm_weights(path: Path, model: SoundModel) -> dict[str, Tensor]:
    """Another run's averaged weights, speakers by their names; new ones begin as the mean of the others.

    Raises ModelMissing.
    """
    own, (other, known) = model.state_dict(), sounds_of(path)
    for name in own:
        theirs = own[name] = other[name]
        if name in ("text.speakers.weight", "decoder.tones.weight"):
            rows = [theirs[known.index(s)] if s in known else theirs.mean(0) for s in model.size.speakers]
            own[name] = torch.stack(rows)
    return own


def sounds_of(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The averaged weights of a run's last.pt, or of what `export.py --start` wrote, and its speakers."""
    if path.suffix != ".safetensors":
        saved = _saved(path)
        return saved["ema"]["weights"], tuple(saved["about"]["speakers"])
    from safetensors import safe_open

    if not path.exists():
        raise ModelMissing(f"there is no {path}")
    with safe_open(path, "pt") as file:
        weights = {name: file.get_tensor(name).float() for name in file.keys()}
        return weights, tuple(file.metadata()["speakers"].split(","))


def _shares(given: Sequence[str], speakers: Sequence[str]) -> dict[str, float]:
    try:
        found = {name: float(number) for name, number in (each.split("=") for each in given)}
    except ValueError as error:
        raise VoiceError("--share wants a speaker and a number, such as heart=0.3") from error
    wrong = [name for name, number in found.items() if name not in speakers or not 0 < number < math.inf]
    if wrong:
        raise VoiceError(f"--share {wrong[0]}: give one of {', '.join(speakers)} a number above 0")
    return found


def _saved(path: Path) -> dict:
    return read_state(path, f"python -m recipes.tts.train --out {path.parent}")["parts"]


def batches(collection: Collection, o: Options, first: int) -> Iterator[Pieces]:
    """The batches of steps `first`, `first` + 1, …; each depends on the seed and its step alone."""
    frames = round(o.seconds * VOICE_RATE / VOICE_HOP) + 2 * EDGE
    errors = Errors(o.loud_noise, o.pitch_jitter)
    return prefetch(count(first), lambda step: collection.pieces(o.seed, step, o.batch, frames, errors))


def dev_losses(learner: Learner, dev: Collection) -> dict[str, float]:
    """Distances of whole dev clips, drawn by the averaged weights with true lengths, pitch and loudness."""
    model = averaged(learner.model, learner.ema)
    found: dict[str, list[float]] = {}
    chosen = np.linspace(0, len(dev.spoken) - 1, min(learner.options.dev_clips, len(dev.spoken))).astype(int)
    with training.evaluating(model):
        for number in chosen.tolist():
            given = dev.whole(number).to(learner.device)
            made = learner.sound(model(*given.inputs), given.pulse, given.noise)
            for name, part in learner.distance(made, given.real)[1].items():
                found.setdefault(name, []).append(float(part))
    return {name: float(np.mean(values)) for name, values in found.items()}


def smoked(o: Options) -> Options:
    """Everything small, on features of data/tiny that are made on the way."""
    made = o.out.parent / "tiny-data"
    manifests = tuple(TINY / f"{split}.jsonl" for split in ("train", "dev"))
    if not (made / "tiny-dev.npz").exists():
        prepare.main(prepare.Options(manifest=tuple(map(str, manifests)), out=made))
    return replace(
        o, features=(made / "tiny-train.npz",), dev=(made / "tiny-dev.npz",), manifest=manifests, cold=True,
        batch=2, seconds=0.3, critic_batch=2, critic_seconds=0.2, critic_width=4, steps=min(o.steps, 24),
        adversarial_from=8, save_every=min(o.save_every, 6), dev_clips=1,
    )  # fmt: skip


def main(o: Options) -> None:
    if o.smoke:
        o = smoked(o)
    torch.set_num_threads(o.threads)
    training.seed_everything(o.seed)
    spoken = pieces.load(o.features, o.manifest)
    if not spoken:
        raise VoiceError("there is nothing to learn from: give --features what recipes.tts.prepare made")
    speakers = tuple(sorted({each.speaker for each in spoken}))
    learner = Learner(o, Size(speakers, **SMALL) if o.smoke else Size(speakers), training.best_device())
    checkpoint = training.Checkpoint(o.out, learner.parts())
    first = 0 if o.fresh else checkpoint.restore()
    collection = Collection(spoken, speakers, _shares(o.share, speakers))
    dev = Collection([each for each in pieces.load(o.dev, o.manifest) if each.speaker in speakers], speakers)
    print(f"{len(spoken)} clips, {sum(len(s.f0) for s in spoken) * VOICE_HOP / VOICE_RATE / 60:.1f} minutes, "
          f"speakers {', '.join(speakers)}", flush=True)  # fmt: skip

    with training.Deadline(o.minutes) as deadline:
        progress = training.Progress(o.out, first=first, steps=o.steps, deadline=deadline)
        for step, given in zip(range(first, o.steps), batches(collection, o, first), strict=False):
            progress.step(step + 1, learner.step(step, given.to(learner.device)))
            over = deadline.passed or step + 1 == o.steps
            if over or (step + 1) % o.save_every == 0:
                checkpoint.save(step + 1)
                if dev.spoken:
                    progress.scores(step + 1, dev_losses(learner, dev))
            if over:
                break
        progress.close()


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

"""Trains how phonemes sound whose lengths, pitch and loudness are known: several speakers, one network.

    python -m recipes.tts.train \
        --features runs/tts-data/kathleen-train.npz --manifest ../shared/corpora/kathleen/train.jsonl \
        --features runs/tts-data/heart-train.npz --manifest runs/taught/heart/train.jsonl \
        --dev runs/tts-data/kathleen-dev.npz --manifest ../shared/corpora/kathleen/dev.jsonl --out runs/sounds

It begins with hibari's voice (`warm.py`), or with another run's (`--warm-start`); spectra of several
resolutions teach it, then discriminators beside them, as in `recipes/vocoder`. The same command again resumes
where the run stopped. With `torchrun --nproc-per-node N -m` for `python -m` N devices train together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data.batching import Share
from data.shards.workers import load_ahead
from recipes import runs, training
from recipes.adversarial import CLIP_NORM, AdversarialOptions, AdversarialTraining, Drawn
from recipes.checkpoints import read_state
from recipes.devices import first_alone, is_writer
from recipes.kept_weights import KeptWeights
from recipes.options import group, option, parse
from recipes.scaling import Scale, ScaleOptions, show_plan
from recipes.training import adamw, average_model, learning_rate, set_learning_rate
from recipes.tts import prepare
from recipes.tts.pieces import CONTEXT, Collection, Errors, Pieces
from recipes.tts.preparation import recordings
from recipes.tts.sounds import Size, SoundModel
from recipes.tts.warm import heart_weights
from recipes.vocoder.crops import EDGE, without_edges
from recipes.vocoder.losses import SpectralLoss
from recipes.vocoder.model import Synthesis
from voice.errors import ModelMissing, VoiceError
from voice.features import VOICE_HOP, VOICE_RATE

RECIPE = "recipes.tts.train"
# A size to try with.
SMALL = {"text": 16, "text_blocks": 1, "rounds": 2, "width": 32, "hidden": 48, "blocks": 2}


@dataclass(frozen=True)
class Options:
    features: tuple[Path, ...] = option((), "file that prepare.py made, to train on (repeatable)")
    dev: tuple[Path, ...] = option((), "file to watch the losses on (repeatable)")
    manifest: tuple[Path, ...] = option((), "where the audio of all these is (repeatable)")
    share: tuple[str, ...] = option((), "NAME=NUMBER: how often a speaker is drawn, if not 1 (repeatable)")
    out: Path = option(Path("runs/sounds"), "folder of the run", may_change=True)
    steps: int = option(4000, "all steps; the learning rate falls until then", may_change=True)
    minutes: float | None = option(None, "stop after so long, to go on another time", may_change=True)
    warm_start: Path | None = option(
        None, "what to begin with instead of hibari's voice: voices.safetensors here or a run's last.pt"
    )
    cold: bool = option(False, "begin with nothing")
    small: bool = option(False, "a network of a size to try with, that begins with nothing", may_change=True)
    adversarial: AdversarialOptions = group(
        AdversarialOptions(adversarial_from=1500, discriminators_rate=4e-4)
    )
    discriminators_start: Path | None = option(None, "last.pt of a run whose discriminators to begin with")
    batch: int = option(16, "pieces in a batch")
    seconds: float = option(0.6, "length of a piece")
    rate: float = option(5e-4, "highest learning rate")
    loud_noise: float = option(0.15, "slow errors in the loudness given, nats")
    pitch_jitter: float = option(0.002, "slow errors in the pitch given, relative")
    threads: int = option(1, "CPU threads", may_change=True)
    seed: int = option(0, "of pieces and noise")
    save_every: int = option(250, "steps between checkpoints and looks at the dev clips", may_change=True)
    dev_clips: int = option(8, "dev clips to score then", may_change=True)
    scale: ScaleOptions = group(ScaleOptions())
    fresh: bool = option(False, "start over even where there is a run", may_change=True)
    smoke: bool = option(False, "seconds on data/tiny with a tiny model, to see that all of it works")


def render(synthesis: Synthesis, parts: Tensor, batch: Pieces) -> tuple[Tensor, Tensor]:
    """Return (B, T) samples of spectra (B, 5, F, 601), and the recordings', without context and edges."""
    inner = slice(CONTEXT, parts.shape[2] - CONTEXT)
    samples = slice(CONTEXT * VOICE_HOP, -CONTEXT * VOICE_HOP)
    made = synthesis(parts[:, :, inner], batch.pulse[:, samples], batch.noise[:, samples])
    return without_edges(made), without_edges(batch.real[:, samples])


def first_weights(o: Options, model: SoundModel) -> dict[str, Tensor]:
    """Return the weights that a new run begins with. Raises VoiceError, ModelMissing."""
    if o.cold and o.warm_start:
        raise VoiceError("--cold begins with nothing, --warm-start with another run: leave one out")
    if o.cold:
        return model.state_dict()
    return warm_weights(o.warm_start, model) if o.warm_start else heart_weights(model)


def warm_weights(path: Path, model: SoundModel) -> dict[str, Tensor]:
    """Return another run's averaged weights, speakers by their names; new ones begin as the others' mean.

    Raises ModelMissing.
    """
    own, (other, known) = model.state_dict(), weights_of(path)
    for name in own:
        theirs = own[name] = other[name]
        if name in ("text.speakers.weight", "decoder.tones.weight"):
            rows = [theirs[known.index(s)] if s in known else theirs.mean(0) for s in model.size.speakers]
            own[name] = torch.stack(rows)
    return own


def weights_of(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the averaged weights and the speakers of a run's last.pt, or of `export.py --start`."""
    if path.suffix != ".safetensors":
        saved = saved_parts(path)
        return saved["ema"]["weights"], size_of(path.parent, saved).speakers
    from safetensors import safe_open

    if not path.exists():
        raise ModelMissing(f"there is no {path}")
    with safe_open(path, "pt") as file:
        weights = {name: file.get_tensor(name).float() for name in file.keys()}
        return weights, tuple(file.metadata()["speakers"].split(","))


def parse_shares(given: Sequence[str], speakers: Sequence[str]) -> dict[str, float]:
    """Parse `speaker=number` options. Raises VoiceError for a wrong one."""
    try:
        found = {name: float(number) for name, number in (each.split("=") for each in given)}
    except ValueError as error:
        raise VoiceError("--share wants a speaker and a number, such as heart=0.3") from error
    wrong = [name for name, number in found.items() if name not in speakers or not 0 < number < math.inf]
    if wrong:
        raise VoiceError(f"--share {wrong[0]}: give one of {', '.join(speakers)} a number above 0")
    return found


def saved_parts(path: Path) -> dict[str, Any]:
    """Return the parts of a run's checkpoint. Raises ModelMissing, ModelDamaged."""
    return training.named_parts(read_state(path, f"python -m {RECIPE} --out {path.parent}"))


def size_of(folder: Path, saved: Mapping[str, Any]) -> Size:
    """Return the sizes of the network of the run in `folder`, of whose checkpoint `saved` are the parts."""
    if "about" in saved:  # as runs before run.toml kept it
        return Size(**saved["about"])
    sizes = dict(runs.read(folder, RECIPE).model)
    return Size(tuple(sizes.pop("speakers")), **sizes)


Numbered = tuple[int, Pieces]  # a batch with its number in the run


def batches(collection: Collection, o: Options, first: int, share: Share) -> Iterator[list[Numbered]]:
    """Yield this process's batches of step `first`, then of the next; each follows from seed and number."""
    frames = round(o.seconds * VOICE_RATE / VOICE_HOP) + 2 * EDGE
    errors = Errors(o.loud_noise, o.pitch_jitter)

    def cut(number: int) -> Numbered:
        return number, collection.pieces(o.seed, number, o.batch, frames, errors)

    yield from share.by_step(load_ahead(share.numbers(first), cut, o.scale.workers))


def dev_losses(
    model: SoundModel, synthesis: Synthesis, distance: SpectralLoss, dev: Collection, o: Options,
    progress: training.Progress, step: int,
) -> dict[str, float]:  # fmt: skip
    """Return the mean distances of some whole dev clips, drawn with true lengths, pitch and loudness.

    The first of them can be heard beside the curves.
    """
    found: dict[str, list[float]] = {}
    chosen = np.linspace(0, len(dev.spoken) - 1, min(o.dev_clips, len(dev.spoken))).astype(int)
    with training.evaluating(model):
        for number in chosen.tolist():
            batch = dev.whole(number).to(next(model.parameters()).device)
            made = synthesis(model(*batch.inputs), batch.pulse, batch.noise)
            if not found:
                progress.audio(step, "clip", made[0].float().cpu().numpy(), VOICE_RATE)
            for name, part in distance(made, batch.real)[1].items():
                found.setdefault(name, []).append(float(part))
    means = {name: float(np.mean(values)) for name, values in found.items()}
    progress.scores(step, means)
    return means


def shrink(o: Options) -> Options:
    """Make everything small, on features of data/tiny that are made on the way."""
    with first_alone():
        made = prepare.tiny_features(o.out.parent / "tiny-data")
    adversarial = replace(small_discriminators(o.adversarial), adversarial_from=8)
    return replace(
        o, features=(made["train"],), dev=(made["dev"],), manifest=tuple(prepare.TINY.values()), cold=True,
        small=True, batch=2, seconds=0.3, adversarial=adversarial, steps=min(o.steps, 24),
        save_every=min(o.save_every, 6), dev_clips=1,
    )  # fmt: skip


def small_discriminators(o: AdversarialOptions) -> AdversarialOptions:
    """Return the options of discriminators of a size to try with."""
    return replace(o, discriminators_batch=2, discriminators_seconds=0.2, discriminators_width=4)


def main(o: Options) -> None:
    scale = Scale.join(o.scale)
    if o.smoke:
        o = shrink(o)
    torch.set_num_threads(o.threads)
    training.seed_everything(o.seed)
    with first_alone():
        spoken, watched = recordings.load(o.features, o.manifest), recordings.load(o.dev, o.manifest)
    if not len(spoken):
        raise VoiceError("there is nothing to learn from: give --features what recipes.tts.prepare made")
    speakers = spoken.utterances.names
    size = Size(speakers, **SMALL) if o.small else Size(speakers)
    data = (*o.features, *o.dev)
    run = runs.describe(RECIPE, o, data, model=asdict(size), batches_a_step=scale.share.per_step)
    resumes = not o.scale.dry_run and runs.begin(o.out, run, o)
    model, synthesis = SoundModel(size).to(scale.device), Synthesis().to(scale.device)
    adversarial = AdversarialTraining(o.adversarial, scale)
    distance = SpectralLoss().to(scale.device)
    optimizer = adamw(model, o.rate)
    gradients = scale.accumulator(optimizer, model.parameters(), CLIP_NORM)
    if not resumes:
        model.load_state_dict(first_weights(o, model))
    if o.discriminators_start and not resumes:
        adversarial.discriminators.load_state_dict(saved_parts(o.discriminators_start)["discriminators"])
    ema, kept = training.Ema(model, 0.998), KeptWeights(o.out, o.scale)
    parts: dict[str, training.Stateful] = {
        "model": model, "optimizer": optimizer, "gradients": gradients, "ema": ema, "kept": kept,
        **adversarial.parts,
    }  # fmt: skip
    checkpoint = training.Checkpoint(o.out, parts)
    first = checkpoint.restore() if resumes else 0
    scale.processes.equalize(model, adversarial.discriminators)
    collection = Collection(spoken, speakers, parse_shares(o.share, speakers))
    dev = Collection(watched.by(speakers), speakers)
    print(f"{len(spoken)} clips, {spoken.minutes:.1f} minutes, speakers {', '.join(speakers)}", flush=True)

    def draw(batch: Numbered) -> Drawn:
        """Return what the network makes of a batch and what was recorded, (B, T) each."""
        number, some = batch
        training.seed_batch(o.seed, number)
        with scale.precision.autocast():
            spectra = model(*some.inputs)
        return render(synthesis, spectra, some)

    if o.scale.dry_run:
        number, some = next(batches(collection, o, 0, scale.share))[0]
        batch, epoch = (number, some.to(scale.device)), 60 * spoken.minutes / (o.batch * o.seconds)
        models = {"sounds": model, "discriminators": adversarial.discriminators}
        return show_plan(
            scale, o.steps, epoch, models, lambda: adversarial.whole_loss(draw(batch), distance, o.steps)
        )

    with training.Deadline(o.minutes) as deadline:
        progress = training.Progress(
            o.out, first=first, steps=o.steps, deadline=deadline, wandb=o.scale.wandb, config=run.options
        )
        steps = range(first, first if kept.exhausted else o.steps)
        for step, mine in zip(steps, batches(collection, o, first, scale.share), strict=False):
            mine = [(number, some.to(scale.device)) for number, some in mine]
            rate = learning_rate(step, o.steps, o.rate)
            set_learning_rate(optimizer, rate)
            shown = adversarial.learn(mine, draw, distance, gradients, step, o.steps)
            ema.update(model)
            progress.step(step + 1, shown, rate=rate)

            over = scale.processes.any(deadline.passed) or step + 1 == o.steps
            if over or (step + 1) % o.save_every == 0:
                if len(dev.spoken) and is_writer():
                    average = average_model(model, ema)
                    scores = dev_losses(average, synthesis, distance, dev, o, progress, step + 1)
                    kept.consider(step + 1, [sum(scores.values())], ema.weights, scores)
                checkpoint.save(step + 1)
                over = scale.processes.any(over or kept.exhausted)
            if over:
                break
        kept.write_means()
        progress.close()


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

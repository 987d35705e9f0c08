"""From a folder of recordings to a vocoder: prepare, measure, train, export, score, publish.

`voice train vocoder` is this. Each stage goes on where it was (`recipes.stages`); the loop is `train.py`'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recipes import runs
from recipes.adversarial import AdversarialOptions
from recipes.evaluations import Evaluation
from recipes.exporting import write_rows
from recipes.planning import Estimate, Pace, Tell, peak_memory, share_minutes
from recipes.publishing import Outcome, Training, check_target, publish
from recipes.recordings import list_recordings
from recipes.reporting import report, scalars
from recipes.reporting.pictures import curves
from recipes.stages import Result, Results, Stage, Work, carry_out, check_trained
from recipes.vocoder import copies, export, train
from voice.errors import ManifestError
from voice.features import VOICE_RATE
from voice.loading import load_vocoder
from voice.models.card import NAME as CARD
from voice.models.card import Card, hashes, write_card
from voice.tts.vocoder import FILE, Vocoder

SHIPPED = "vocoder"  # what the scores are put beside
OURS = "vocoder, which comes with voice"
SPECTRAL_SHARE = 0.4  # of the steps that are spectral alone, as for the vocoder that comes with voice
TRIAL_STEPS = 12  # half of them with discriminators
TRIAL_MINUTES = 1.0
LEAST_STEPS = 300
LEAST_SECONDS = 20.0  # of recordings to train on
SCORED = 40  # test recordings at most
OTHER_MINUTES = {"prepare": 0.2, "measure": 0.5, "export": 0.5, "score": 1.0, "publish": 0.5}


@dataclass(frozen=True)
class Options:
    """What `voice train vocoder` was asked for; `command` is how."""

    source: Path
    name: str
    run: Path
    out: Path | None = None
    minutes: float | None = None
    steps: int = 3_200
    license: str = "Apache-2.0"
    command: str = ""
    smoke: bool = False


def train_vocoder(o: Options, tell: Tell) -> Outcome:
    """Train, score and publish a vocoder. Raises VoiceError, and KeyboardInterrupt when stopped."""
    check_target(o.name, o.out)
    results = carry_out(o.run, stages(o), tell)
    scored = results["publish"].facts
    return Outcome(Path(scored["model"]), o.run / "publish" / "report.html", scored["summary"])


def stages(o: Options) -> list[Stage]:
    """Return the stages of one training."""
    decisive = {"smoke": o.smoke}
    return [
        Stage("prepare", "read the recordings and split them", lambda work: prepare(o, work),
              {"source": o.source}, estimate=_other("prepare")),
        Stage("measure", "train some steps to see how long they take", lambda work: measure(o, work),
              decisive, lambda _: [o.minutes, o.steps], _other("measure")),
        Stage("train", "learn from the recordings", lambda work: learn(o, work), decisive,
              lambda results: results["measure"].notes["steps"] if "measure" in results else None, _training),
        Stage("export", "write the model", lambda work: write_model(o, work), {"license": o.license},
              estimate=_other("export")),
        Stage("score", "copy the test recordings and compare", lambda work: score(o, work),
              estimate=_other("score")),
        Stage("publish", "write the card and the report", lambda work: show(o, work),
              {"name": o.name, "out": str(o.out)}, estimate=_other("publish")),
    ]  # fmt: skip


def _other(name: str) -> Callable[[Results], Estimate]:
    """Return what gives the estimate of a stage that trains nothing."""
    return lambda _: Estimate(OTHER_MINUTES[name])


def prepare(o: Options, work: Work) -> Result:
    """Write the manifests of the recordings. Raises ManifestError where there is too little to learn from."""
    prepared = list_recordings(o.source, work.folder)
    clips = copies.read_split(work.folder, "train")
    seconds = sum(clip.duration for clip in clips)
    if seconds < LEAST_SECONDS:
        raise ManifestError(
            f"{o.source} has {seconds:.0f} s to learn from; record at least five minutes, better an hour"
        )
    narrow = sum((clip.sample_rate or VOICE_RATE) < VOICE_RATE for clip in clips)
    if narrow > len(clips) / 2:
        raise ManifestError(
            f"{narrow} of {len(clips)} recordings are sampled below {VOICE_RATE} Hz: a vocoder would learn "
            "that speech has no treble; record at 24 kHz or more"
        )
    if not copies.read_split(work.folder, "test", "dev"):
        raise ManifestError(f"{o.source} has too few recordings to keep some for the test; cut it into more")
    facts = {"recordings": sum(prepared.clips.values()), "hours": prepared.seconds / 3600}
    return Result(facts, files=tuple(prepared.manifests.values()))


def train_options(o: Options, out: Path, steps: int, first_adversarial: int) -> train.Options:
    """Return the options of `train.py` for the recordings that were prepared."""
    prepared = o.run / "prepare"
    dev = "dev" if (prepared / "dev.jsonl").exists() else "test"
    chosen = train.Options(
        manifest=(prepared / "train.jsonl",), dev=(prepared / f"{dev}.jsonl",), out=out, steps=steps,
        adversarial=AdversarialOptions(adversarial_from=first_adversarial),
    )  # fmt: skip
    if not o.smoke:
        return chosen
    small = train.shrink(chosen)
    return replace(small, manifest=chosen.manifest, dev=chosen.dev, steps=steps)


def measure(o: Options, work: Work) -> Result:
    """Train some steps of both kinds, and choose how many there will be."""
    trial = train_options(o, work.folder, TRIAL_STEPS, TRIAL_STEPS // 2)
    train.main(replace(trial, minutes=TRIAL_MINUTES, fresh=True, save_every=TRIAL_STEPS))
    check_trained(trial.out, 2)
    pace = seconds_per_step(trial.out)
    least = min(o.steps, 2 if o.smoke else LEAST_STEPS)
    other = sum(OTHER_MINUTES.values())
    steps = share_minutes(o.minutes, other, {"train": Pace(pace, o.steps, least)})["train"]
    return Result(notes={"steps": steps, "seconds": pace, "memory": peak_memory()})


def seconds_per_step(trial: Path) -> float:
    """Return the mean time of a step, of the share that is spectral alone and of the others."""
    times, switch = scalars.step_times(trial), TRIAL_STEPS // 2
    spectral = float(np.median([times[step] for step in times if 2 < step <= switch] or [1.0]))
    adversarial = float(np.median([times[step] for step in times if step > switch + 1] or [spectral]))
    return SPECTRAL_SHARE * spectral + (1 - SPECTRAL_SHARE) * adversarial


def _training(results: Results) -> Estimate | None:
    """Return what the training takes, once it was measured."""
    if "measure" not in results:
        return None
    notes = results["measure"].notes
    return Estimate(notes["steps"] * notes["seconds"] / 60, notes["steps"], notes["memory"])


def learn(o: Options, work: Work) -> Result:
    """Train, or go on; discriminators come in where the run that goes on began them."""
    steps = work.results["measure"].notes["steps"]
    begun = (work.folder / runs.FILE).exists()
    first = (
        runs.read(work.folder, train.RECIPE).options["adversarial_from"]
        if begun
        else round(SPECTRAL_SHARE * steps)
    )
    train.main(train_options(o, work.folder, steps, first))
    check_trained(work.folder, steps)
    return Result(files=(work.folder / runs.CHECKPOINT,))


def write_model(o: Options, work: Work) -> Result:
    """Write the model folder, with a card that has no scores yet."""
    folder = work.folder / o.name
    path = export.export(export.load_run(o.run / "train"), folder)
    origin = "trained on recordings of its owner by voice train vocoder"
    about = (VOICE_RATE, "any", o.license, "Log-mel and pitch to speech", origin)
    write_card(folder, Card(o.name, "vocoder", "source-filter", *about, hashes(folder, (FILE,))))
    return Result(files=(path,))


def score(o: Options, work: Work) -> Result:
    """Copy the test recordings with this vocoder and with the one that comes with voice."""
    systems = {o.name: Vocoder.open(o.run / "export" / o.name), OURS: load_vocoder(SHIPPED)}
    clips = copies.read_split(o.run / "prepare", "test", "dev")[:SCORED]
    rows = [copies.score(clip, name, system) for clip in clips for name, system in systems.items()]
    path = work.folder / "copies.json"
    write_rows(path, rows)
    return Result({"scores": copies.means(rows, o.name)}, files=(path,))


def show(o: Options, work: Work) -> Result:
    """Write the report, and put the model where its name finds it."""
    rows = [copies.Copy(**row) for row in json.loads((o.run / "score" / "copies.json").read_text("utf-8"))]
    prepared, scores = work.results["prepare"].facts, work.results["score"].facts["scores"]
    made = o.run / "export" / o.name
    training = Training(o.source, prepared["recordings"], prepared["hours"], o.command, o.run,
                        {"steps": work.results["measure"].notes["steps"]})  # fmt: skip
    summary = f"{o.name}: " + ", ".join(f"{name} {value}" for name, value in scores.items())
    written = report.write_report(work.folder / "report.html", _report(o, rows, training))
    model = publish(made, o.name, o.out, training, scores, evaluation(o))
    return Result({"model": str(model), "summary": summary}, files=(written, model / CARD))


def evaluation(o: Options) -> Evaluation:
    """Return how `score` has measured."""
    tested = copies.find_split(o.run / "prepare", "test", "dev")
    assert tested is not None  # see prepare
    return Evaluation.on("recipes.vocoder.copies", {"own test": tested}, {"clips": SCORED})


def _report(o: Options, rows: list[copies.Copy], training: Training) -> report.Report:
    """Return the report: scores beside the vocoder that comes with voice, curves, and the worst copies."""
    clips = {clip.id: clip for clip in copies.read_split(o.run / "prepare", "test", "dev")}
    worst = copies.worst(rows, clips, o.name, Vocoder.open(o.run / "export" / o.name))
    minutes = training.hours * 60
    return report.Report(
        f"{o.name}, a vocoder",
        f"Trained on {training.recordings} recordings, {minutes:.1f} minutes.",
        (
            report.Section("Scores", (copies.table(rows),)),
            report.Section("Training", _curves(o.run / "train")),
            report.Section("The copies that differ most from their recordings", worst),
            report.Section("How it was made", (report.facts(training.table()),)),
        ),
    )


def _curves(run: Path) -> list[report.Picture]:
    """Return the curves of a run's losses and of its dev scores."""
    named: dict[str, Any] = scalars.read_curves(run)
    losses = {name: points for name, points in named.items() if name == "train/loss"}
    spectra = {name: points for name, points in named.items() if name == "dev/mel_l1"}
    quality = {name: points for name, points in named.items() if name == "dev/pesq"}
    return [report.Picture(curves(each), ", ".join(each)) for each in (losses, spectra, quality) if each]

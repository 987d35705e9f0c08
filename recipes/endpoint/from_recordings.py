"""From a folder of single sentences to a recognizer that knows when this person has ended one.

`voice train endpoint` is this. The recognizer's words stay as they are: it is the base with another
`ending.npz` (`voice.asr.whisper.end_of_turn`), fitted by `layer.py`. Nothing is published unless it judges
recordings that it was not fitted on better than the base does, beyond chance.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recipes.endpoint import layer
from recipes.endpoint.layer import Layer
from recipes.endpoint.showing import Judged, make_report
from recipes.endpoint.silences import Silence, find_silences, why_unfit
from recipes.evaluations import Evaluation
from recipes.planning import Estimate, Tell
from recipes.publishing import Outcome, Training, check_target, publish
from recipes.recordings import list_recordings
from recipes.reporting.report import write_report
from recipes.stages import Result, Results, Stage, Work, carry_out
from voice import audio
from voice.asr.whisper.end_of_turn import FILE_NAME, EndOfTurnHead
from voice.asr.whisper.recognizer import Whisper
from voice.errors import ManifestError, ModelError
from voice.features import WHISPER_RATE
from voice.loading import load_recognizer
from voice.manifest import Clip, read_manifest
from voice.models.card import hashes, write_card
from voice.models.lookup import find_stored
from voice.silero import Silero

SENTENCES = "sentences.jsonl"
SILENCES = "silences.npz"
FITTED = "own AUC, fitted to them"  # of the layer that is exported, on what it has learned
LEAST_ENDS, LEAST_PAUSES = 20, 15
SECONDS_A_CLIP = 0.6  # of one core, about


@dataclass(frozen=True)
class Options:
    """What `voice train endpoint` was asked for; `command` is how."""

    source: Path
    name: str
    run: Path
    base: str = "quick"
    out: Path | None = None
    command: str = ""


def train_endpoint(o: Options, tell: Tell) -> Outcome:
    """Fit, score and publish. Raises VoiceError, and KeyboardInterrupt when stopped."""
    check_target(o.name, o.out)
    facts = carry_out(o.run, stages(o), tell)["publish"].facts
    model = Path(facts["model"]) if facts["model"] else None
    example = f"voice talk IN.wav --model {model if o.out else o.name}"
    return Outcome(model, o.run / "publish" / "report.html", facts["summary"], example)


def stages(o: Options) -> list[Stage]:
    """Return the stages of one training."""

    def listening(results: Results) -> Estimate | None:
        if "prepare" not in results:
            return None
        return Estimate(results["prepare"].facts["recordings"] * SECONDS_A_CLIP / 60)

    return [
        Stage("prepare", "read the recordings", lambda work: prepare(o, work), {"source": o.source},
              estimate=lambda _: Estimate(0.2)),
        Stage("listen", "find the silences and what is heard before them", lambda work: listen(o, work),
              {"base": o.base}, estimate=listening),
        Stage("fit", "tell ends from pauses", lambda work: fit(o, work), estimate=lambda _: Estimate(0.5)),
        Stage("publish", "write the report and the model", lambda work: show(o, work),
              {"name": o.name, "out": str(o.out)}, estimate=lambda _: Estimate(0.2)),
    ]  # fmt: skip


def prepare(o: Options, work: Work) -> Result:
    """List the recordings of one sentence each. Raises ManifestError where there are too few."""
    path = work.folder / SENTENCES
    list_recordings(o.source, path)
    clips = read_manifest(path)
    unfit = {clip.id: reason for clip in clips if (reason := why_unfit(clip))}
    if len(clips) - len(unfit) < LEAST_ENDS:
        first = next((f", such as {name} ({reason})" for name, reason in unfit.items()), "")
        raise ManifestError(
            f"{o.source} has {len(clips) - len(unfit)} recordings of one whole sentence{first}; "
            f"record {LEAST_ENDS} or more, spoken as you talk, with your pauses in them"
        )
    hours = sum(clip.duration for clip in clips if clip.id not in unfit) / 3600
    return Result({"recordings": len(clips) - len(unfit), "hours": hours, "unfit": unfit}, files=(path,))


def sentences(o: Options) -> list[Clip]:
    """Return the recordings that are one sentence."""
    return fit_clips(o.run / "prepare" / SENTENCES)


def fit_clips(manifest: Path) -> list[Clip]:
    """Return the recordings of a manifest that are one sentence."""
    return [clip for clip in read_manifest(manifest) if why_unfit(clip) is None]


def silences_of(
    clips: Sequence[Clip], recognizer: Whisper, progress: Callable[[float], None]
) -> list[Silence]:
    """Return the silences of recordings, in their order, with what the recognizer's encoder hears."""
    detector = Silero.open()
    found: list[Silence] = []
    for done, clip in enumerate(clips):
        progress(done / len(clips))
        samples = audio.read(clip.audio, WHISPER_RATE).samples
        found += find_silences(clip, samples, detector, recognizer.encode)
    return found


def base_of(name: str) -> Whisper:
    """Return the recognizer whose encoder judges. Raises ModelError where it has none of that kind."""
    recognizer = load_recognizer(name)
    if not isinstance(recognizer, Whisper):
        raise ModelError(f"{name} is no Whisper, whose encoder alone can judge ends; give quick")
    return recognizer


def listen(o: Options, work: Work) -> Result:
    """Find the silences of all recordings. Raises ManifestError where there are too few to learn from."""
    found = silences_of(sentences(o), base_of(o.base), work.progress)
    ends = sum(one.is_end for one in found)
    pauses = sum(layer.LONG <= one.seconds < np.inf for one in found)
    if ends < LEAST_ENDS or pauses < LEAST_PAUSES:
        raise ManifestError(
            f"{o.source} has {ends} ends and {pauses} pauses of {layer.LONG} s or more inside of sentences; "
            f"{LEAST_ENDS} and {LEAST_PAUSES} are needed: record more sentences, with pauses to think in them"
        )
    path = work.folder / SILENCES
    write_silences(path, found)
    return Result({"ends": ends, "pauses": pauses}, files=(path,))


def write_silences(path: Path, found: Sequence[Silence]) -> None:
    """Write silences to a file of arrays."""
    np.savez_compressed(
        path, clean=np.array([one.clean for one in found]), noisy=np.array([one.noisy for one in found]),
        seconds=np.array([one.seconds for one in found]), clip=np.array([one.clip for one in found]),
        at=np.array([one.at for one in found]),
    )  # fmt: skip


def read_silences(path: Path) -> list[Silence]:
    """Return the silences of a file of `write_silences`."""
    with np.load(path) as file:
        columns = [file[name] for name in Silence.__dataclass_fields__]
    return [Silence(a, b, float(c), str(d), float(e)) for a, b, c, d, e in zip(*columns, strict=True)]


def known_layer(name: str, shape: tuple[int, ...]) -> Layer:
    """Return the layer of the recognizer `name`, one of zeros where it has none. Raises ModelDamaged."""
    folder = find_stored(name).folder
    if EndOfTurnHead.find(folder) is None:
        return Layer(np.zeros(shape), 0.0)
    with np.load(folder / FILE_NAME) as file:
        return Layer(file["weights"].astype(float), float(file["bias"]))


def fit(o: Options, work: Work) -> Result:
    """Fit the layer, and judge each recording by a layer that was fitted without it."""
    found = read_silences(o.run / "listen" / SILENCES)
    base = known_layer(o.base, found[0].clean.shape)
    before, after = base.odds(found), layer.cross_validate(found, base)
    made = layer.adapt(found, base, layer.choose_strength(found, base))
    path, odds = work.folder / FILE_NAME, work.folder / "odds.npz"
    layer.write_layer(path, made)
    np.savez_compressed(odds, before=before, after=after)
    gained, low, high = layer.gain(found, before, after)
    fitted = round(layer.area_under_curve(found, made.odds(found)), 4)
    facts = {"gain": gained, "low": low, "high": high, FITTED: fitted}
    return Result(facts, files=(path, odds))


def evaluate_again(
    model: str, sets: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Yield what the card says of the layer: on recordings that it was fitted without, and on all of them."""
    recognizer, base = base_of(model), str(options["base"])
    for path in sets.values():
        found = silences_of(fit_clips(Path(path)), recognizer, lambda share: None)
        before = known_layer(base, found[0].clean.shape)
        judged = Judged(found, before.odds(found), layer.cross_validate(found, before))
        yield from judged.scores().items()
        own = known_layer(model, found[0].clean.shape)
        yield FITTED, layer.area_under_curve(found, own.odds(found))


def show(o: Options, work: Work) -> Result:
    """Write the report; publish the recognizer with its new layer if that judges better."""
    found = read_silences(o.run / "listen" / SILENCES)
    with np.load(o.run / "fit" / "odds.npz") as file:
        judged = Judged(found, file["before"], file["after"])
    prepared, fitted = work.results["prepare"].facts, work.results["fit"].facts
    more = {"base": o.base, **work.results["listen"].facts}
    training = Training(o.source, prepared["recordings"], prepared["hours"], o.command, o.run, more)
    better, scores = fitted["low"] > 0, judged.scores() | {FITTED: fitted[FITTED]}
    summary = f"{o.name}: AUC {scores['own AUC before']:.3f} before, {scores['own AUC']:.3f} now"
    if not better:
        summary = (
            f"nothing was gained, so no model was made: {o.base} judges these recordings as well "
            f"(AUC grows by {fitted['gain']:.3f}, 95 % interval {fitted['low']:.3f} to {fitted['high']:.3f})"
        )
    written = write_report(
        work.folder / "report.html", make_report(o.name, o.base, judged, sentences(o), summary, training)
    )
    if not better:
        return Result({"model": "", "summary": summary}, files=(written,))
    how = Evaluation.on(
        "recipes.endpoint.from_recordings", {"own": o.run / "prepare" / SENTENCES}, {"base": o.base}
    )
    model = publish(_folder(o, work), o.name, o.out, training, scores, how)
    return Result({"model": str(model), "summary": summary}, files=(written, model / FILE_NAME))


def _folder(o: Options, work: Work) -> Path:
    """Fill a model folder with the base's files and the new layer, and return it."""
    base, folder = find_stored(o.base), work.folder / o.name
    folder.mkdir(exist_ok=True)
    for name in base.card.files:
        shutil.copyfile(base.folder / name, folder / name)
    shutil.copyfile(o.run / "fit" / FILE_NAME, folder / FILE_NAME)
    files = {**base.card.files, **hashes(folder, [FILE_NAME])}
    description = f"{o.base}, with ends of turns fitted to {o.source.name}"
    write_card(folder, replace(base.card, name=o.name, files=files, description=description, training={}))
    return folder

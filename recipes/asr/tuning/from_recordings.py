"""From recordings with transcripts, or from a list of terms, to a recognizer that knows them.

`voice train recognizer` is this. Nothing is published unless dev has fewer errors and general speech as few
as before, as the recognizer runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.prepare import PrepareOptions
from data.prepare import prepare as prepare_data
from data.preparing.hearing import TRANSCRIBED
from recipes.asr.tuning import judging, train
from recipes.asr.tuning.general import general_speech
from recipes.asr.tuning.sets import clips_of
from recipes.asr.tuning.showing import make_report
from recipes.asr.tuning.split import split_set
from recipes.asr.tuning.terms import read_terms, term_speech
from recipes.asr.windows import index_any
from recipes.planning import Estimate, Tell
from recipes.publishing import Outcome, Training, check_target, publish
from recipes.reporting.report import write_report
from recipes.stages import Result, Results, Stage, Work, carry_out
from voice.errors import ManifestError, VoiceError
from voice.manifest import Clip, read_manifest, write_manifest
from voice.models.card import NAME as CARD
from voice.models.lookup import find_stored
from voice.text.languages import parse_language

TUNING_SHARE = 0.7  # of the minutes; the rest is for preparing and judging
JUDGED_SECONDS = 1.5  # to judge an utterance of dev, about, all shares together


@dataclass(frozen=True)
class Options:
    """What `voice train recognizer` was asked for; `command` is how.

    `source` is a folder, a table or a manifest with transcripts, `words` a file of terms; one of both is
    enough. `dev`, `general` and `general_dev` are manifests where the own choice is not wanted, `test`
    those that are measured once at the end, `voices` those that read terms.
    """

    source: Path | None
    name: str
    run: Path
    words: Path | None = None
    base: str = "quick"
    out: Path | None = None
    dev: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    general_dev: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    language: str = "en"
    minutes: float | None = None
    threads: int = 1
    command: str = ""
    smoke: bool = False


def train_recognizer(o: Options, tell: Tell) -> Outcome:
    """Prepare, tune, judge and publish. Raises VoiceError, and KeyboardInterrupt when stopped."""
    check_target(o.name, o.out)
    language = parse_language(o.language)
    if language is None:
        raise VoiceError("a recognizer is tuned to one language: give its code or its name with --language")
    o = dataclasses.replace(o, language=language)
    check_inputs(o)
    facts = carry_out(o.run, stages(o, tell), tell)["judge"].facts
    model = Path(facts["model"]) if facts["model"] else None
    example = f"voice transcribe RECORDING --model {model if o.out else o.name}"
    return Outcome(model, o.run / "judge" / "report.html", facts["summary"], example)


def check_inputs(o: Options) -> None:
    """Raise VoiceError for what cannot be read, before the work of an earlier call is put aside for it."""
    if o.source is None and o.words is None:
        raise VoiceError("give recordings with transcripts, or a list of terms with --words")
    if o.source is not None and not o.source.exists():
        raise VoiceError(f"{o.source} is not there: give a folder of recordings with transcripts")
    if o.words is not None:
        read_terms(o.words)
    for manifest in (*o.dev, *o.general, *o.general_dev, *o.test):
        index_any(manifest)
    for name, kind in ((o.base, "recognizer"), *((voice, "voice") for voice in o.voices)):
        if not name.startswith("hf:") and find_stored(name).card.kind != kind:
            raise VoiceError(f"{name} is no {kind}; see voice models")


def stages(o: Options, tell: Tell) -> list[Stage]:
    """Return the stages of one training."""
    given = {
        "source": o.source or "", "words": o.words or "", "dev": list(o.dev), "general": list(o.general),
        "general_dev": list(o.general_dev), "voices": list(o.voices), "language": o.language,
    }  # fmt: skip
    judged = {"name": o.name, "out": str(o.out), "test": list(o.test)}
    return [
        Stage("prepare", "read the recordings, hold some out", lambda work: prepare(o, work, tell), given),
        Stage("tune", "tune the recognizer", lambda work: tune(o, work, tell), {"base": o.base},
              estimate=lambda _: Estimate(TUNING_SHARE * o.minutes) if o.minutes else None),
        Stage("judge", "score it, and publish it if it has gained", lambda work: judge(o, work, tell), judged,
              estimate=_judging),
    ]  # fmt: skip


def _judging(results: Results) -> Estimate | None:
    """Return what judging takes, once it is known how much there is to judge."""
    if "prepare" not in results:
        return None
    return Estimate(results["prepare"].facts["judged"] * JUDGED_SECONDS / 60)


def prepare(o: Options, work: Work, tell: Tell) -> Result:
    """Write manifests of all that is learned and watched. Raises ManifestError where there is too little."""
    learn, watch, files = list[str](), list(o.dev), list[Path]()
    if o.source is not None:
        own, held_out = list_recordings(o, work.folder, tell)
        learn.append(str(own))
        watch += [str(held_out)] if held_out else []
    if o.words is not None:
        speech = term_speech(read_terms(o.words), work.folder / "terms", voices=o.voices, tell=tell)
        learn.append(str(speech.learn))
        watch.append(str(speech.watch))
    files = [Path(each) for each in (*learn, *watch) if Path(each).is_file()]
    general, general_dev, origin = o.general, o.general_dev, "recordings that were named"
    if not general and o.smoke:
        general, general_dev, origin = train.SMOKE_GENERAL, general_dev or train.SMOKE_WATCHED, "data/tiny"
    elif not general:
        found = general_speech(work.folder / "general", o.language, tell)
        general, general_dev, origin = found.learn, general_dev or found.watch, found.origin
    tell(f"general speech that it has to stay good at: {origin}")
    clips = [clip for each in learn for clip in read_manifest(Path(each))]
    facts = {
        "learn": learn, "watch": watch, "general": list(general), "general_dev": list(general_dev),
        "recordings": len(clips), "hours": sum(clip.duration for clip in clips) / 3600,
        "judged": sum(len(clips_of((each,))) for each in (*watch, *general_dev)),
    }  # fmt: skip
    return Result(facts, files=tuple(files))


def list_recordings(o: Options, out: Path, tell: Tell) -> tuple[Path, Path | None]:
    """Return manifests of the source to learn from and, unless there are others, to choose on.

    What only a recognizer has written down is no transcript to learn from. Raises ManifestError.
    """
    assert o.source is not None  # see prepare
    found = prepare_data(o.source, out / "all.jsonl", PrepareOptions(language=o.language))
    for kind, count in found.dropped.items():
        tell(f"left out: {count} × {kind}; see {found.report}")
    clips = read_manifest(found.manifests["all"])
    told = [clip for clip in clips if clip.text and TRANSCRIBED not in clip.extra]
    if len(told) < len(clips):
        tell(f"left out: {len(clips) - len(told)} recordings without a transcript")
    told = _apart(_in_language(told, o.language, tell), (*o.dev, *o.test), tell)
    own, held_out = (told, []) if o.dev else split_set(told)
    write_manifest(out / "train.jsonl", own)
    if not held_out:
        return out / "train.jsonl", None
    write_manifest(out / "dev.jsonl", held_out)
    return out / "train.jsonl", out / "dev.jsonl"


def _in_language(clips: Sequence[Clip], language: str, tell: Tell) -> list[Clip]:
    """Return the clips that are in a language. Raises ManifestError where all say that they are in others."""
    own = [clip for clip in clips if clip.language in (None, language)]
    others = sorted({clip.language for clip in clips if clip.language} - {language})
    if clips and not own:
        raise ManifestError(f"the recordings are in {', '.join(others)}, not in {language}; see --language")
    if others:
        tell(f"left out: {len(clips) - len(own)} recordings in {', '.join(others)}; --language is {language}")
    return own


def _apart(clips: Sequence[Clip], others: Sequence[str], tell: Tell) -> list[Clip]:
    """Return the clips whose recordings are not in other manifests, those to choose and to measure on."""
    held = {clip.audio.resolve() for clip in clips_of(others)}
    own = [clip for clip in clips if clip.audio.resolve() not in held]
    if len(own) < len(clips):
        tell(f"left out: {len(clips) - len(own)} recordings that are in {', '.join(others)} too")
    return own


def training_options(o: Options, work: Work) -> train.Options:
    """Return the options of `train.py` for what was prepared."""
    found = work.results["prepare"].facts
    chosen = train.Options(
        manifest=tuple(found["learn"]), dev=tuple(found["watch"]), general=tuple(found["general"]),
        general_dev=tuple(found["general_dev"]), base=o.base, out=o.run / "tune", language=o.language,
        minutes=TUNING_SHARE * o.minutes if o.minutes else None, threads=o.threads,
    )  # fmt: skip
    return dataclasses.replace(chosen, smoke=True, steps=4) if o.smoke else chosen


def tune(o: Options, work: Work, tell: Tell) -> Result:
    """Tune, or go on. Raises KeyboardInterrupt where a signal ended it."""
    if not train.main(training_options(o, work), tell):
        raise KeyboardInterrupt("the training was stopped")
    return Result(files=(work.folder / "best.pt",))


def judge(o: Options, work: Work, tell: Tell) -> Result:
    """Judge what was learned, write the report, and publish the recognizer if it has gained."""
    made, found = work.folder / o.name, work.results["prepare"].facts
    asked = judging.Options(
        run=o.run / "tune", name=o.name, out=made, test=o.test, words=o.words, threads=o.threads
    )
    judged = judging.judge_run(asked, tell)
    source = o.source or o.words
    assert source is not None  # one of both is there, see train_recognizer
    more = {"base": o.base}
    training = Training(source, found["recordings"], found["hours"], o.command, o.run, more)
    summary = f"{o.name}: {judged.lines[-1]}" if judged.model else f"nothing was gained: {judged.reason}"
    if judged.model:
        rates = judged.scores
        now, was = (100 * rates[which] for which in ("dev WER", "dev WER before"))
        summary = f"{o.name}: {now:.1f} % word errors, {was:.1f} % before"
    written = write_report(
        work.folder / "report.html", make_report(o.name, o.base, judged, summary, training)
    )
    if judged.model is None:
        return Result({"model": "", "summary": summary}, files=(written,))
    model = publish(made, o.name, o.out, training, judged.scores)
    return Result({"model": str(model), "summary": summary}, files=(written, model / CARD))

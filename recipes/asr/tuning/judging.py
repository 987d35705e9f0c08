"""Judges what a run of tuning has learned, and exports as much of it as helps, or nothing.

    python -m recipes.asr.tuning.judging --run runs/mine --name mine --out my-recognizer

Shares of what was learned are scored on dev; the one that is best on the set while general speech holds is
written, and compared with the base once more as `voice transcribe` runs them. Where nothing was gained,
labels stand against hypotheses, and the exit status is 1.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from recipes import runs
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.tuning import train
from recipes.asr.tuning.base_answers import BaseAnswers, BaseOptions
from recipes.asr.tuning.companions import (
    AsRun,
    compare,
    run_recognizer,
    transcribe_clips,
    write_judged,
)
from recipes.asr.tuning.examples import Example
from recipes.asr.tuning.export import Description, load_tuned, write_model
from recipes.asr.tuning.guard import (
    Candidate,
    Reading,
    Verdict,
    differences,
    is_safe,
    judge,
    probability_of_gain,
)
from recipes.asr.tuning.scoring import Scorer
from recipes.asr.tuning.sets import clips_of, gather_dev
from recipes.asr.tuning.terms import TermCount, count_terms, read_terms
from recipes.evaluations import Evaluation
from recipes.options import option, parse
from recipes.training import best_device
from voice.features import WHISPER_RATE
from voice.models import Model, find
from voice.models.card import Card, read_card, write_card
from voice.models.catalog import check_new_name

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/tuned"), "the run's folder")
    name: str = option("tuned", "the model's name")
    out: Path = option(Path("tuned"), "the model folder to write")
    test: tuple[str, ...] = option((), "measure before and after on this, once, at the end; repeatable")
    words: Path | None = option(None, "count the terms of this file too, one a line")
    threads: int = option(torch.get_num_threads(), "CPU threads")


@dataclass(frozen=True, eq=False)
class Judged:
    """What came of a run: the `model` folder, or None where nothing was gained, and why.

    `before` and `after` are the base and the export as they run (the first `own` utterances are the set's,
    the others general speech), both None where nothing got so far.
    """

    model: Path | None
    reason: str
    verdict: Verdict
    before: AsRun | None
    after: AsRun | None
    own: Sequence[Example]
    run: Path
    lines: tuple[str, ...]
    scores: dict[str, Any]
    terms: tuple[TermCount, ...] = ()


def options_of(run: Path) -> train.Options:
    """Return the options of a run that decide how it is judged. Raises ModelMissing, VoiceError."""
    row = runs.read(run, train.RECIPE).options
    return train.Options(
        manifest=tuple(row["manifest"]),
        dev=tuple(row["dev"]),
        general_dev=tuple(row.get("general_dev", ())),
        base=row["base"],
        out=run,
        answers=Path(row["answers"]) if "answers" in row else None,
        language=row["language"],
        top=row.get("top"),
        smoke=row["smoke"],
    )


def judge_run(o: Options, tell: Tell = print) -> Judged:
    """Judge a run, and export as much of what it has learned as helps, or nothing. Raises VoiceError."""
    check_new_name(o.name)
    terms = read_terms(o.words) if o.words else ()
    trained = replace(options_of(o.run), threads=o.threads)
    base, context = train.base_of(trained)
    tokenizer = TrainingTokenizer.open(base, trained.language)
    model = load_tuned(base, o.run, best_device())
    top = train.top_of(trained, context)
    kept = BaseOptions(base, context, trained.language, top, trained.answers or o.run / "answers", o.threads)
    answers = BaseAnswers(kept, tokenizer, tell)
    own, general = gather_dev(trained.dev, trained.general_dev, answers)
    answers.close()
    scorer = Scorer(own, general, tokenizer, top, base, o.run / "check", o.threads)
    verdict = judge(scorer.read(model, 0.0), lambda scale: scorer.read(model, scale))
    lines = describe(verdict)
    for line in lines:
        tell(line)
    if verdict.best is None:
        return _without_gain(o, verdict, own, lines, tell)
    about = Description(o.name, trained.language, f"{trained.base} tuned to {o.name}", {})
    name = name_of_base(trained)
    before = run_recognizer(name, [*own, *general], trained.language, o.threads)
    for share in verdict.eligible:
        write_model(model, share.scale, _base_model(trained, base), name, o.out, about)
        after = run_recognizer(str(o.out), [*own, *general], trained.language, o.threads)
        held, told = compare_as_run(share.scale, before, after, len(own))
        for line in told:
            tell(line)
        lines += told
        if held:
            found = Judged(
                o.out, verdict.reason, replace(verdict, eligible=(share,)), before, after, own, o.run, (), {}
            )
            return _complete(o, trained, found, (own, general), lines, terms, tell)
        shutil.rmtree(o.out)
    reason = "what dev has gained does not hold as the recognizer runs; nothing is exported"
    tell(reason)
    scores = scores_of(*(_candidate(each.reading, len(own)) for each in (before, after)))
    nothing = replace(verdict, eligible=())
    return Judged(None, reason, nothing, before, after, own, o.run, (*lines, reason), scores)


def name_of_base(trained: train.Options) -> str:
    """Return what the base is loaded as: its name, or the folder of the random one of a smoke run."""
    return str(train.base_of(trained)[0]) if trained.smoke else trained.base


def _base_model(trained: train.Options, folder: Path) -> Model:
    """Return the base as a model with its card; the random one of a smoke run has none of its own."""
    if not trained.smoke:
        return find(trained.base)
    options = {"context": "utterance"}
    return Model(Card("smoke", "recognizer", "whisper", WHISPER_RATE, "en", "MIT", options=options), folder)


def describe(verdict: Verdict) -> list[str]:
    """Return lines with the errors of the base and of each share of what was learned."""
    lines = []
    for each in (verdict.base, *verdict.candidates):
        general = "" if each.general is None else f"   general speech {each.general.describe()}"
        what = "base" if each is verdict.base else f"{100 * each.scale:.0f} % of what was learned"
        mark = "  ← best" if each is verdict.best else ""
        lines.append(f"{what:<28} dev {each.own.describe()}{general}{mark}")
    return [*lines, verdict.reason]


def _without_gain(
    o: Options, verdict: Verdict, own: Sequence[Example], lines: list[str], tell: Tell
) -> Judged:
    """Say that nothing was gained, with labels against hypotheses."""
    shown = [f"  {label}  →  {heard}" for label, heard in differences(verdict.candidates[0].own)]
    told = [
        f"nothing was gained: {verdict.reason}",
        "labels against what is recognized after tuning:",
        *shown,
    ]
    for line in told:
        tell(line)
    return Judged(None, verdict.reason, verdict, None, None, own, o.run, (*lines, *told), {})


def compare_as_run(scale: float, before: AsRun, after: AsRun, count: int) -> tuple[bool, list[str]]:
    """Return whether a share of what was learned is better than the base as both run, and lines about it.

    The first `count` utterances are the set's, the others general speech.
    """
    was, now = (_candidate(each.reading, count) for each in (before, after))
    held = now.own.rate < was.own.rate and is_safe(was, now)
    lines = [
        f"{100 * scale:.0f} %, as it runs: dev {now.own.describe()} word errors, {was.own.describe()} before"
    ]
    if now.general and was.general:
        remark = "" if is_safe(was, now) else ": worse"
        lines.append(f"general speech {now.general.describe()}, {was.general.describe()} before{remark}")
    return held, lines


def _complete(
    o: Options, trained: train.Options, judged: Judged, examples: tuple[Sequence[Example], Sequence[Example]],
    lines: list[str], terms: Sequence[str], tell: Tell,
) -> Judged:  # fmt: skip
    """Say how what sits on the recognizer holds, count terms, measure test sets, and write the card."""
    own, general = examples
    assert judged.before is not None and judged.after is not None  # it is exported
    was, now = (_candidate(each.reading, len(own)) for each in (judged.before, judged.after))
    told, weights = compare(judged.before, judged.after)
    counts = count_terms(terms, now.own.references, was.own.hypotheses, now.own.hypotheses)
    told += [f"{each.term}: {each.after} of {each.said} right, {each.before} before" for each in counts]
    if counts:
        said = sum(each.said for each in counts)
        missed, missed_before = said - sum(e.after for e in counts), said - sum(e.before for e in counts)
        told.append(f"terms missed: {missed} of {said}, {missed_before} before")
    for line in told:
        tell(line)
    scores = scores_of(was, now)
    for manifest in o.test:
        line, measured = measure(manifest, name_of_base(trained), o, trained.language)
        tell(line)
        told.append(line)
        scores |= measured
    card = read_card(o.out)
    options = {**card.options, **({"confidence": weights} if weights else {})}
    sets = write_judged(o.run / "judged", {"dev": own, "general": general})
    sets |= {set_name(each): Path(each) for each in o.test if Path(each).is_file()}
    how = Evaluation.on("recipes.asr.tuning.companions", sets, {"language": trained.language})
    write_card(o.out, replace(card, options=options, scores=scores, evaluation=how.table()))
    return replace(judged, lines=(*lines, *told), scores=scores, terms=counts)


def scores_of(was: Candidate, now: Candidate) -> dict[str, Any]:
    """Return what a card says of the errors before and after."""
    found = {"dev WER": now.own.rate, "dev WER before": was.own.rate}
    if now.general and was.general:
        found |= {"general WER": now.general.rate, "general WER before": was.general.rate}
    return {name: round(value, 4) for name, value in found.items()}


def measure(manifest: str, base: str, o: Options, language: str) -> tuple[str, dict[str, float]]:
    """Return a line and scores of base and export on a manifest that nothing was chosen on.

    Raises ManifestError.
    """
    clips = [clip for clip in clips_of((manifest,)) if clip.text]
    was, now = (transcribe_clips(each, clips, language, o.threads) for each in (base, str(o.out)))
    name = set_name(manifest)
    likely = probability_of_gain(was.scores, now.scores)
    line = (
        f"{name}, {len(clips)} recordings: {now.describe()} word errors, {was.describe()} before; "
        f"{100 * likely:.0f} % likely to be a gain"
    )
    return line, {f"{name} WER": round(now.rate, 4), f"{name} WER before": round(was.rate, 4)}


def set_name(manifest: str) -> str:
    """Return what the scores on a manifest are called: its folder and its own name."""
    path = Path(manifest.partition(":")[0])
    return f"{path.parent.name} {path.stem}"


def _candidate(reading: Reading, count: int) -> Candidate:
    """Return the reading of the set's `count` utterances, and that of general speech after them."""
    parts = [
        Reading(reading.references[span], reading.hypotheses[span], reading.scores[span])
        for span in (slice(0, count), slice(count, None))
    ]
    return Candidate(1.0, parts[0], parts[1] if parts[1].scores else None)


def main(options: Options) -> None:
    judged = judge_run(options)
    if judged.model is None:
        sys.exit(1)
    print(f"{judged.model}: voice transcribe RECORDING --model {judged.model}")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

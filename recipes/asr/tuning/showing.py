"""The report on a recognizer that was tuned: errors before and after, curves, and its worst utterances."""

from __future__ import annotations

from pathlib import Path

from recipes.asr.tuning.guard import Candidate, Reading
from recipes.asr.tuning.judging import Judged
from recipes.publishing import Training
from recipes.reporting import report
from recipes.reporting.pictures import curves, spectrogram
from recipes.reporting.scalars import read_curves
from voice.metrics import interval
from voice.types import Audio

SHOWN = 10  # utterances
CURVES = (("dev/loss", "train/set/cross_entropy"), ("dev/wer", "dev/wer/general"), ("dev/general",))


def make_report(name: str, base: str, judged: Judged, summary: str, training: Training) -> report.Report:
    """Return the report of a run that tuned the recognizer `base`."""
    return report.Report(
        f"{name}, a recognizer",
        summary,
        (
            report.Section("Word errors", (_candidates(base, judged),)),
            *((report.Section("Terms", (_terms(base, name, judged),)),) if judged.terms else ()),
            report.Section("What was measured", [report.Paragraph(line) for line in judged.lines]),
            report.Section("Training", _curves(judged.run)),
            report.Section("The utterances with the most errors", _worst(base, name, judged)),
            report.Section("How it was made", (report.facts(training.table()),)),
        ),
    )


def _candidates(base: str, judged: Judged) -> report.Table:
    """Return a table of the base and of each share of what was learned, on dev."""
    verdict = judged.verdict
    rows = [(base, *_cells(verdict.base))]
    for each in verdict.candidates:
        taken = ", taken" if each is verdict.best else ""
        rows.append((f"{100 * each.scale:.0f} % of what was learned{taken}", *_cells(each)))
    return report.Table(("", "your dev recordings", "general speech"), rows, verdict.reason)


def _terms(base: str, name: str, judged: Judged) -> report.Table:
    """Return a table of how often each term is said on dev and is right before and after."""
    rows = [(each.term, str(each.said), str(each.before), str(each.after)) for each in judged.terms]
    return report.Table(("", "said", f"right, {base}", f"right, {name}"), rows)


def _cells(candidate: Candidate) -> tuple[str, str]:
    """Return word error rates with their intervals, of the set and of general speech."""
    general = "not measured" if candidate.general is None else _rate(candidate.general)
    return _rate(candidate.own), general


def _rate(reading: Reading) -> str:
    """Return a word error rate with its interval."""
    return report.with_interval(reading.rate, *interval(reading.scores))


def _curves(run: Path) -> list[report.Picture]:
    """Return the curves of a run's losses and of its dev scores."""
    named = read_curves(run)
    groups = [{name: named[name] for name in group if name in named} for group in CURVES]
    return [report.Picture(curves(group), ", ".join(group)) for group in groups if group]


def _worst(base: str, name: str, judged: Judged) -> list[report.Utterance]:
    """Return the dev utterances with the most errors, with their sounds."""
    if judged.after is not None and judged.before is not None:
        before, after = judged.before.reading, judged.after.reading
    else:
        before, after = judged.verdict.base.own, judged.verdict.candidates[0].own
    order = sorted(range(len(judged.own)), key=lambda place: -after.scores[place].rate)
    return [
        _utterance(judged, place, base, before.hypotheses[place], name, after.hypotheses[place])
        for place in order[:SHOWN]
        if after.scores[place].errors
    ]


def _utterance(judged: Judged, place: int, base: str, before: str, name: str, after: str) -> report.Utterance:
    """Return one utterance with what both recognizers make of it."""
    heard = judged.own[place].heard
    clip = heard.sounds.clips[heard.window.clips[0]]
    sound = Audio(heard.sounds[heard.window.clips[0]], heard.sounds.rate)
    text = judged.own[place].reference
    texts = (
        report.Hypothesis("transcript", text),
        report.Hypothesis(base, before, text),
        report.Hypothesis(name, after, text),
    )
    return report.Utterance(clip.id, texts, (report.sound(sound),), (report.Picture(spectrogram(sound)),))

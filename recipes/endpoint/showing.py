"""The report on a layer that tells ends from pauses: its scores, and the recordings that it judges worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipes.endpoint import layer
from recipes.endpoint.silences import Silence
from recipes.publishing import Training
from recipes.reporting import report
from recipes.reporting.pictures import spectrogram
from voice import audio
from voice.features import WHISPER_RATE
from voice.manifest import Clip

SHOWN = 10  # recordings


@dataclass(frozen=True, eq=False)
class Judged:
    """Silences with the log-odds (N,) of an end, by the base's layer and by layers fitted without each."""

    silences: Sequence[Silence]
    before: np.ndarray
    after: np.ndarray

    def scores(self) -> dict[str, float]:
        """Return what the card says: the areas under the curve, before and after."""
        before, after = (layer.area_under_curve(self.silences, odds) for odds in (self.before, self.after))
        return {"own AUC before": round(before, 4), "own AUC": round(after, 4)}


def make_report(
    name: str, base: str, judged: Judged, clips: Sequence[Clip], summary: str, training: Training
) -> report.Report:
    """Return the report of a training that made the model `name` of the recognizer `base`."""
    return report.Report(
        f"{name}, ends of turns",
        summary,
        (
            report.Section("Scores", (_table(name, base, judged),)),
            report.Section("The recordings that are judged worst", _worst(judged, clips)),
            report.Section("How it was made", (report.facts(training.table()),)),
        ),
    )


def _table(name: str, base: str, judged: Judged) -> report.Table:
    found = judged.silences
    systems = ((f"{base}, before", judged.before), (f"{name}, fitted to other recordings", judged.after))
    rows = [
        (
            title,
            f"{layer.area_under_curve(found, odds):.3f}",
            f"{layer.interruption_rate(found, odds):.1%}",
            f"{layer.mean_wait(found, odds):.2f} s",
        )
        for title, odds in systems
    ]
    ends = sum(one.is_end for one in found)
    note = (
        f"{ends} ends and {len(found) - ends} pauses. Each recording is judged by a layer that was fitted "
        "without it (5-fold cross-validation)."
    )
    return report.Table(("", "AUC", "pauses taken for ends", "wait at ends"), rows, note)


def _worst(judged: Judged, clips: Sequence[Clip]) -> list[report.Utterance]:
    """Return the recordings with the highest loss at a silence."""
    by_name, highest = {clip.id: clip for clip in clips}, dict[str, float]()
    for one, cost in zip(judged.silences, layer.loss(judged.silences, judged.after), strict=True):
        highest[one.clip] = max(highest.get(one.clip, 0.0), float(cost))
    names = sorted(highest, key=lambda each: -highest[each])[:SHOWN]
    return [_utterance(by_name[name], judged) for name in names]


def _utterance(clip: Clip, judged: Judged) -> report.Utterance:
    """Return a recording with P(complete) at each of its silences."""
    heard = audio.read(clip.audio, WHISPER_RATE)
    probabilities = 1 / (1 + np.exp(-judged.after))
    here = [(one, p) for one, p in zip(judged.silences, probabilities, strict=True) if one.clip == clip.id]
    spans = [
        (one.at, min(one.at + one.seconds, heard.duration), f"{'end' if one.is_end else 'pause'} {p:.2f}")
        for one, p in here
    ]
    texts = (report.Hypothesis("text", clip.text),) if clip.text else ()
    picture = report.Picture(spectrogram(heard, spans), "P(the turn is complete) at each silence")
    return report.Utterance(clip.id, texts, (report.sound(heard),), (picture,))

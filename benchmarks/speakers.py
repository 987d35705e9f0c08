"""Diarization error rate and number of speakers, on conversations put together from clips.

    python -m benchmarks.speakers [--split test] [--talks 8] [--corpora ../shared/corpora]

Two to five people, each with up to five turns of 1 to 8 s, noise 15 to 30 dB below them, gaps and a little
overlap. A moment within 0.25 s of a true boundary does not count, one in which two speak counts twice. The
voices of `--split tune` are those that the thresholds were chosen on; no person is in both. The monologues,
in the test split, are one person each, whose pauses count as missed. Speed is in times of real time, by
processor time on one thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.conversations import RATE, Errors, Talk, errors, talks
from voice import audio
from voice.asr.diarization.speakers import Diarizer, SpeakerTurn
from voice.loading import load_speakers
from voice.manifest import read_manifest

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"
MANIFESTS = {
    "tune": {"librispeech/untranscribed.jsonl": 1, "speechocean762/train.jsonl": 2},  # and their seeds
    "test": {"librispeech/test.jsonl": 11, "speechocean762/test.jsonl": 12},
}
MONOLOGUES = "longform/test.jsonl"
HEAD = ("DER", "missed", "added", "other", "given N", "N right", "×")
PEOPLE = (2, 3, 4, 5)
TURNS = 5


@dataclass(frozen=True)
class Result:
    """One conversation: errors when the number of people had to be found and when it was given."""

    found: Errors
    given: Errors
    people: int
    claimed: int
    seconds: float
    work: float


def main(
    split: Annotated[str, typer.Option(help="tune or test")] = "test",
    talks_each: Annotated[int, typer.Option("--talks", help="conversations of each corpus")] = 8,
    corpora: Annotated[Path, typer.Option(help="where the corpora lie")] = CORPORA,
) -> None:
    diarizer = load_speakers(threads=1)
    typer.echo(
        f"{'':32} {'DER':>6} {'missed':>7} {'added':>6} {'other':>6} {'given N':>8} {'N right':>8} {'×':>5}"
    )
    every: list[Result] = []
    for manifest, seed in MANIFESTS[split].items():
        results = list(measure(talks(corpora / manifest, talks_each, PEOPLE, TURNS, seed), diarizer))
        every += results
        typer.echo(row(manifest, results))
    typer.echo(row("all conversations", every))
    if split == "test":
        typer.echo(row(MONOLOGUES, list(measure(monologues(corpora / MONOLOGUES), diarizer))))


def monologues(manifest: Path) -> Iterator[Talk]:
    """Yield long recordings of one person, taken to speak all the time."""
    for clip in read_manifest(manifest):
        sound = audio.read(clip.audio, RATE)
        yield Talk(sound.samples, 1, (SpeakerTurn(0, 0.0, sound.duration),))


def measure(every: Iterable[Talk], diarizer: Diarizer) -> Iterator[Result]:
    """Yield the errors and the time of each conversation."""
    for talk in every:
        before = time.process_time()
        stream = diarizer.stream()
        stream.feed(talk.samples)
        found = stream.turns()
        work = time.process_time() - before
        given = stream.turns(talk.people)
        yield Result(
            errors(talk.turns, found),
            errors(talk.turns, given),
            talk.people,
            len({turn.speaker for turn in found}),
            len(talk.samples) / RATE,
            work,
        )


def row(name: str, results: Sequence[Result]) -> str:
    """Return the rates over all speech of the conversations together."""
    found, given = _sum([one.found for one in results]), _sum([one.given for one in results])
    parts = (100 * part / found.speech for part in (found.missed, found.invented, found.confused))
    right = sum(one.people == one.claimed for one in results)
    speed = sum(one.seconds for one in results) / sum(one.work for one in results)
    shares = "{:6.1f} {:6.1f} {:6.1f}".format(*parts)
    count = f"{right}/{len(results)}"
    return f"{name:32} {100 * found.rate:5.1f}% {shares} {100 * given.rate:7.1f}% {count:>8} {speed:5.0f}"


def _sum(every: Sequence[Errors]) -> Errors:
    """Add errors up."""
    return Errors(*(sum(getattr(one, part) for one in every) for part in Errors.__dataclass_fields__))


if __name__ == "__main__":
    typer.run(main)

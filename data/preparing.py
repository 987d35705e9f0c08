"""What all corpora share on the way from published files to manifests.

A corpus module yields a `Row` for each recording and a `Fault` for each line that it cannot
use. `finish` opens every recording, measures it and writes the manifests; nothing is dropped
without being reported.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.batching import prefetch
from voice.errors import AudioError, ManifestError, VoiceError
from voice.manifest import Clip, write_manifest

HELD_OUT = 0.05  # share of the sentences for dev, and as much for test, where a corpus has no splits
HELD_OUT_MOST = 100
SHOWN = 20  # faults reported one by one

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """A recording as its corpus describes it; `split` is None where the corpus has no splits."""

    id: str
    audio: Path
    text: str | None
    speaker: str | None = None
    language: str | None = "en"
    split: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """A line or a recording that cannot be used, and why."""

    where: str
    reason: str


def lines(path: Path) -> list[str]:
    """Return the lines of a text file of the corpus that hold something. Raises ManifestError."""
    try:
        return [line for line in path.read_text("utf-8-sig").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read ({error}): is this the folder of the corpus?") from error


def finish(rows: Iterable[Row | Fault], out: Path, workers: int = 2) -> list[Clip]:
    """Measures every recording, reports what cannot be used, writes the rest and returns it.

    `out` is a .jsonl file for everything in one, or a folder that gets one manifest a split.
    Raises ManifestError where nothing can be used.
    """
    faults: list[Fault] = []
    measured: list[tuple[Row, Clip]] = []
    for result in prefetch(_once_each(rows), _check_row, workers, ahead=8 * workers):
        if isinstance(result, Fault):
            faults.append(result)
        else:
            measured.append(result)
    _report(faults)
    if not measured:
        raise ManifestError("no recording can be used: give the folder that the corpus unpacks to")
    if out.suffix == ".jsonl":
        write_manifest(out, [clip for _, clip in measured])
    else:
        for split, clips in _splits(measured).items():
            write_manifest(out / f"{split}.jsonl", clips)
    return [clip for _, clip in measured]


def _once_each(rows: Iterable[Row | Fault]) -> Iterator[Row | Fault]:
    """Replace each row whose id has occurred before by a fault."""
    seen: set[str] = set()
    for row in rows:
        if isinstance(row, Row) and row.id in seen:
            yield Fault(row.id, "the id occurs more than once; the first one is kept")
        else:
            yield row
        if isinstance(row, Row):
            seen.add(row.id)


def _check_row(row: Row | Fault) -> tuple[Row, Clip] | Fault:
    """Measure a row's recording; return a fault if the row cannot be used."""
    if isinstance(row, Fault):
        return row
    if row.text is not None and not row.text.strip():
        return Fault(row.id, "the transcript is empty")
    try:
        seconds, rate = measure(row.audio)
    except AudioError as error:
        return Fault(row.id, str(error))
    text = row.text.strip() if row.text is not None else None
    clip = Clip(row.audio.absolute(), text, seconds, row.speaker, row.id, rate, row.language, row.extra)
    return row, clip


def measure(path: Path) -> tuple[float, int]:
    """(seconds, Hz) of a recording, from the file itself. Raises AudioError."""
    import soundfile

    if not path.is_file():
        raise AudioError(f"{path} is missing")
    try:
        info = soundfile.info(path)
        seconds, rate = info.frames / info.samplerate, info.samplerate
    except soundfile.LibsndfileError:
        seconds, rate = _measure_by_decoding(path)
    if seconds <= 0:
        raise AudioError(f"{path} holds no sound")
    return round(seconds, 4), rate


def _measure_by_decoding(path: Path) -> tuple[float, int]:
    """Return a file's seconds and sample rate by decoding it whole."""
    from voice import audio

    sound = audio.read(path)  # what libsndfile does not know: m4a, webm, video
    return sound.duration, sound.rate


def _report(faults: Sequence[Fault]) -> None:
    """Log the first faults and the number of the others."""
    for fault in faults[:SHOWN]:
        log.warning("skipped %s: %s", fault.where, fault.reason)
    if len(faults) > SHOWN:
        log.warning("skipped %d more", len(faults) - SHOWN)


def _splits(measured: Sequence[tuple[Row, Clip]]) -> dict[str, list[Clip]]:
    """Return the clips of each split; rows that name none are divided by `_held_out`."""
    held_out = _held_out([row for row, _ in measured if row.split is None])
    splits: dict[str, list[Clip]] = {}
    for row, clip in measured:
        split = row.split or held_out.get(_sentence(row), "train")
        splits.setdefault(split, []).append(clip)
    return splits


def _held_out(rows: Iterable[Row]) -> dict[str, str]:
    """Sentence → "dev" or "test". By sentence, so that none is in two splits, whoever says it."""
    order = sorted({_sentence(row) for row in rows}, key=lambda s: hashlib.sha256(s.encode()).digest())
    count = min(HELD_OUT_MOST, round(HELD_OUT * len(order)) or int(len(order) > 2))
    return {sentence: "dev" if place < count else "test" for place, sentence in enumerate(order[: 2 * count])}


def _sentence(row: Row) -> str:
    return " ".join(row.text.lower().split()) if row.text else row.id


def command(prepare: Callable[[Path, Path], list[Clip]], description: str) -> None:
    """Run the command line of a corpus module: SOURCE OUT."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="the folder that the corpus unpacks to")
    parser.add_argument("out", type=Path, help="a folder for one manifest per split, or one .jsonl file")
    chosen = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    try:
        clips = prepare(chosen.source, chosen.out)
    except VoiceError as error:
        parser.exit(1, f"{error}\n")
    print(f"{len(clips)} clips, {sum(clip.duration for clip in clips) / 3600:.2f} hours → {chosen.out}")

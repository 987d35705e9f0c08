"""From the rows of a form to clips: measured, cut out of their recordings, written out of other files.

This is the part of preparing that processes do side by side. What has to be listened to comes back as
Unheard.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

from data.measuring import Measured, Unusable, kind_of, measure
from data.preparing.cutting import Span, cut, file_name
from data.rows import Fault, Found, Remark, Row
from voice.errors import AudioError
from voice.manifest import Clip

MANY = 2_000  # stretches of one recording that are cut in one pass
CUT_ENDING = ".flac"


@dataclass(frozen=True)
class Ready:
    """A clip for a manifest, and the split that it was published in."""

    clip: Clip
    split: str | None = None


@dataclass(frozen=True)
class Unheard:
    """A recording that a recognizer has to hear: it has no text, or is long and its text has no times."""

    row: Row
    measured: Measured


Settled = Ready | Fault | Remark | Unheard
Unit = tuple[Row, ...] | Fault | Remark


def units(found: Iterable[Found]) -> Iterator[Unit]:
    """Yield what is settled at once: the stretches of one recording that follow each other, or one row."""
    for key, group in groupby(found, _recording):
        if key is None:
            for each in group:
                yield (each,) if isinstance(each, Row) else each
        else:
            stretches = (each for each in group if isinstance(each, Row))
            while several := tuple(islice(stretches, MANY)):
                yield several


def _recording(found: Found) -> Path | None:
    """Return the recording of which a row is a stretch; None for whatever is settled alone."""
    return found.audio if isinstance(found, Row) and found.is_stretch else None


@dataclass(frozen=True)
class Settler:
    """Settles units: sound files that are made go to `sounds`, recordings of `longest` seconds stay whole.

    With `listens` there is a recognizer for what has no text or no times.
    """

    sounds: Path
    longest: float
    listens: bool

    def __call__(self, unit: Unit) -> list[Settled]:
        """Return what became of each row of a unit, in order."""
        if isinstance(unit, Fault | Remark):
            return [unit]
        try:
            if unit[0].is_stretch:
                return self._stretches(unit)
            return [self._whole(unit[0])]
        except Unusable as error:
            return [Fault(row.id, str(error), error.kind) for row in unit]
        except AudioError as error:
            return [Fault(row.id, str(error), kind_of(str(error))) for row in unit]

    def _whole(self, row: Row) -> Settled:
        """Return the clip of a row that is a recording of its own."""
        if row.text is not None and not row.text.strip():
            return Fault(
                row.id, "the transcript is empty; leave it out for one without a transcript", "empty text"
            )
        if row.content is not None:
            row = replace(row, audio=self._write_content(row), content=None)
        measured = measure(row.audio)
        if measured.seconds > self.longest and row.text is not None and not self.listens:
            reason = f"it lasts {measured.seconds:.0f} s and its text has no times; let a recognizer align it"
            return Fault(row.id, reason, "long without times")
        if self.listens and (row.text is None or measured.seconds > self.longest):
            return Unheard(row, measured)
        return Ready(clip_of(row, row.audio, measured), row.split)

    def _write_content(self, row: Row) -> Path:
        """Write the bytes of a recording to a file of its own and return its path."""
        target = self.sounds / f"{file_name(row.id)}{row.audio.suffix or '.wav'}"
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.partial")
        beside.write_bytes(row.content or b"")
        return beside.replace(target)

    def _stretches(self, rows: Sequence[Row]) -> list[Settled]:
        """Return the clips of stretches of one recording, cut out of it."""
        measured = measure(rows[0].audio)
        settled: list[Settled] = []
        good = []
        for row in rows:
            if (fault := _fault_of_times(row, measured)) is not None:
                settled.append(fault)
            else:
                good.append(row)
        return settled + list(cut_rows(good, measured, self.sounds)) if good else settled


def _fault_of_times(row: Row, measured: Measured) -> Fault | None:
    """Return what is wrong with the text or the times of a stretch."""
    start, end = row.start or 0.0, measured.seconds if row.end is None else row.end
    if row.text is not None and not row.text.strip():
        return Fault(row.id, "the transcript is empty", "empty text")
    if not (math.isfinite(end) and end > start >= 0):
        return Fault(row.id, f"it ends at {end:.2f} s, before it begins at {start:.2f} s", "times are wrong")
    if start >= measured.seconds:
        reason = f"it begins at {start:.2f} s, and the recording ends at {measured.seconds:.2f} s"
        return Fault(row.id, f"{reason}; is it the right one?", "times are wrong")
    return None


def cut_rows(rows: Sequence[Row], measured: Measured, sounds: Path) -> Iterator[Ready | Fault]:
    """Cut stretches of one recording and yield their clips. Raises AudioError where it cannot be decoded."""
    targets = [sounds / f"{file_name(row.id)}{CUT_ENDING}" for row in rows]
    spans = [Span(row.start or 0.0, row.end, target) for row, target in zip(rows, targets, strict=True)]
    lengths = cut(rows[0].audio, measured.rate, spans)
    for row, target, seconds in zip(rows, targets, lengths, strict=True):
        if seconds <= 0:
            yield Fault(row.id, "the recording ends before it", "times are wrong")
            continue
        times = {"start": row.start or 0.0, "end": round((row.start or 0.0) + seconds, 3)}
        cut_out = replace(row, extra={**row.extra, "recording": row.audio.name, **times})
        yield Ready(clip_of(cut_out, target, Measured(round(seconds, 4), measured.rate)), row.split)


def clip_of(row: Row, audio: Path, measured: Measured) -> Clip:
    """Return the clip of a row whose sound is in `audio`."""
    text = row.text.strip() if row.text is not None else None
    return Clip(
        audio.absolute(), text, measured.seconds, row.speaker, row.id, measured.rate, row.language, row.extra
    )

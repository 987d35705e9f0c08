"""Stretches of a long recording as files of their own, read in one pass and never whole in memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice import audio
from voice.audio import Writer

_BLOCK = 5.0  # seconds that are decoded at a time
_LONGEST_NAME = 120  # characters; file systems take 255 bytes


@dataclass(frozen=True)
class Span:
    """From `start` to `end` seconds of a recording, to be written to `target`.

    No `end` is that of the recording.
    """

    start: float
    end: float | None
    target: Path


def cut(recording: Path, rate: int, spans: Sequence[Span]) -> list[float]:
    """Write spans of a recording at `rate` Hz, mono, each whole or not at all; return the seconds of each.

    A span beyond the end of the recording has 0 seconds and no file. Raises AudioError where the recording
    cannot be decoded.
    """
    order = sorted(range(len(spans)), key=lambda index: spans[index].start)
    seconds = [0.0] * len(spans)
    open_writers: dict[int, Writer] = {}
    with ExitStack() as stack:
        position, waiting = 0, iter([*order, -1])
        upcoming = next(waiting)
        for block in audio.blocks(recording, rate, _BLOCK, lambda sentence: None):
            while upcoming >= 0 and round(spans[upcoming].start * rate) < position + len(block):
                spans[upcoming].target.parent.mkdir(parents=True, exist_ok=True)
                writer = Writer(spans[upcoming].target, rate)
                open_writers[upcoming] = stack.enter_context(writer)
                upcoming = next(waiting)
            for index in list(open_writers):
                part = _part(spans[index], block, position, rate)
                open_writers[index].write(part)
                seconds[index] += len(part) / rate
                if (end := spans[index].end) is not None and round(end * rate) <= position + len(block):
                    open_writers.pop(index).keep(spans[index].target)
            position += len(block)
    return seconds


def _part(span: Span, block: np.ndarray, position: int, rate: int) -> np.ndarray:
    """Return what of a block that begins at sample `position` belongs to a span."""
    first = max(0, round(span.start * rate) - position)
    last = len(block) if span.end is None else max(first, min(len(block), round(span.end * rate) - position))
    return block[first:last]


def file_name(name: str) -> str:
    """Return a file's name, without an ending, for the id of a row; different ids have different ones."""
    plain = re.sub(r"[^\w.@+-]+", "_", name, flags=re.ASCII).strip("._")[:_LONGEST_NAME] or "clip"
    return (
        plain if plain == name else f"{plain}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:8]}"
    )

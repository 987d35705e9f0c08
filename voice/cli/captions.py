"""`voice transcribe --live`: words as they are said, from recordings or raw sound on standard input."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from voice.types import Segment, Transcript

if TYPE_CHECKING:
    from voice.asr.live import Partial

    Show = Callable[[Partial | Segment], None]

PIECE = 0.05  # seconds of a recording that are fed at once
_LARGEST_READ = 1 << 16  # bytes, two seconds


def transcribe(
    source: str,
    recognizer,
    detector,
    *,
    language: str | None,
    hotwords: Sequence[str],
    real_time: bool,
    quiet: bool,
) -> Transcript:
    """Show what is said in `source` as it is recognized, unless `quiet`, and return all of it.

    "-" is raw sound, 16 bits little-endian, mono, 16 kHz. A file is taken as fast as it can be
    recognized or, in `real_time`, as if it were being said.
    """
    from voice import audio
    from voice.asr.live import RATE, Live, stream

    waiting = source == "-" or real_time
    live = Live(
        recognizer,
        detector,
        language=language,
        hotwords=hotwords,
        stopwatch=time.perf_counter if waiting else None,
    )
    blocks = raw(sys.stdin.buffer) if source == "-" else audio.blocks(source, RATE, PIECE)
    segments: list[Segment] = []
    with _nothing() if quiet else _screen() if sys.stdout.isatty() else _lines() as show:
        for each in stream(in_time(blocks, RATE) if real_time and source != "-" else blocks, live):
            show(each)
            if isinstance(each, Segment):
                segments.append(each)
    rest = live.finish()  # without words, for all are settled
    return Transcript(tuple(segments), rest.language, rest.duration)


def raw(file: BinaryIO) -> Iterator[np.ndarray]:
    """Little-endian 16-bit samples as they arrive → float32 blocks; an interrupt is the end of them."""
    odd = b""
    try:
        while data := file.read1(_LARGEST_READ):
            data = odd + data
            odd = data[len(data) // 2 * 2 :]
            yield np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32_768
    except KeyboardInterrupt:
        return


def in_time(
    blocks: Iterable[np.ndarray],
    rate: int,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[np.ndarray]:
    """Each block when its last sample has been said, or at once if that is past."""
    due = clock()
    for block in blocks:
        due += len(block) / rate
        wait = due - clock()
        if wait > 0:
            sleep(wait)
        yield block


@contextmanager
def _nothing() -> Iterator[Show]:
    yield lambda each: None


@contextmanager
def _lines() -> Iterator[Show]:
    """A line for each settled segment, for files and pipes."""

    def show(each: Partial | Segment) -> None:
        if isinstance(each, Segment):
            sys.stdout.write(each.text + "\n")
            sys.stdout.flush()

    yield show


@contextmanager
def _screen() -> Iterator[Show]:
    """Settled segments as lines; below them what is being said, dim where it may still change."""
    from rich.console import Console
    from rich.live import Live as Region
    from rich.text import Text

    console = Console(highlight=False)
    with Region(console=console, transient=True, auto_refresh=False, vertical_overflow="visible") as region:

        def show(each: Partial | Segment) -> None:
            if isinstance(each, Segment):
                region.update(Text(""), refresh=True)
                console.print(Text(each.text))
                return
            stable = each.stable + " " * bool(each.stable and each.tail)
            region.update(Text.assemble(stable, (each.tail, "dim")), refresh=True)

        yield show

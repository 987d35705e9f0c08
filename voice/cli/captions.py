"""`voice transcribe --live`: words as they are said, from recordings or raw sound on standard input."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from voice.cli import interrupts
from voice.cli.console import prints_to_terminal, put, standard_input
from voice.types import Segment, Transcript

if TYPE_CHECKING:
    from voice.asr.incremental import PartialTranscript
    from voice.types import Recognizer, SpeechDetector

    Show = Callable[[PartialTranscript | Segment], None]

PIECE = 0.05  # seconds of a recording that are fed at once
_LARGEST_READ = 1 << 16  # bytes, two seconds
_LAST_WORDS = 1.0  # seconds after Ctrl-C for recognizing what was said last


def transcribe(
    source: str,
    recognizer: Recognizer,
    detector: SpeechDetector,
    *,
    language: str | None,
    hotwords: Sequence[str],
    real_time: bool,
    quiet: bool,
    heard: Callable[[Transcript], None] = lambda part: None,
) -> Transcript:
    """Show what is said in `source` as it is recognized, unless `quiet`, and return all of it.

    "-" is standard input as it arrives: raw sound, 16 bits little-endian, mono, 16 kHz, or a WAV file or
    another that begins with a header; there Ctrl-C ends the sound. A file is taken as fast as it can be
    recognized or, in `real_time`, as if it were being said. `heard` is told each settled segment.
    """
    from voice import audio
    from voice.asr.streaming import RATE, Live, stream

    waiting = source == "-" or real_time
    live = Live(
        recognizer,
        detector,
        language=language,
        hotwords=hotwords,
        stopwatch=time.perf_counter if waiting else None,
    )
    segments: list[Segment] = []
    with (
        # Standard input has read1, which BinaryIO does not declare.
        InputPipe(cast(Arriving, standard_input())) if source == "-" else nullcontext() as pipe,
        _nothing() if quiet else _screen() if prints_to_terminal() else _lines() as show,
    ):
        blocks = arriving(pipe) if pipe else audio.blocks(source, RATE, PIECE)
        for each in stream(in_time(blocks, RATE) if real_time and source != "-" else blocks, live):
            show(each)
            if isinstance(each, Segment):
                segments.append(each)
                heard(Transcript((each,), language or "en", each.end))
    rest = live.finish()  # without words, for all are settled
    return Transcript(tuple(segments), rest.language, rest.duration)


def arriving(pipe: InputPipe) -> Iterator[np.ndarray]:
    """Yield what arrives in a pipe, as it arrives, as float32 blocks at 16 kHz.

    It is raw sound unless it begins as a WAV file or another one that can be decoded from its beginning on.
    Raises AudioError for a container that cannot.
    """
    from voice import audio
    from voice.asr.streaming import RATE
    from voice.media.pipe import open_pipe

    media = open_pipe(pipe, pipe.name)
    return audio.arriving(media, RATE) if media else raw(pipe)


class Arriving(Protocol):
    """A file that gives what has arrived, without waiting for as much as is asked for."""

    def read1(self, size: int, /) -> bytes: ...


class InputPipe:
    """A file that is read as it comes, a context manager in which Ctrl-C is the end of it.

    It breaks into waiting for sound and never into recognizing what came: within a second the last words
    are to be there. A second Ctrl-C ends the program, as everywhere.
    """

    name = "standard input"

    def __init__(self, file: Arriving) -> None:
        self._file = file
        self._ahead = b""
        self._over = self._waits = False
        self._taking = interrupts.taking(self._end)
        self._timer = threading.Timer(_LAST_WORDS, interrupts.end_soon)
        self._timer.daemon = True

    def __enter__(self) -> InputPipe:
        self._taking.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._taking.__exit__(None, None, None)

    def peek(self, size: int) -> bytes:
        """Return the first `size` bytes, or all if there are fewer; they are read again."""
        while len(self._ahead) < size and (data := self._read(size - len(self._ahead))):
            self._ahead += data
        return self._ahead

    def read1(self, size: int) -> bytes:
        """Read what has arrived, at most `size` bytes; nothing at the end."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self._read(size)

    read = read1  # FFmpeg takes less than it asked for

    def _read(self, size: int) -> bytes:
        """Read what has arrived; nothing once Ctrl-C has ended the sound."""
        if self._over:
            return b""
        self._waits = True
        try:
            return _receive(self._file, size)
        finally:
            self._waits = False

    def _end(self, *_: object) -> None:
        """Handle Ctrl-C: the first ends the sound, the second the program."""
        if self._over:
            interrupts.end_soon()
            raise interrupts.ProgramInterrupted
        self._over = True
        self._timer.start()
        if self._waits:
            raise KeyboardInterrupt


def _receive(file: Arriving, size: int) -> bytes:
    """Read what has arrived, at most `size` bytes; Ctrl-C, which nothing else handles, ends it."""
    try:
        return file.read1(size)
    except interrupts.ProgramInterrupted:
        raise
    except KeyboardInterrupt:
        return b""


def raw(file: Arriving) -> Iterator[np.ndarray]:
    """Yield float32 blocks from little-endian 16-bit samples as they arrive; Ctrl-C ends them."""
    odd = b""
    while data := _receive(file, _LARGEST_READ):
        data = odd + data
        odd = data[len(data) // 2 * 2 :]
        yield np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32_768


def in_time(
    blocks: Iterable[np.ndarray],
    rate: int,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[np.ndarray]:
    """Yield each block when its last sample has been said, or at once if that time is past."""
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
    """Return a function that prints a line for each settled segment, for files and pipes."""

    def show(each: PartialTranscript | Segment) -> None:
        if isinstance(each, Segment):
            put(each.text + "\n")

    yield show


@contextmanager
def _screen() -> Iterator[Show]:
    """Show settled segments as lines, and below them the current words, dim where they may still change."""
    from rich.console import Console
    from rich.live import Live as Region
    from rich.text import Text

    console = Console(highlight=False)
    with (
        Region(console=console, transient=True, auto_refresh=False, vertical_overflow="visible") as region,
        interrupts.keeping(region.stop),  # which gives the terminal its cursor back
    ):

        def show(each: PartialTranscript | Segment) -> None:
            if isinstance(each, Segment):
                region.update(Text(""), refresh=True)
                console.print(Text(each.text))
                return
            stable = each.stable + " " * bool(each.stable and each.tail)
            region.update(Text.assemble(stable, (each.tail, "dim")), refresh=True)

        yield show

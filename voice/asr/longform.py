"""Recordings of any length: speech found, cut at pauses, packed, recognized in batches, joined.

Written once for every recognizer. Blocks of sound come in and segments go out; nothing of the
whole recording is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from voice.asr.batching import as_batch_recognizer
from voice.types import Audio, Recognizer, Samples, Segment, SpeechDetector, Transcript, Word
from voice.vad import SpeechChunk, find_speech

PAD = 1.0  # seconds around speech: what the detector misses is in there, and short pauses stay as they are


@dataclass(frozen=True)
class Piece:
    """From `at` seconds into a window on, it holds the recording from `start` seconds on."""

    at: float
    start: float


@dataclass(frozen=True, eq=False)
class Window:
    """Stretches of speech side by side, the silence between them left out."""

    audio: Audio
    pieces: tuple[Piece, ...]

    def time(self, seconds: float, *, ending: bool = False) -> float:
        """Return the time in the recording of a time in the window.

        A joint belongs to the piece after it, unless the time is that of something `ending`.
        """
        begun = [p for p in self.pieces if p.at < seconds or (p.at == seconds and not ending)]
        piece = begun[-1] if begun else self.pieces[0]
        return piece.start + seconds - piece.at


def transcripts(
    blocks: Iterable[Samples],
    recognizer: Recognizer,
    detector: SpeechDetector,
    *,
    language: str | None,
    hotwords: Sequence[str],
    task: str,
    batch: int | None,
    progress: Callable[[float], None],
) -> Generator[Transcript, None, None]:
    """Yield a transcript of each window of a stream of (T,) blocks at the detector's rate, while it is read.

    The times are those of the recording. `language` None takes the language of the first speech for all of
    it. `batch` windows go to the recognizer in one call, None as many as suit it. `progress` is called with
    the seconds of sound that have been read. Without speech there are no transcripts.
    """
    many = as_batch_recognizer(recognizer)
    traits = many.traits
    packed, uncut = min(traits.longest, traits.packed), min(traits.longest, traits.uncut)
    counted = _count_seconds(blocks, detector.rate, progress)
    windows = pack(find_speech(counted, detector, pad=PAD, longest=uncut), packed)

    def recognize(several: Sequence[Window], language: str | None) -> list[Transcript]:
        sounds = [window.audio for window in several]
        return many.transcribe_batch(sounds, language=language, hotwords=hotwords, task=task)

    for several, found in _recognize_in_order(
        _batches(windows, batch or traits.batch), recognize, language, traits.workers
    ):
        for window, transcript in zip(several, found, strict=True):
            segments = tuple(_place_segment(segment, window) for segment in transcript.segments)
            yield replace(transcript, segments=segments)


def _batches(windows: Iterator[Window], size: int) -> Iterator[list[Window]]:
    """Yield `size` windows at a time, fewer at the end, also if the end is an error."""
    several: list[Window] = []
    try:
        for window in windows:
            several.append(window)
            if len(several) == size:
                yield several
                several = []
    except Exception:
        if several:
            yield several
        raise
    if several:
        yield several


def _recognize_in_order(
    batches: Iterator[list[Window]],
    recognize: Callable[[Sequence[Window], str | None], list[Transcript]],
    language: str | None,
    workers: int,
) -> Iterator[tuple[list[Window], list[Transcript]]]:
    """Yield batches and their transcripts in order; `workers` batches are recognized at a time.

    As long as no language is known, one batch runs at a time, so that the language of the first speech holds
    for all. If the batches end in an error, what came before it is recognized first.
    """
    waiting: deque[tuple[list[Window], Future[list[Transcript]]]] = deque()
    pool = ThreadPoolExecutor(workers)

    def next_result() -> tuple[list[Window], list[Transcript]]:
        nonlocal language
        several, future = waiting.popleft()
        found = future.result()
        detected = [transcript.language for transcript in found if transcript.segments]
        language = language or (detected[-1] if detected else None)  # not that of music or noise
        return several, found

    try:
        while isinstance(several := _next_or_error(batches), list):
            waiting.append((several, pool.submit(recognize, several, language)))
            while waiting and (language is None or len(waiting) > workers or waiting[0][1].done()):
                yield next_result()
        while waiting:
            yield next_result()
    finally:
        pool.shutdown(cancel_futures=True)
    try:
        if several:
            raise several
    finally:
        several = None  # the error's traceback holds this frame, and so the sound


def _next_or_error(batches: Iterator[list[Window]]) -> list[Window] | Exception | None:
    """Return the next batch, the error that it raises, or None if there are no more."""
    try:
        return next(batches, None)
    except Exception as error:
        return error


def pack(stretches: Iterable[SpeechChunk], longest: float) -> Iterator[Window]:
    """Yield successive stretches joined to windows of at most `longest` seconds.

    A longer stretch has its own.
    """
    held: list[SpeechChunk] = []
    for stretch in stretches:
        if held and sum(one.audio.duration for one in held) + stretch.audio.duration > longest:
            yield _join_stretches(held)
            held = []
        held.append(stretch)
    if held:
        yield _join_stretches(held)


def _join_stretches(stretches: Sequence[SpeechChunk]) -> Window:
    """Return stretches side by side as one window."""
    ends = np.cumsum([0.0, *(stretch.audio.duration for stretch in stretches)])
    pieces = tuple(Piece(float(at), stretch.start) for at, stretch in zip(ends, stretches, strict=False))
    samples = np.concatenate([stretch.audio.samples for stretch in stretches])
    return Window(Audio(samples, stretches[0].audio.rate), pieces)


def _place_segment(segment: Segment, window: Window) -> Segment:
    """Return a segment of a window with the times of the recording."""
    words = tuple(_place_word(word, window) for word in segment.words)
    start, end = window.time(segment.start), window.time(segment.end, ending=True)
    return replace(segment, start=start, end=max(start, end), words=words)


def _place_word(word: Word, window: Window) -> Word:
    """Return a word of a window with the times of the recording."""
    start, end = window.time(word.start), window.time(word.end, ending=True)
    return replace(word, start=start, end=max(start, end))


def _count_seconds(
    blocks: Iterable[np.ndarray], rate: int, progress: Callable[[float], None]
) -> Iterator[np.ndarray]:
    """Yield the blocks and call `progress` with the seconds read after each."""
    samples = 0
    for block in blocks:
        yield block
        samples += len(block)
        progress(samples / rate)

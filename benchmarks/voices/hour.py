"""An hour of reading by a voice: what is skipped, how loudness drifts, how memory grows.

    python -m benchmarks.voices.hour [--voice heart] [--minutes 60] [--text FILE] [--every 12]

A voice speaks one text of so many minutes, invented sentences in paragraphs unless a file is given (which is
read again from its beginning until the time is over). whisper-base transcribes every twelfth sentence, cut
out by its own times; one is skipped if more than half of its words are wrong. Loudness is that of each sixth
of the time, memory that of this process after a tenth of the time and at the end of it.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from recipes.tts import texts
from voice import audio
from voice.loading import load_recognizer, load_voice
from voice.media.loudness import measure
from voice.metrics import Score, interval, reading_errors, total
from voice.text.sentences import split_sentences
from voice.tts.voice import Voice
from voice.types import Audio, Recognizer, Speech

VOICES = ("heart", "kathleen")
PARAGRAPH = 6  # sentences
PARTS = 6  # of the time, whose loudness is compared
SETTLED = 0.1  # of the time, after which memory should not grow any more
AROUND = 0.15  # seconds kept on either side of a sentence
SKIPPED = 0.5  # of a sentence's words that are wrong
SEED = 11
MEGABYTE = 2**20


@dataclass(frozen=True)
class Spoken:
    """A sentence and the seconds from which to which it is heard."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Reading:
    """What was spoken: `sentences` in `sound`, a file of floats at `rate` Hz; memory is in MB."""

    sentences: Sequence[Spoken]
    written: int  # words of the text
    spoken: int  # words with times
    sound: Path
    rate: int
    language: str
    took: float  # seconds
    settled: float
    most: float


def main(
    voice: Annotated[list[str], typer.Option(help="repeatable")] = list(VOICES),
    minutes: Annotated[float, typer.Option(help="of speech")] = 60.0,
    text: Annotated[Path | None, typer.Option(help="what to read")] = None,
    every: Annotated[int, typer.Option(help="sentences, of which one is recognized")] = 12,
) -> None:
    """Print a line for each voice."""
    recognizer = load_recognizer("whisper-base", threads=1)
    print("| voice | minutes | × real time | words spoken of written | WER of samples | skipped |", end="")
    print(" LUFS by sixths | memory, MB |\n|---|---|---|---|---|---|---|---|")
    for name in voice:
        with tempfile.TemporaryDirectory() as folder:
            sound = Path(folder) / "sound"
            with multiprocessing.get_context("spawn").Pool(1) as alone:  # for a memory of its own
                found = alone.apply(read_aloud, (name, 60 * minutes, text, sound))
            print(f"| {name} | {summarize(found, recognizer, every)} |", flush=True)


def read_aloud(name: str, seconds: float, text: Path | None, sound: Path) -> Reading:
    """Speak with a voice until `seconds` are over; write the samples to `sound`."""
    voice = load_voice(name, threads=1)
    assert isinstance(voice, Voice)
    written = _Counted(paragraphs(text))
    sentences: list[Spoken] = []
    clock, spoken, settled, begun = 0.0, 0, 0.0, time.perf_counter()
    with sound.open("wb") as file:
        for piece in voice.follow(written):
            file.write(piece.audio.samples.tobytes())
            sentences += _sentence_times(piece, clock)
            clock, spoken = clock + piece.audio.duration, spoken + len(piece.words)
            if not settled and clock >= SETTLED * seconds:
                settled = memory()
            written.over = clock >= seconds
    took = time.perf_counter() - begun
    return Reading(
        sentences, written.words, spoken, sound, voice.rate, voice.language.code, took, settled, memory()
    )


class _Counted:
    """Paragraphs of a text, until it is `over`, and how many words they had."""

    def __init__(self, paragraphs: Iterable[str]) -> None:
        self._paragraphs, self.words, self.over = paragraphs, 0, False

    def __iter__(self) -> Iterator[str]:
        for paragraph in self._paragraphs:
            if self.over:
                return
            self.words += len(paragraph.split())
            yield paragraph


def paragraphs(path: Path | None) -> Iterator[str]:
    """Yield paragraphs without end, of a file or of invented sentences."""
    if path is None:
        sentences = texts.invent_sentences(SEED)
    else:
        read = [sentence.text for sentence in split_sentences(path.read_text("utf-8"))]
        sentences = itertools.cycle(read)
    while True:
        yield " ".join(itertools.islice(sentences, PARAGRAPH)) + "\n\n"


def _sentence_times(piece: Speech, clock: float) -> list[Spoken]:
    if not piece.words:
        return []
    return [Spoken(piece.text, clock + piece.words[0].start, clock + piece.words[-1].end)]


def memory() -> float:
    """Return the megabytes that this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def summarize(found: Reading, recognizer: Recognizer, every: int) -> str:
    """Return the columns of a line."""
    samples = np.memmap(found.sound, np.float32, "r")
    seconds = len(samples) / found.rate
    scores = [
        recognize(found, samples, sentence, recognizer) for sentence in found.sentences[every // 2 :: every]
    ]
    low, high = interval(scores)
    levels = [measure(part, found.rate).integrated for part in np.array_split(samples, PARTS)]
    skipped = sum(score.rate > SKIPPED for score in scores)
    return " | ".join(
        (
            f"{seconds / 60:.0f}", f"{seconds / found.took:.1f}", f"{found.spoken} of {found.written}",
            f"{100 * total(scores).rate:.1f} % ({100 * low:.1f}–{100 * high:.1f})",
            f"{skipped} of {len(scores)}", f"{min(levels):.1f} to {max(levels):.1f}",
            f"{found.settled:.0f} → {found.most:.0f}",
        )
    )  # fmt: skip


def recognize(found: Reading, samples: np.ndarray, sentence: Spoken, recognizer: Recognizer) -> Score:
    """Return the word errors of a sentence."""
    sound = Audio(samples, found.rate).cut(sentence.start - AROUND, sentence.end + AROUND)
    heard = recognizer.transcribe(audio.resample(sound, recognizer.rate), language=found.language)
    return reading_errors(sentence.text, heard.text, found.language)


if __name__ == "__main__":
    typer.run(main)

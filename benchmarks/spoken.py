"""Whether the word times of a voice are those of its sound: beside an independent forced aligner, over an
hour.

    python -m benchmarks.spoken [--voice kathleen --voice heart] [--minutes 60] [--every 6]

Each voice speaks invented sentences, one after the other, until they last so long. Of every sixth one, cut
out of the whole by its own times, pocketsphinx aligns the words: starts are compared, and the middle of the
differences in the first and in the last fifth shows drift.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
import typer

from recipes.asr.aligner import RATE, Aligner, spoken_words
from recipes.tts import texts
from voice import audio, load
from voice.tts.voice import join
from voice.types import Audio, Speech, Synthesizer, Word

VOICES = ("kathleen", "lj", "kumo", "heart")
AROUND = 0.05  # seconds kept on either side of a sentence
SEED = 5


def main(
    voice: Annotated[list[str], typer.Option(help="repeatable")] = list(VOICES),  # noqa: B006
    minutes: Annotated[float, typer.Option(help="of speech")] = 10.0,
    every: Annotated[int, typer.Option(help="sentences, of which one is aligned")] = 6,
) -> None:
    """Print a row for each voice: how far off its word starts are, and whether they drift."""
    aligner = Aligner()
    print("| voice | minutes | words | median | 95th | bias | bias, first fifth | bias, last fifth |")
    print("|---|---|---|---|---|---|---|---|")
    for name in voice:
        lasted, off = measured(load(name, threads=1), aligner, 60 * minutes, every)
        fifth = max(1, len(off) // 5)
        parts = [1000 * float(np.median(part)) for part in (off, off[:fifth], off[-fifth:])]
        median, most = 1000 * np.percentile(np.abs(off - np.median(off)), [50, 95])
        biases = " | ".join(f"{part:+.0f} ms" for part in parts)
        print(
            f"| {name} | {lasted / 60:.0f} | {len(off)} | {median:.0f} ms | {most:.0f} ms | {biases} |",
            flush=True,
        )


def measured(voice: Synthesizer, aligner: Aligner, seconds: float, every: int) -> tuple[float, np.ndarray]:
    """How long it spoke, and (W,) seconds by which its word starts come later than the aligner's."""
    sentences = list(spoken(voice, seconds))
    whole, off, done = join(sentences), [], 0
    for number, sentence in enumerate(sentences):
        words, done = whole.words[done : done + len(sentence.words)], done + len(sentence.words)
        if number % every == 0 and words:
            off += differences(aligner, whole.audio, words)
    return whole.audio.duration, np.array(off)


def spoken(voice: Synthesizer, seconds: float) -> Iterator[Speech]:
    """Invented sentences until they last so long."""
    lasted = 0.0
    for text in texts.invented(SEED):
        for sentence in voice.speak(text):
            yield sentence
            lasted += sentence.audio.duration
            if lasted >= seconds:
                return


def differences(aligner: Aligner, sound: Audio, words: Sequence[Word]) -> list[float]:
    """Seconds from where the aligner finds each of a sentence's `words` to where they are said to start."""
    begin, end = max(0.0, words[0].start - AROUND), min(sound.duration, words[-1].end + AROUND)
    part = audio.resample(sound.cut(begin, end), RATE)
    text = " ".join(word.text for word in words)
    placed = aligner(part.samples, text)
    if not placed:
        return []
    heard = [words[owner] for owner, _ in spoken_words(text)]
    return [word.start - begin - each.start for word, each in zip(heard, placed, strict=True)]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    typer.run(main)

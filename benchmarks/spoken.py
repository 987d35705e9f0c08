"""Whether the word times of a voice are those of its sound: beside an independent forced aligner.

    python -m benchmarks.spoken [--voice kathleen --voice heart] [--minutes 60] [--every 6]

Each voice speaks invented sentences, one after the other, until they last so long. Of every sixth one, cut
out of the whole by its own times, pocketsphinx aligns the words. Given are how far apart the starts are, how
much of that is one constant (the aligner has its own idea of where a word begins), and whether it drifts.
"""

from __future__ import annotations

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
    voice: Annotated[list[str], typer.Option(help="repeatable")] = list(VOICES),
    minutes: Annotated[float, typer.Option(help="of speech")] = 10.0,
    every: Annotated[int, typer.Option(help="sentences, of which one is aligned")] = 6,
) -> None:
    """Print a row for each voice: how far off its word starts are, and whether they drift."""
    aligner = Aligner()
    print(
        "| voice | minutes | words | median, ms | 95th | bias | median beside it | first fifth | last fifth |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in voice:
        lasted, off = measured(load(name, threads=1), aligner, 60 * minutes, every)
        print(f"| {name} | {lasted / 60:.0f} | {len(off)} | {columns(1000 * off)} |", flush=True)


def columns(off: np.ndarray) -> str:
    """(W,) milliseconds → median and 95th of their sizes, bias, what it leaves, bias at first and at last."""
    if not len(off):
        return "no words found"
    fifth = max(1, len(off) // 5)
    bias, first, last = (float(np.median(part)) for part in (off, off[:fifth], off[-fifth:]))
    median, most = np.percentile(np.abs(off), [50, 95])
    beside = np.median(np.abs(off - bias))
    return f"{median:.0f} | {most:.0f} | {bias:+.0f} | {beside:.0f} | {first:+.0f} | {last:+.0f}"


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
    """Seconds from where the aligner finds each of a sentence's `words` to where they are said to start.

    None where it does not find them, or where a word holds a space (a sum, an hour), which it counts as two.
    """
    if any(len(word.text.split()) != 1 for word in words):
        return []
    begin, end = max(0.0, words[0].start - AROUND), min(sound.duration, words[-1].end + AROUND)
    part = audio.resample(sound.cut(begin, end), RATE)
    text = " ".join(word.text for word in words)
    placed = aligner(part.samples, text)
    if not placed:
        return []
    heard = [words[owner] for owner, _ in spoken_words(text)]
    return [word.start - begin - each.start for word, each in zip(heard, placed, strict=True)]


if __name__ == "__main__":
    typer.run(main)

"""Whether the word times of a voice are those of its sound: beside two aligners of different kinds.

    python -m benchmarks.spoken [--voice kathleen --voice heart] [--minutes 60] [--every 6]

Each voice speaks invented sentences, one after the other, until they last so long. Of every sixth one, cut
out of the whole by its own times, pocketsphinx aligns the words, and quick places those that it hears by its
CTC head. Given are how far apart the starts are, how much of that is one constant, and whether it drifts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

import numpy as np
import typer

from benchmarks.alignment import matching_words
from recipes.asr.aligner import RATE, Aligner, Placed, spoken_words
from recipes.tts import texts
from voice import audio
from voice.loading import load_recognizer, load_voice
from voice.tts.voice import join
from voice.types import Audio, Recognizer, Speech, Synthesizer, Word

VOICES = ("kathleen", "lj", "kumo", "heart")
AROUND = 0.05  # seconds kept on either side of a sentence
QUIET = 0.2  # seconds put around it for the recognizer
SEED = 5

# (T,) samples of a sentence at RATE and its words → of each word that is found in the sound, the seconds by
# which it is said to start later than there.
Judge = Callable[[np.ndarray, Sequence[Word]], list[float]]


def main(
    voice: Annotated[list[str], typer.Option(help="repeatable")] = list(VOICES),
    minutes: Annotated[float, typer.Option(help="of speech")] = 10.0,
    every: Annotated[int, typer.Option(help="sentences, of which one is aligned")] = 6,
) -> None:
    """Print how far off each voice's word starts are by either aligner, and whether they drift."""
    judges = {
        "pocketsphinx": by_text(Aligner()),
        "quick's CTC": by_ear(load_recognizer("quick", threads=1)),
    }
    print("| voice | aligner | minutes | words | median, ms | 95th | bias | beside it | first fifth | last |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in voice:
        lasted, off = measure_voice(load_voice(name, threads=1), judges, 60 * minutes, every)
        for judge, late in off.items():
            row = f"{lasted / 60:.0f} | {len(late)} | {columns(1000 * np.array(late))}"
            print(f"| {name} | {judge} | {row} |", flush=True)


def columns(off: np.ndarray) -> str:
    """Summarize (W,) milliseconds: median and 95th of their sizes, bias, what it leaves, bias at first and at
    last.
    """
    if not len(off):
        return "no words found"
    fifth = max(1, len(off) // 5)
    bias, first, last = (float(np.median(part)) for part in (off, off[:fifth], off[-fifth:]))
    median, most = np.percentile(np.abs(off), [50, 95])
    beside = np.median(np.abs(off - bias))
    return f"{median:.0f} | {most:.0f} | {bias:+.0f} | {beside:.0f} | {first:+.0f} | {last:+.0f}"


def measure_voice(
    voice: Synthesizer, judges: dict[str, Judge], seconds: float, every: int
) -> tuple[float, dict[str, list[float]]]:
    """Return how long the voice spoke, and by how many seconds its word starts come later than each judge
    finds them.
    """
    sentences = list(speak_sentences(voice, seconds))
    whole, done = join(sentences), 0
    off: dict[str, list[float]] = {name: [] for name in judges}
    for number, sentence in enumerate(sentences):
        words, done = whole.words[done : done + len(sentence.words)], done + len(sentence.words)
        if number % every or not words:
            continue
        samples, said = cut_sentence(whole.audio, words)
        for name, judge in judges.items():
            off[name] += judge(samples, said)
    return whole.audio.duration, off


def speak_sentences(voice: Synthesizer, seconds: float) -> Iterator[Speech]:
    """Yield invented sentences until they last so long."""
    lasted = 0.0
    for text in texts.invent_sentences(SEED):
        for sentence in voice.speak(text):
            yield sentence
            lasted += sentence.audio.duration
            if lasted >= seconds:
                return


def cut_sentence(sound: Audio, words: Sequence[Word]) -> tuple[np.ndarray, list[Word]]:
    """Return a sentence's samples at RATE, and its `words` in them.

    No words where one of them holds a space (a sum, an hour), which aligners count as two.
    """
    begin, end = max(0.0, words[0].start - AROUND), min(sound.duration, words[-1].end + AROUND)
    samples = audio.resample(sound.cut(begin, end), RATE).samples
    alone = all(len(word.text.split()) == 1 for word in words)
    return samples, [word.shifted(-begin) for word in words] if alone else []


def word_starts(words: Sequence[Word]) -> list[Placed]:
    """Return `words` as their letters are spoken, without those that are left out."""
    owned = spoken_words(" ".join(word.text for word in words))
    return [Placed(letters, words[owner].start, words[owner].end) for owner, letters in owned]


def by_text(aligner: Aligner) -> Judge:
    """Return a judge by forced alignment, which finds all words of a sentence or none."""

    def late(samples: np.ndarray, words: Sequence[Word]) -> list[float]:
        found = aligner(samples, " ".join(word.text for word in words))
        pairs = zip(word_starts(words), found, strict=True) if found else ()
        return [said.start - its.start for said, its in pairs]

    return late


def by_ear(recognizer: Recognizer) -> Judge:
    """Return a judge that finds the words that the recognizer hears as they are written."""
    quiet = np.zeros(round(QUIET * RATE), np.float32)

    def late(samples: np.ndarray, words: Sequence[Word]) -> list[float]:
        heard = recognizer.transcribe(Audio(np.concatenate((quiet, samples, quiet)), RATE)).words
        return [said.start - (word.start - QUIET) for word, said in matching_words(heard, word_starts(words))]

    return late


if __name__ == "__main__":
    typer.run(main)

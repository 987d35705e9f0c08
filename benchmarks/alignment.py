"""How far off word times are: word starts beside those of an independent forced aligner.

    python -m benchmarks.alignment [--model quick --model whisper-base] [--limit 20] [--silence 30]

pocketsphinx aligns the reference text; a recognizer's words that are the same as the reference's
are compared with it. `--silence` puts so many seconds of silence before each recording.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from recipes.asr.aligner import RATE, Aligner, Placed, spoken_words
from voice import audio
from voice.loading import load_recognizer
from voice.manifest import read_manifest
from voice.silero import Silero
from voice.transcription import Transcriber, TranscriptionRequest
from voice.types import Recognizer, Word

MODELS = ("quick", "whisper-base")
SETS = ("kathleen", "ljspeech", "librispeech")
HISS = 1e-4  # of the silence put before: no recording is digitally silent


@dataclass(frozen=True, eq=False)
class Case:
    """A recording and where its words are."""

    samples: np.ndarray  # (T,) at 16 kHz
    words: Sequence[Placed]


def main(
    model: Annotated[list[str], typer.Option(help="A recognizer; repeatable.")] = list(MODELS),
    sets: Annotated[list[str], typer.Option("--set", help="Corpora.")] = list(SETS),
    split: Annotated[str, typer.Option(help="Which manifest of each.")] = "test",
    limit: Annotated[int, typer.Option(help="Recordings of each set; 0 is all.")] = 0,
    silence: Annotated[list[float], typer.Option(help="Seconds put before.")] = [0.0, 30.0],
    threads: Annotated[int, typer.Option()] = 2,
    corpora: Annotated[Path, typer.Option(envvar="VOICE_CORPORA")] = Path("../shared/corpora"),
) -> None:
    aligner, detector = Aligner(), Silero.open()
    recognizers = {name: load_recognizer(name, threads=threads) for name in model}
    print("| set | recognizer | silence before | words | found | median | 95th | bias | seconds |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in sets:
        cases = list(align_recordings(aligner, corpora / name / f"{split}.jsonl", limit))
        for title, recognizer in recognizers.items():
            for before in silence:
                print(
                    f"| {name} | {title} | {before:.0f} s | {row(cases, recognizer, detector, before)} |",
                    flush=True,
                )


def align_recordings(aligner: Aligner, manifest: Path, limit: int) -> Iterator[Case]:
    """Yield about `limit` recordings from all over a manifest, without those that the aligner rejects."""
    clips = read_manifest(manifest)
    for clip in clips[:: max(1, len(clips) // limit)][:limit] if limit else clips:
        samples = audio.read(clip.audio, RATE).samples
        words = aligner(samples, clip.text or "")
        if words:
            yield Case(samples, words)


def row(cases: Sequence[Case], recognizer: Recognizer, detector: Silero, before: float) -> str:
    """Return the columns of one set and recognizer: how far off its word starts are."""
    quiet = HISS * np.random.default_rng(0).normal(size=round(before * RATE)).astype(np.float32)
    begun, off, transcriber = time.perf_counter(), [], Transcriber(recognizer, detector)
    for case in cases:
        sound = [np.concatenate((quiet, case.samples))]
        words = transcriber.transcribe(sound, TranscriptionRequest("en")).words
        off += [word.start - before - placed.start for word, placed in matching_words(words, case.words)]
    spent = time.perf_counter() - begun
    count = sum(len(case.words) for case in cases)
    median, most = np.percentile(np.abs(off), [50, 95])
    return (
        f"{count} | {len(off) / count:.0%} | {1000 * median:.0f} ms | {1000 * most:.0f} ms "
        f"| {1000 * float(np.median(off)):+.0f} ms | {spent:.1f}"
    )


def matching_words(words: Sequence[Word], placed: Sequence[Placed]) -> Iterator[tuple[Word, Placed]]:
    """Yield recognized words with those of the reference that read the same, in order."""
    spelled = [(word, letters) for word in words for _, letters in spoken_words(word.text)]
    matcher = SequenceMatcher(
        None, [letters for _, letters in spelled], [each.letters for each in placed], False
    )
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            yield spelled[block.a + step][0], placed[block.b + step]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    typer.run(main)

"""Spoken commands: how many are understood, clean and in noise, and how much other speech is rejected.

    python -m benchmarks.commands [--noise 10] [--limit 20]

The orders are those of speech_to_intent on which the letters of the recognizer were not trained. The corpus
does not name its speakers, so a voice may have been in the training with other orders. The grammar is
coffee.yml; the other speech is the `test` part of librispeech, ljspeech, kathleen and speechocean762. An
order is right if the intent and every slot are.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from recipes.asr.windows import select_any
from voice import audio, loading
from voice.commands import Commands
from voice.commands.letters import letters_of
from voice.features import WHISPER_RATE
from voice.manifest import Clip, read_manifest
from voice.types import Audio, Recognizer, Samples

GRAMMAR = Path(__file__).parent / "coffee.yml"
HELD_OUT = "speech_to_intent/untranscribed.jsonl:-100"  # the training of the letters takes the others
OTHERS = ("librispeech", "ljspeech", "kathleen", "speechocean762")


@dataclass(frozen=True)
class Row:
    """`right` of `count` recordings; `seconds` is the mean time from sound to intent."""

    name: str
    right: int
    count: int
    seconds: float


def add_noise(clean: Audio, noise: Samples, level: float, seed: int) -> Audio:
    """Return `clean` with a stretch of `noise` (T,) drawn by `seed`, `level` dB below it."""
    start = int(np.random.default_rng(seed).integers(max(1, len(noise) - len(clean.samples))))
    cut = np.resize(noise[start:], len(clean.samples))
    power = np.mean(clean.samples**2) / (np.mean(cut**2) + 1e-12)
    return Audio((clean.samples + cut * np.sqrt(power / 10 ** (level / 10))).astype(np.float32), clean.rate)


def orders(corpora: Path, limit: int | None, noise: float | None) -> Iterator[tuple[Audio, dict[str, str]]]:
    """Yield each order's sound and slots."""
    noises = [
        audio.read(clip.audio, WHISPER_RATE).samples for clip in read_manifest(corpora / "noise/test.jsonl")
    ]
    for number, clip in enumerate(select_any(str(corpora / HELD_OUT))[:limit]):
        sound = audio.read(clip.audio, WHISPER_RATE)
        if noise is not None:
            sound = add_noise(sound, noises[number % len(noises)], noise, number)
        yield sound, {name: value.strip() for name, value in clip.extra["slots"].items()}


def count_understood(
    commands: Commands, recognizer: Recognizer, sounds: Iterator[tuple[Audio, dict[str, str]]], name: str
) -> Row:
    """Count the orders of which intent and slots are understood."""
    right, count, seconds = 0, 0, 0.0
    for sound, slots in sounds:
        began = time.perf_counter()
        found = commands.understand(letters_of(recognizer, sound))
        seconds += time.perf_counter() - began
        count += 1
        right += found.intent == "orderDrink" and dict(found.slots) == slots
    return Row(name, right, count, seconds / max(1, count))


def count_rejected(commands: Commands, recognizer: Recognizer, clips: Sequence[Clip], name: str) -> Row:
    """Count the clips of other speech that are no command."""
    right, seconds = 0, 0.0
    for clip in clips:
        sound = audio.read(clip.audio, WHISPER_RATE).cut(0.0, 30.0)
        began = time.perf_counter()
        right += not commands.understand(letters_of(recognizer, sound)).is_understood
        seconds += time.perf_counter() - began
    return Row(name, right, len(clips), seconds / max(1, len(clips)))


def main(
    corpora: Annotated[Path, typer.Option(help="Folder of speech corpora.")] = Path("../shared/corpora"),
    model: Annotated[str, typer.Option(help="Which recognizer.")] = "quick",
    noise: Annotated[float, typer.Option(help="dB of the orders above the noise.")] = 10.0,
    limit: Annotated[int | None, typer.Option(help="At most so many recordings of each set.")] = None,
    threads: Annotated[int | None, typer.Option(help="Processor cores.")] = None,
) -> None:
    """Print a table."""
    recognizer = loading.load_recognizer(model, threads=threads)
    commands = Commands.open(GRAMMAR)
    rows = [
        count_understood(commands, recognizer, orders(corpora, limit, None), "orders, clean"),
        count_understood(commands, recognizer, orders(corpora, limit, noise), f"orders, {noise:g} dB"),
    ]
    for name in OTHERS:
        clips = read_manifest(corpora / name / "test.jsonl")[:limit]
        rows.append(count_rejected(commands, recognizer, clips, f"{name}, rejected"))
    print(f"{'':32} right    of       %   ms each")
    for row in rows:
        share = 100 * row.right / max(1, row.count)
        print(f"{row.name:32} {row.right:5} {row.count:5} {share:7.1f} {1000 * row.seconds:8.0f}")


if __name__ == "__main__":
    typer.run(main)

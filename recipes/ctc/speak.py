"""Voices read texts, so that an encoder hears and learns to spell more words than people have recorded.

    python -m recipes.ctc.speak --text sentences.txt --hours 5 --out runs/spoken
    python -m recipes.ctc.train --manifest runs/spoken/train.jsonl --manifest my/train.jsonl …

A text file has one sentence a line. The voices take turns, each sentence at another speed and with some hiss.
The manifest grows as they read: the same command goes on after the last sentence that was written. Our
voices read about 80 times faster than real time on one core.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.batching import rng_for
from recipes.asr.tuning.general import speak_text, speaking_voices
from recipes.options import option, parse
from recipes.training import Deadline
from voice import audio
from voice.errors import TextError, VoiceError
from voice.features import WHISPER_RATE
from voice.loading import load_voice
from voice.types import Synthesizer

MANIFEST = "train.jsonl"
SHOWN_EVERY = 100  # sentences
LONGEST_TEXT = 400  # characters: about 25 s, and a model learns from 30 s at most


@dataclass(frozen=True)
class Options:
    text: tuple[Path, ...] = option((), "a text file, one sentence a line; repeatable")
    voice: tuple[str, ...] = option((), "a voice that reads, such as kathleen; repeatable; else all here")
    hours: float = option(1.0, "of speech in all")
    out: Path = option(Path("runs/spoken"), "folder for the manifest and the sounds; what is there goes on")
    seed: int = option(0, "decides speeds and hiss")


def read_sentences(paths: Sequence[Path]) -> list[str]:
    """Return the lines of text files that hold words and are not too long. Raises VoiceError without any."""
    try:
        lines = [line.strip() for path in paths for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise VoiceError(f"a text cannot be read ({error}); give text files in UTF-8 with --text") from error
    sentences = [line for line in lines if any(map(str.isalpha, line)) and len(line) <= LONGEST_TEXT]
    if not sentences:
        raise VoiceError("there is no sentence to read: give text files, one sentence a line, with --text")
    return sentences


def spoken_rows(
    sentences: Sequence[str], voices: Sequence[tuple[str, Synthesizer]], folder: Path, first: int, seed: int
) -> Iterator[dict[str, str | float]]:
    """Yield a manifest's row of each sentence from the number `first` on, when its sound is in `folder`.

    Sentences that a voice can read nothing of are passed over.
    """
    for number, text in enumerate(sentences[first:], first):
        name, voice = voices[number % len(voices)]
        try:
            sound = speak_text(voice, text, rng_for(seed, number))
        except TextError:
            continue
        path = folder / f"{number:06d}.flac"
        audio.write(path, sound)
        yield {
            "audio": path.name, "text": text, "duration": sound.duration, "speaker": name,
            "id": f"spoken-{number:06d}", "sample_rate": WHISPER_RATE, "language": "en", "number": number,
        }  # fmt: skip


def progress_of(manifest: Path) -> tuple[int, float]:
    """Return the number of the next sentence, and the seconds read so far."""
    lines = manifest.read_text("utf-8").splitlines() if manifest.exists() else []
    rows = [json.loads(line) for line in lines]
    return max((row["number"] for row in rows), default=-1) + 1, sum(row["duration"] for row in rows)


def main(options: Options) -> None:
    sentences = read_sentences(options.text)
    names = options.voice or tuple(speaking_voices())
    voices = [(name, load_voice(name, threads=1)) for name in names]
    options.out.mkdir(parents=True, exist_ok=True)
    manifest = options.out / MANIFEST
    first, seconds = progress_of(manifest)
    rows = spoken_rows(sentences, voices, options.out, first, options.seed)
    with Deadline() as deadline, manifest.open("a", encoding="utf-8") as file:
        while seconds < options.hours * 3600 and not deadline.passed and (row := next(rows, None)):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            seconds += float(row["duration"])
            if int(row["number"]) % SHOWN_EVERY == 0:
                print(f"{row['number']} of {len(sentences)} sentences, {seconds / 60:.1f} min", flush=True)
    print(f"{manifest}: {seconds / 60:.1f} min, read by {', '.join(names)}", flush=True)


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

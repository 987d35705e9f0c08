"""Teachers speak: audio and a manifest that knows when each phoneme is spoken.

    python -m recipes.tts.teach --speaker heart --minutes 60
    python -m recipes.tts.teach --speaker am_michael --minutes 25
    python -m recipes.tts.teach --speaker am_michael+am_fenrir:0.5 --minutes 5 --manifest my/train.jsonl

The sentences are made by `texts.py`; with `--manifest`, half of them are its transcripts. Every `DEV`th one
goes to `dev.jsonl`, the others to `train.jsonl`, in `--out`/SPEAKER; the rows say who the teacher is. Stop it
at any time: the same command goes on after the last sentence that was written. `prepare.py` and the
vocoder's recipe take the manifests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from recipes.options import option, parse
from recipes.training import Deadline
from recipes.tts import texts
from recipes.tts.teachers import Taught, Teacher, teacher
from voice.features import VOICE_HOP, VOICE_RATE
from voice.text.alphabet import SYMBOLS
from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud
from voice.text.reading import SpokenSentence

DEV = 25
EDGE = 12  # frames of silence that are kept at either end
LONGEST = 180  # phonemes in a sentence, about 13 s


@dataclass(frozen=True)
class Options:
    speaker: str = option(
        "heart", "heart, or a voice of Kokoro's or a mixture: am_michael, jm_kumo+am_fenrir:0.5"
    )
    minutes: float = option(30.0, "of speech in all")
    out: Path = option(Path("runs/taught"), "folder for the speakers' folders")
    manifest: tuple[Path, ...] = option((), "whose transcripts to speak too, never test sets (repeatable)")
    first: int = option(0, "sentences to skip, so that speakers say different ones")
    smoke: bool = option(False, "some sentences of heart's, to see that all of it works")


def main(options: Options) -> None:
    if options.smoke:
        options = replace(options, speaker="heart", minutes=0.1)
    folder = options.out / options.speaker
    folder.mkdir(parents=True, exist_ok=True)
    done, seconds = _progress(folder)
    speak = teacher(options.speaker)
    with Deadline() as deadline:
        for number, text in enumerate(islice(sentences(options), done, None), done):
            if seconds >= options.minutes * 60 or deadline.passed:
                break
            seconds += sum(_write_sentences(folder, options.speaker, number, text, speak))
            if number % 25 == 0:
                print(f"{options.speaker}: {number} sentences, {seconds / 60:.1f} min", flush=True)
    print(f"{options.speaker}: {seconds / 60:.1f} min", flush=True)


def sentences(options: Options) -> Iterator[str]:
    """Invented ones and transcripts by turns; only the former once those are used up."""
    made, read = texts.invent_sentences(), texts.transcripts(options.manifest)
    both = (text for made_one in made for text in (made_one, next(read, None)) if text)
    return islice(both, options.first, None)


def _progress(folder: Path) -> tuple[int, float]:
    """Return the number of the next sentence, and the seconds spoken so far."""
    rows = [json.loads(line) for line in _lines(folder / "train.jsonl") + _lines(folder / "dev.jsonl")]
    return max((row["number"] for row in rows), default=-1) + 1, sum(row["duration"] for row in rows)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _write_sentences(folder: Path, speaker: str, number: int, text: str, speak: Teacher) -> Iterator[float]:
    """Speak a text, sentence by sentence, and yield the seconds of each."""
    import soundfile

    for part, reading in enumerate(read_aloud(text, ENGLISH)):
        if not isinstance(reading, SpokenSentence):
            continue
        phonemes = "".join(p for p in reading.phonemes if p in SYMBOLS)
        if not 3 <= len(phonemes) <= LONGEST:
            continue
        spoken = cut(speak(phonemes))
        name = f"{number:05d}-{part}.flac"
        soundfile.write(folder / name, np.clip(spoken.samples, -1, 1), VOICE_RATE, subtype="PCM_16")
        row = _row(speaker, number, name, reading.text, phonemes, spoken)
        manifest = folder / ("dev.jsonl" if number % DEV == DEV - 1 else "train.jsonl")
        with manifest.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        yield row["duration"]


def _row(speaker: str, number: int, name: str, text: str, phonemes: str, spoken: Taught) -> dict[str, Any]:
    """Return a manifest's row of a sentence that a teacher has spoken."""
    return {
        "audio": name, "text": text, "duration": len(spoken.samples) / VOICE_RATE, "speaker": speaker,
        "id": f"taught-{speaker}-{name[:-5]}", "sample_rate": VOICE_RATE, "language": "en", "number": number,
        "teacher": "heart (hibari-tts)" if speaker == "heart" else "Kokoro-82M",
        "phonemes": phonemes, "durations": spoken.durations.tolist(),
    }  # fmt: skip


def cut(spoken: Taught) -> Taught:
    """Without the silence beyond EDGE frames before and after."""
    durations = spoken.durations.copy()
    before, after = (max(0, int(durations[end]) - EDGE) for end in (0, -1))
    durations[0] -= before
    durations[-1] -= after
    last = len(spoken.samples) - after * VOICE_HOP
    return Taught(spoken.samples[before * VOICE_HOP : last], durations)


if __name__ == "__main__":
    main(parse(Options, description=__doc__))

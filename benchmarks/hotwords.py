"""Hotwords: errors in rare terms and elsewhere, with and without a list of them, in one run.

    python -m benchmarks.hotwords [--model quick] [--limit 20]

Terms are words of the test transcripts that the training transcripts hold at most once. A list has
100 of them, those spoken in one set first and then those of the others, and the 5,000 that are spoken
nowhere come from the lexicon of hibari-tts. Each recording is recognized once per list.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from voice import audio, loading
from voice.features import WHISPER_RATE
from voice.manifest import Clip, read_manifest
from voice.metrics import normalize
from voice.types import Audio

TESTS = ("librispeech", "kathleen", "ljspeech")
TRAINING = ("kathleen", "ljspeech", "speechocean762", "asterisk_allison")


@dataclass(frozen=True)
class Errors:
    """Wrong terms of all terms spoken; errors elsewhere, and words of reference there."""

    terms: int
    spoken: int
    others: int
    words: int

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.terms + other.terms,
            self.spoken + other.spoken,
            self.others + other.others,
            self.words + other.words,
        )


def common_words(corpora: Path) -> Counter[str]:
    """Count how often words are in the training transcripts, those that a recognizer wrote included."""
    words: Counter[str] = Counter()
    for name in TRAINING:
        for clip in read_manifest(corpora / name / "train.jsonl"):
            words.update(normalize(clip.text or "").split())
    for clip in read_manifest(corpora / "librispeech/untranscribed.jsonl"):
        words.update(normalize(clip.extra.get("asr_text", "")).split())
    return words


def rare_terms(clips: Sequence[Clip], common: Counter[str]) -> list[str]:
    """Return rare words that are spoken in `clips`, in an order drawn at random."""
    words = {word for clip in clips for word in normalize(clip.text or "").split()}
    rare = sorted(word for word in words if common[word] <= 1 and len(word) >= 4 and word.isalpha())
    return [rare[index] for index in np.random.default_rng(0).permutation(len(rare))]


def unspoken_words(clips: Sequence[Clip], common: Counter[str], count: int) -> list[str]:
    """Return words of the lexicon that neither the tests nor the training transcripts hold."""
    import hibari

    path = Path(hibari.__file__).parent / "assets" / "lexicon_us_gold.json.gz"
    spoken = {word for clip in clips for word in normalize(clip.text or "").split()}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        words = [word for word in json.load(file) if word.isascii() and word.isalpha() and word.islower()]
    free = [word for word in words if 4 <= len(word) <= 12 and word not in spoken and not common[word]]
    return [free[index] for index in np.random.default_rng(1).permutation(len(free))[:count]]


def pairs(reference: Sequence[str], hypothesis: Sequence[str]) -> Iterator[tuple[str | None, str | None]]:
    """Yield the words that stand opposite each other in the closest match (Levenshtein), from the end."""
    costs = np.add.outer(np.arange(len(reference) + 1), np.arange(len(hypothesis) + 1))
    for i, word in enumerate(reference, 1):
        for j, other in enumerate(hypothesis, 1):
            change = costs[i - 1, j - 1] + (word != other)
            costs[i, j] = min(change, costs[i - 1, j] + 1, costs[i, j - 1] + 1)
    i, j = len(reference), len(hypothesis)
    while i or j:
        same = i and j and costs[i, j] == costs[i - 1, j - 1] + (reference[i - 1] != hypothesis[j - 1])
        left = not same and i and costs[i, j] == costs[i - 1, j] + 1
        i, j = i - bool(same or left), j - (not left)
        yield (reference[i] if same or left else None), (None if left else hypothesis[j])


def errors(clip: Clip, text: str, terms: set[str]) -> Errors:
    """Count the errors of one recording that was written down as `text`."""
    total = Errors(0, 0, 0, 0)
    for word, other in pairs(normalize(clip.text or "").split(), normalize(text).split()):
        wrong = int(word != other)
        total += Errors(wrong, 1, 0, 0) if word in terms else Errors(0, 0, wrong, int(word is not None))
    return total


def measure(
    recognizer, sounds: Sequence[Audio], clips: Sequence[Clip], listed: list[str], terms: set[str]
) -> Errors:
    total = Errors(0, 0, 0, 0)
    for sound, clip in zip(sounds, clips, strict=True):
        text = recognizer.transcribe(sound, language="en", hotwords=listed).text
        total += errors(clip, text, terms)
    return total


def show(name: str, before: Errors, after: Errors) -> None:
    fewer = 100 * (before.terms - after.terms) / max(1, before.terms)
    elsewhere = 100 * (after.others - before.others) / max(1, after.words)
    words = after.words + after.spoken
    all_words = 100 * (after.others + after.terms - before.others - before.terms) / max(1, words)
    print(
        f"{name:28} terms {before.terms:3} -> {after.terms:3} of {after.spoken:4} ({-fewer:+.0f} %)"
        f"   elsewhere {elsewhere:+.2f} points of {after.words}   all words {all_words:+.2f} points"
    )


def main(
    corpora: Annotated[Path, typer.Option(help="Folder of speech corpora.")] = Path("../shared/corpora"),
    model: Annotated[str, typer.Option(help="Which recognizer.")] = "quick",
    limit: Annotated[int | None, typer.Option(help="At most so many recordings of each set.")] = None,
    threads: Annotated[int | None, typer.Option(help="Processor cores.")] = None,
) -> None:
    """Print a line per set and list."""
    recognizer = loading.load_recognizer(model, threads=threads)
    common = common_words(corpora)
    sets = {name: read_manifest(corpora / name / "test.jsonl")[:limit] for name in TESTS}
    everything = [clip for clips in sets.values() for clip in clips]
    never = unspoken_words(everything, common, 5000)
    for name, clips in sets.items():
        own, others = rare_terms(clips, common), rare_terms(everything, common)
        listed = list(dict.fromkeys([*own, *others]))[:100]
        sounds = [audio.read(clip.audio, WHISPER_RATE) for clip in clips]
        lists = {"no list": [], "100 terms": listed, "5,000 unspoken": never}
        found = {each: measure(recognizer, sounds, clips, lists[each], set(listed)) for each in lists}
        for each in ("100 terms", "5,000 unspoken"):
            show(f"{name}, {each}", found["no list"], found[each])


if __name__ == "__main__":
    typer.run(main)

"""Recordings of terms that nobody has recorded: our voices read them in carrier sentences.

Voices and carriers are parted into those that are learned from and those that are watched, so that a gain on
dev is one on a voice and on sentences that were not heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.batching import rng_for
from recipes.asr.restyle import capitalize
from recipes.asr.tuning.general import speak_texts, speaking_voices
from voice.errors import VoiceError
from voice.manifest import write_manifest
from voice.metrics import normalize

MOST_TERMS, MOST_LETTERS = 500, 80
LEARNED = (
    "We talked about {} for most of the morning.",
    "Could you tell me more about {}?",
    "{} is what they asked for.",
    "The next item on the list is {}.",
    "I have never heard of {} before.",
    "Please write {} down for me.",
    "There was a long article on {} in the paper.",
    "Most of them had already decided on {}.",
    "Is {} the one that you mean?",
    "He said that {} would be ready by Friday.",
    "What about {}?",
    "{}.",
)
WATCHED = (
    "My sister told me about {} last night.",
    "Do you know how to spell {}?",
    "They are looking for {} again.",
    "{} was mentioned twice in the report.",
)
READINGS, WATCHED_READINGS = 16, 2  # of each term, by all voices together
FEWEST_READINGS = 2  # by a voice


@dataclass(frozen=True)
class TermSpeech:
    """The manifests of the terms' recordings to `learn` from and to `watch`, and the terms."""

    learn: Path
    watch: Path
    terms: tuple[str, ...]


def read_terms(path: Path) -> tuple[str, ...]:
    """Return the terms of a text file, one a line, each once. Raises VoiceError for no such list."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise VoiceError(f"{path} cannot be read ({error}); give a text file with one term a line") from error
    terms = tuple(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
    empty = next((term for term in terms if not any(letter.isalnum() for letter in term)), None)
    if empty:
        raise VoiceError(f"{path}: {empty[:40]!r} is no term, as nobody can say it; leave it out")
    long = next((term for term in terms if len(term) > MOST_LETTERS), None)
    if not terms or len(terms) > MOST_TERMS or long:
        what = f"{long[:40]!r}… is no term" if long else f"it holds {len(terms)}"
        raise VoiceError(f"{path} is to hold 1 to {MOST_TERMS} terms, one a line: {what}")
    return terms


def term_speech(
    terms: Sequence[str], out: Path, *, voices: Sequence[str] = (), seed: int = 0,
    tell: Callable[[str], None] = print,
) -> TermSpeech:  # fmt: skip
    """Let voices read each term in several sentences, into `out`, unless that has been done.

    One of the voices is only watched. Raises VoiceError where fewer than two voices are here.
    """
    learn, watch = out / "train.jsonl", out / "dev.jsonl"
    voices = list(dict.fromkeys(voices)) or speaking_voices()
    if len(voices) < 2:
        raise VoiceError("terms are read by two voices at least, one to learn from and one to watch")
    if not (learn.exists() and watch.exists()):
        tell(f"{', '.join(voices)} read {len(terms)} terms; {voices[-1]} is only watched")
        each = max(FEWEST_READINGS, -(-READINGS // (len(voices) - 1)))
        texts = sentences(terms, voices[:-1], LEARNED, each, seed)
        heard = sentences(terms, voices[-1:], WATCHED, WATCHED_READINGS, seed + 1)
        write_manifest(watch, speak_texts(heard, out / "watched", seed=seed + 1))
        write_manifest(learn, speak_texts(texts, out / "learned", seed=seed))
    return TermSpeech(learn, watch, tuple(terms))


def sentences(
    terms: Sequence[str], voices: Sequence[str], carriers: Sequence[str], count: int, seed: int
) -> list[tuple[str, str]]:
    """Return (sentence, voice) pairs: every term `count` times by each voice, in random carriers."""
    found = []
    for place, term in enumerate(terms):
        for number, voice in enumerate(voices):
            chosen = rng_for(seed, place, number).permutation(len(carriers))[:count]
            found += [(capitalize(carriers[index].format(term)), voice) for index in chosen.tolist()]
    return found


@dataclass(frozen=True)
class TermCount:
    """How often a term is `said`, and how often it is written before tuning and after."""

    term: str
    said: int
    before: int
    after: int


def count_terms(
    terms: Sequence[str], references: Sequence[str], before: Sequence[str], after: Sequence[str]
) -> tuple[TermCount, ...]:
    """Return for each term how often it is said, and is right in two lots of hypotheses."""
    found = []
    for term in terms:
        (was, said), (now, _) = (term_errors([term], references, each) for each in (before, after))
        found.append(TermCount(term, said, said - was, said - now))
    return tuple(found)


def term_errors(
    terms: Sequence[str], references: Sequence[str], hypotheses: Sequence[str]
) -> tuple[int, int]:
    """Return how many terms of the references are missing in the hypotheses, and how many terms there are."""
    missed = count = 0
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        said, heard = f" {normalize(reference)} ", f" {normalize(hypothesis)} "
        for term in (f" {normalize(each)} " for each in terms):
            count += said.count(term)
            missed += max(0, said.count(term) - heard.count(term))
    return missed, count

"""When each written word was said: its letters aligned to what a CTC head heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from voice.asr.ctc.alphabet import FRAME, spell
from voice.asr.ctc.head import align, ending, greedy

# Set on the dev clips of kathleen and ljspeech, against recipes/asr/aligner.py: half of the word starts are
# then within 25 ms of it and 95 % within 70. A letter is only known once a part of it has been heard.
EARLIER = 0.065  # seconds that a word begins before the frame of its first letter
LATER = 0.01  # seconds that it ends after its last letter
SHORTEST = 0.04


@dataclass(frozen=True, eq=False)
class Place:
    """When a word was said, in seconds, and the letters that it owns there.

    `labels` (L,) are those letters and `spans` (L, 2) their frames; a word that is not heard has none.
    """

    start: float
    end: float
    labels: np.ndarray
    spans: np.ndarray


def place(texts: Sequence[str], log_probs: np.ndarray, duration: float) -> list[Place]:
    """Words, as parts of one text, spaces and punctuation included → where each is in (F, 29).

    Times rise, never overlap and end by `duration` seconds. What has no letters lies between its neighbors.
    """
    spelling = spell("".join(texts))
    owners = np.where(spelling.owners < 0, -1, _parts(texts, spelling.owners))
    spans = align(log_probs, spelling.labels)
    own = [np.flatnonzero(owners == part) for part in range(len(texts))]
    times = list(_times([spans[letters] for letters in own], duration))
    return [
        Place(start, end, spelling.labels[letters], spans[letters])
        for (start, end), letters in zip(times, own, strict=True)
    ]


def _parts(texts: Sequence[str], words: np.ndarray) -> np.ndarray:
    """For each of `words`, numbers in the `split()` of the whole text, the part that it begins in."""
    begun = [len("".join(texts[: part + 1]).split()) for part in range(len(texts))]
    return np.searchsorted(begun, words, side="right")


def _times(spans: Sequence[np.ndarray], duration: float) -> Iterator[tuple[float, float]]:
    """The frames of each word's letters → its start and end in seconds."""
    starts = [float(span[0, 0]) * FRAME - EARLIER if len(span) else None for span in spans]
    clock = 0.0
    for number, (begin, span) in enumerate(zip(starts, spans, strict=True)):
        following = next((start for start in starts[number + 1 :] if start is not None), duration)
        limit = min(max(following, clock), duration)
        start = clock if begin is None else min(max(begin, clock), duration)
        end = limit if begin is None else max(float(span[-1, 1]) * FRAME + LATER, start + SHORTEST)
        clock = max(start, min(end, limit))
        yield start, clock


def said_until(text: str, letters: str, log_probs: np.ndarray, missed: int) -> float | None:
    """Where `text` ends, in seconds, if a head that reads `letters` heard `missed` or more after it."""
    labels = spell(text).labels
    if len(letters) - len(labels) < missed or not len(labels):
        return None
    end = ending(log_probs, labels)
    return end * FRAME + LATER if len(greedy(log_probs[end:])) >= missed else None

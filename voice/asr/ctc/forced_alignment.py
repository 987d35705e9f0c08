"""Forced alignment: when each written word was said, from its letters and a CTC head's output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from voice.asr.ctc.alphabet import FRAME, spell
from voice.asr.ctc.head import align_labels, end_frame, greedy_letters

# Set on the dev clips of kathleen and ljspeech, against recipes/asr/aligner.py: half of the word starts are
# then within 25 ms of it and 95 % within 70. A letter is only known once a part of it has been heard.
START_LEAD = 0.065  # seconds that a word begins before the frame of its first letter
END_LAG = 0.01  # seconds that it ends after its last letter
MIN_DURATION = 0.04


@dataclass(frozen=True, eq=False)
class AlignedWord:
    """The time of a word in seconds, and its letters.

    `labels` (L,) are those letters and `spans` (L, 2) their frames; a word that is not spoken has none.
    """

    start: float
    end: float
    labels: np.ndarray
    spans: np.ndarray


def align_words(texts: Sequence[str], log_probs: np.ndarray, duration: float) -> list[AlignedWord]:
    """Align words, given as parts of one text with spaces and punctuation, to (F, 29) log-probabilities.

    Times rise, never overlap and end by `duration` seconds. A word without letters lies between its
    neighbors.
    """
    spelling = spell("".join(texts))
    owners = np.where(spelling.owners < 0, -1, _part_of_words(texts, spelling.owners))
    spans = align_labels(log_probs, spelling.labels)
    own = [np.flatnonzero(owners == part) for part in range(len(texts))]
    times = list(_times([spans[letters] for letters in own], duration))
    return [
        AlignedWord(start, end, spelling.labels[letters], spans[letters])
        for (start, end), letters in zip(times, own, strict=True)
    ]


def _part_of_words(texts: Sequence[str], words: np.ndarray) -> np.ndarray:
    """Return the part in which each of `words` begins; these are indexes in the `split()` of the text."""
    begun = [len("".join(texts[: part + 1]).split()) for part in range(len(texts))]
    return np.searchsorted(begun, words, side="right")


def _times(spans: Sequence[np.ndarray], duration: float) -> Iterator[tuple[float, float]]:
    """Yield start and end in seconds of each word, from the frames of its letters."""
    starts = [float(span[0, 0]) * FRAME - START_LEAD if len(span) else None for span in spans]
    clock = 0.0
    for number, (begin, span) in enumerate(zip(starts, spans, strict=True)):
        following = next((start for start in starts[number + 1 :] if start is not None), duration)
        limit = min(max(following, clock), duration)
        start = clock if begin is None else min(max(begin, clock), duration)
        end = limit if begin is None else max(float(span[-1, 1]) * FRAME + END_LAG, start + MIN_DURATION)
        clock = max(start, min(end, limit))
        yield start, clock


def end_of_text(text: str, letters: str, log_probs: np.ndarray, missed: int) -> float | None:
    """Return the time at which `text` ends, if a head reads `missed` of its `letters` or more after it."""
    labels = spell(text).labels
    if len(letters) - len(labels) < missed or not len(labels):
        return None
    end = end_frame(log_probs, labels)
    return end * FRAME + END_LAG if len(greedy_letters(log_probs[end:])) >= missed else None

"""What a voice asks of the engine behind it, and what engines share: their result and the times of words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from voice.text.reading import SpokenSentence
from voice.types import Controls, Mark, Speech, Word

EARLIER = 0.025  # seconds by which words are heard before their phonemes are counted (benchmarks.spoken)


class Engine(Protocol):
    """What turns one sentence into speech; it holds no state between calls."""

    rate: int

    def render(self, reading: SpokenSentence, controls: Controls) -> Speech:
        """Return the sentence as speech, its words timed, with the silence that the engine gives its ends."""
        ...


@runtime_checkable
class StreamingEngine(Protocol):
    """An engine that can also give a sentence in pieces, each before the next one is made."""

    rate: int

    def render(self, reading: SpokenSentence, controls: Controls) -> Speech: ...

    def stream(self, reading: SpokenSentence, controls: Controls) -> SentenceStream:
        """Return the sentence in the making; its pieces joined are what `render` returns."""
        ...


@dataclass(frozen=True, eq=False)
class SentenceStream:
    """A sentence in the making: its `words` and `marks`, timed from its start, and `pieces` of samples."""

    words: tuple[Word, ...]
    pieces: Iterator[np.ndarray]
    marks: tuple[Mark, ...] = ()


class Utterance(NamedTuple):
    """What a network makes of phonemes.

    `samples` (F × hop,) float32; `durations` (L + 2,) int64 frames of hop samples: the silence before, each
    of the L phoneme characters, the silence after, as they are heard; they sum to F. `f0` (F,) float32 Hz,
    near 0 where unvoiced.
    """

    samples: np.ndarray
    durations: np.ndarray
    f0: np.ndarray


def timed_words(reading: SpokenSentence, seconds: np.ndarray) -> tuple[Word, ...]:
    """Return the words of `reading` with times, EARLIER than their phonemes are counted.

    `seconds` (L + 2,) are those that the silence before, each of the L phonemes and the silence after take.
    """
    ends = np.maximum(0.0, np.cumsum(seconds) - EARLIER)
    owners = np.array(reading.owners)
    words = []
    for index, word in enumerate(reading.words):
        places = np.flatnonzero(owners == index)
        words.append(Word(word.text, float(ends[places[0]]), float(ends[places[-1] + 1])))
    return tuple(words)

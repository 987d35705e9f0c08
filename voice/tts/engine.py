"""What a voice asks of the engine behind it, and what engines share: their result and the times of words."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from voice.features import VOICE_HOP
from voice.text.alphabet import BOUNDARY, SYMBOLS
from voice.text.reading import SpokenSentence
from voice.tts.frames import edges
from voice.tts.prosody_targets import ProsodyTargets, apply_level
from voice.types import Audio, Controls, Mark, Speech, Word

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


@runtime_checkable
class MultilingualEngine(Protocol):
    """An engine that speaks the phonemes of several `languages`, by their codes (ISO 639-1)."""

    languages: frozenset[str]


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


def speech_of(reading: SpokenSentence, utterance: Utterance, hop: int, rate: int) -> Speech:
    """Return what a network made of a sentence as speech, its words timed; a frame has `hop` samples."""
    words = timed_words(reading, utterance.durations * (hop / rate))
    return Speech(Audio(utterance.samples, rate), reading.text, words)


def known_symbols(
    phonemes: str, targets: ProsodyTargets | None
) -> tuple[str, Callable[[np.ndarray], np.ndarray], ProsodyTargets | None]:
    """Return the symbols that our voices know, a function on durations, and the targets of the symbols.

    Symbols and targets include the silence at both ends. The function gives durations of these symbols to all
    phonemes: unknown ones take no time, and a warning names them.
    """
    known = [i for i, p in enumerate(phonemes) if p in SYMBOLS]
    if len(known) < len(phonemes):
        missing = sorted(set(phonemes) - set(SYMBOLS))
        warnings.warn(f"this voice has no sound for {' '.join(missing)}", stacklevel=4)

    def for_all(durations: np.ndarray) -> np.ndarray:
        found = np.zeros(len(phonemes) + 2, np.int64)
        found[[0, *(i + 1 for i in known), -1]] = durations
        return found

    symbols = BOUNDARY + "".join(phonemes[i] for i in known) + BOUNDARY
    return symbols, for_all, targets.of(known).with_edges() if targets else None


def scale_level(
    samples: np.ndarray, durations: np.ndarray, gain: float, energy: np.ndarray | None, first: int = 0
) -> np.ndarray:
    """Return samples, from the `first` of a sentence on, as loud as is asked for, and silent at its ends.

    `durations` (L,) are the frames of its symbols; `gain` is a factor, `energy` (F,) is in dB.
    """
    samples = samples * (edges(durations, first, len(samples)) * np.float32(gain))
    if energy is not None:
        samples = apply_level(samples, energy, VOICE_HOP, first)
    clipped: np.ndarray = np.clip(samples, -1.0, 1.0)
    return clipped

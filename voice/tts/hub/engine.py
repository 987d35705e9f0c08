"""An engine for `voice.tts.voice.Voice` around a network that reads the words of a sentence itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voice.errors import VoiceError
from voice.text.reading import SpokenSentence
from voice.types import Audio, Controls, Samples, Speech, Word

SEED = 0  # of what a network draws at random, the same for every sentence
AFTER = 0.1  # seconds of silence after what the network says, for a fade that takes nothing of it
SILENT = 10 ** (-40 / 20)  # of the peak: where speech begins and ends


@dataclass(frozen=True, eq=False)
class SpokenText:
    """(T,) samples; `spans` are the seconds [start, end) of each word, None if they are not known."""

    samples: Samples
    spans: tuple[tuple[float, float], ...] | None = None


class TextNetwork(Protocol):
    """A network from the words of a sentence to speech at `rate` Hz; `takes_speed` tells whether it can vary.

    Raises VoiceError for a text of which it knows no letter.
    """

    @property
    def rate(self) -> int: ...

    @property
    def takes_speed(self) -> bool: ...

    def speak(self, words: Sequence[str], speed: float) -> SpokenText: ...


class TextEngine:
    """An engine: a sentence as the front end has put it into words, spoken by a network, one at a time."""

    def __init__(self, network: TextNetwork) -> None:
        self._network = network
        self.rate = network.rate
        self._free = threading.Lock()

    def render(self, reading: SpokenSentence, controls: Controls) -> Speech:
        """Return the sentence as speech, its words timed by the network, or else by the sound as a whole.

        Raises VoiceError for a control that the network does not have.
        """
        self._check(controls)
        with self._free, same_random_numbers():
            spoken = self._network.speak([word.spoken for word in reading.words], controls.speed)
        samples = np.clip(spoken.samples * np.float32(10 ** (controls.energy / 20)), -1.0, 1.0)
        samples = np.pad(samples.astype(np.float32), (0, round(AFTER * self.rate)))
        audio = Audio(samples, self.rate)
        spans = spoken.spans or spread_words(audio, [word.spoken for word in reading.words])
        words = (Word(word.text, *span) for word, span in zip(reading.words, spans, strict=True))
        return Speech(audio, reading.text, tuple(words))

    def _check(self, controls: Controls) -> None:
        if controls.pitch:
            raise VoiceError("this voice has a pitch of its own; leave --pitch out")
        if controls.speed != 1.0 and not self._network.takes_speed:
            raise VoiceError("this voice has a speed of its own; leave --speed out")


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """Let torch draw the same numbers each time inside, and leave those of others as they are."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        yield


def spread_words(audio: Audio, words: Sequence[str]) -> list[tuple[float, float]]:
    """Return the seconds of each word by its share of the letters, between the first and the last sound."""
    loud = np.flatnonzero(np.abs(audio.samples) > SILENT * np.abs(audio.samples).max(initial=0.0))
    start, end = (loud[0] / audio.rate, (loud[-1] + 1) / audio.rate) if len(loud) else (0.0, audio.duration)
    shares = np.cumsum([0, *(len(word) + 1 for word in words)])
    edges = start + (end - start) * shares / shares[-1]
    return [(float(first), float(last)) for first, last in zip(edges[:-1], edges[1:], strict=True)]

"""Any length of text → speech, sentence by sentence, with the pauses that a reader makes.

The stream is the primitive: memory does not grow with the text, and the first sentence can be
heard while the others are being made. `join` is its fold.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from voice.errors import TextError
from voice.text.frontend import Reading, read_aloud, read_arriving
from voice.text.phonemes import prepare
from voice.types import Audio, Controls, Speech, Word

PAUSES = {"clause": 0.15, "sentence": 0.4, "paragraph": 0.8}  # seconds of silence at speed 1
LEAD = 0.05  # seconds kept before the first word
TAIL = 0.08  # seconds kept after the last sound
FADE = 0.005
_SILENCE = 10 ** (-50 / 20)  # of the peak


class Engine(Protocol):
    """What turns one reading into speech; holds no state between calls."""

    rate: int

    def render(self, reading: Reading, controls: Controls) -> Speech: ...


class Voice:
    """A synthesizer: the text front end before an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.rate = engine.rate
        prepare()

    def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
        """The sentences of `text` as they are made; text that has no sound gives none, and a warning."""
        return self._speak(read_aloud(text), controls)

    def follow(self, pieces: Iterable[str], controls: Controls = Controls()) -> Iterator[Speech]:
        """The same of a text that arrives in `pieces`, a token at a time for instance."""
        return self._speak(read_arriving(pieces), controls)

    def _speak(self, readings: Iterable[Reading], controls: Controls) -> Iterator[Speech]:
        pause = 0.0  # the silence that the sentence before asks for; each piece begins with it
        for reading in readings:
            if reading.unread:
                warnings.warn(f"not read aloud: {' '.join(reading.unread)}", stacklevel=3)
            if reading.phonemes:
                spoken = trimmed(self._engine.render(reading, controls))
                yield after_silence(spoken, pause)
                pause = PAUSES[reading.after] / controls.speed
            elif reading.after == "paragraph":
                pause = max(pause, PAUSES["paragraph"] / controls.speed)


def trimmed(speech: Speech) -> Speech:
    """`speech` from LEAD before its first word to TAIL after its last sound, faded at both ends."""
    audio, words = speech.audio, speech.words
    if not words:
        return speech
    start = max(0.0, words[0].start - LEAD)
    end = max(words[-1].end, _last_sound(audio)) + TAIL
    first = round(start * audio.rate)
    samples = audio.cut(start, end).samples.copy()
    fade = min(round(FADE * audio.rate), len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    samples[:fade] *= ramp
    samples[len(samples) - fade :] *= ramp[::-1]
    moved = tuple(word.shifted(-first / audio.rate) for word in words)
    return Speech(Audio(samples, audio.rate), speech.text, moved)


def _last_sound(audio: Audio) -> float:
    """Seconds to the last sample that is not silence beside the peak."""
    loud = np.flatnonzero(np.abs(audio.samples) > _SILENCE * np.abs(audio.samples).max(initial=0.0))
    return float(loud[-1] + 1) / audio.rate if len(loud) else 0.0


def after_silence(speech: Speech, seconds: float) -> Speech:
    """`speech` with `seconds` of silence before it."""
    if not seconds:
        return speech
    silence = np.zeros(round(seconds * speech.audio.rate), np.float32)
    words = tuple(word.shifted(len(silence) / speech.audio.rate) for word in speech.words)
    return Speech(
        Audio(np.concatenate([silence, speech.audio.samples]), speech.audio.rate), speech.text, words
    )


def join(pieces: Iterable[Speech]) -> Speech:
    """The whole that `pieces` make one after the other. Raises TextError where there are none."""
    pieces = list(pieces)
    if not pieces:
        raise TextError("there is nothing in the text that can be read aloud; give it words or figures")
    rate = pieces[0].audio.rate
    words: list[Word] = []
    offset = 0  # samples, so that hours of pieces do not drift
    for piece in pieces:
        words += (word.shifted(offset / rate) for word in piece.words)
        offset += len(piece.audio.samples)
    samples = np.concatenate([piece.audio.samples for piece in pieces])
    return Speech(Audio(samples, rate), " ".join(piece.text for piece in pieces), tuple(words))

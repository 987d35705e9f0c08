"""Any length of text → speech, sentence by sentence, with the pauses that a reader makes.

The stream is the primitive: memory does not grow with the text, and the first sentence can be
heard while the others are being made. `join` is its fold.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from voice.errors import ModelError, TextError
from voice.text.english.pronunciation import prepare
from voice.text.frontend import Reading, read_aloud, read_arriving
from voice.text.markup import is_ssml, parse
from voice.text.passages import read_passages
from voice.tts.streaming import FADE, LEAD, SILENCE, TAIL, Flowing, spoken
from voice.types import Audio, Controls, Mark, Speech, Word

PAUSES = {"clause": 0.15, "sentence": 0.4, "paragraph": 0.8}  # seconds of silence at speed 1
# Beside a pause whose length was asked for nothing else is silent: the sound is cut where it falls below
# AUDIBLE of its peak, and what is left of its rise and fall counts as pause.
AUDIBLE = 10 ** (-40 / 20)
RISE, FALL = 0.003, 0.005  # seconds


class Engine(Protocol):
    """What turns one reading into speech; holds no state between calls.

    One that can give a sentence in pieces has `stream(reading, controls) -> Flowing` too.
    """

    rate: int

    def render(self, reading: Reading, controls: Controls) -> Speech: ...


class Voice:
    """A synthesizer: the text front end before an engine."""

    def __init__(self, engine: Engine, others: Callable[[str], Engine] | None = None) -> None:
        """`others` finds the engine of another voice that markup names; it raises ModelError."""
        self.engine, self._others = engine, others
        self.rate = engine.rate
        prepare()

    def speak(
        self, text: str, controls: Controls = Controls(), tell: Callable[[str], object] | None = None
    ) -> Iterator[Speech]:
        """The sentences of `text` as they are made; text that has no sound gives none, and a warning.

        A document in SSML is spoken as it asks, what it holds that is not understood being named in
        warnings, or told to `tell` if that is given. Raises TextError where it is malformed, ModelError for a
        voice that is not here.
        """
        return self._speak(self._readings(text, controls, tell), controls, tell=tell)

    def stream(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
        """What `speak` gives, in pieces that end with words: of a long sentence the first is some 0.3 s long,
        made in a few milliseconds, and each is done long before the one before it has been played.

        Joined they are the same speech. A sentence is one piece beside a pause of exact length, and where the
        engine makes sentences whole, as that of `heart` does.
        """
        return self._speak(self._readings(text, controls), controls, in_pieces=True)

    def follow(self, pieces: Iterable[str], controls: Controls = Controls()) -> Iterator[Speech]:
        """What `speak` gives, of a plain text that arrives in `pieces`, a token at a time for instance."""
        return self._speak(read_arriving(pieces, controls.lexicon), controls)

    def _readings(
        self, text: str, controls: Controls, tell: Callable[[str], object] | None = None
    ) -> Iterator[Reading]:
        if not is_ssml(text):
            return read_aloud(text, controls.lexicon)
        markup = parse(text)
        for problem in markup.problems:
            tell(problem) if tell else warnings.warn(problem, stacklevel=3)
        for name in {passage.voice for passage in markup.passages}:
            self._engine_of(name)
        return read_passages(markup.passages, controls.lexicon)

    def _engine_of(self, name: str) -> Engine:
        if not name:
            return self.engine
        if self._others is None:
            raise ModelError(f'this voice cannot change to "{name}"; leave <voice> out')
        engine = self._others(name)
        if engine.rate != self.rate:
            raise ModelError(f'the voice "{name}" has {engine.rate} Hz, not {self.rate}; speak it by itself')
        return engine

    def _speak(
        self, readings: Iterable[Reading], controls: Controls, in_pieces: bool = False,
        tell: Callable[[str], object] | None = None,
    ) -> Iterator[Speech]:  # fmt: skip
        pause, exact = 0.0, False  # the silence that the sentence before asks for; each piece begins with it
        reading = None
        for reading in readings:
            if reading.unread:
                unread = f"not read aloud: {' '.join(reading.unread)}"
                tell(unread) if tell else warnings.warn(unread, stacklevel=3)
            if reading.phonemes:
                engine, (following, exactly) = self._engine_of(reading.voice), pause_after(reading, controls)
                if in_pieces and not exact and not exactly and hasattr(engine, "stream"):
                    flowing = engine.stream(reading, controls)
                    marks = marks_of(flowing.words, reading)
                    yield from spoken(replace(flowing, marks=marks), self.rate, pause)
                else:
                    speech = trimmed(engine.render(reading, controls), exact, exactly)
                    speech = replace(speech, marks=marks_of(speech.words, reading))
                    yield after_silence(speech, max(0.0, pause - RISE) if exact else pause)
                pause, exact = max(0.0, following - FALL) if exactly else following, exactly
            elif reading.marks:
                yield silence(self.rate, pause, reading)
                pause, exact = reading.pause or 0.0, True
            elif reading.pause is not None:
                pause, exact = reading.pause + (pause if exact else 0.0), True
            elif reading.after == "paragraph" and not exact:
                pause = max(pause, pause_after(reading, controls)[0])
        if reading is not None and reading.pause:  # a break at the very end
            yield silence(self.rate, pause)


def pause_after(reading: Reading, controls: Controls) -> tuple[float, bool]:
    """Seconds of silence after `reading`, and whether they were asked for and so are exact."""
    if reading.pause is not None:
        return reading.pause, True
    asked = {
        "clause": controls.clause_pause,
        "sentence": controls.sentence_pause,
        "paragraph": controls.paragraph_pause,
    }[reading.after]
    if asked is not None:
        return asked * controls.pause, True
    return PAUSES[reading.after] / controls.speed * controls.pause, False


def silence(rate: int, seconds: float, reading: Reading | None = None) -> Speech:
    """Silence as a piece of its own, the marks of `reading` at its end."""
    marks = tuple(Mark(name, seconds) for name, _ in reading.marks) if reading else ()
    return Speech(Audio(np.zeros(round(seconds * rate), np.float32), rate), "", (), marks)


def marks_of(words: Sequence[Word], reading: Reading) -> tuple[Mark, ...]:
    """The marks of a `reading` with these `words`, at the beginnings of words or the end of the last."""
    if not words:
        return ()
    times = [(name, words[i].start if i < len(words) else words[-1].end) for name, i in reading.marks]
    return tuple(Mark(name, time) for name, time in times)


def trimmed(speech: Speech, after_exact: bool = False, before_exact: bool = False) -> Speech:
    """`speech` from LEAD before its first word to TAIL after its last sound, faded at both ends.

    Beside an exact pause it begins or ends with its sound, and so do its words.
    """
    audio, words = speech.audio, list(speech.words)
    if not words:
        return speech
    if not (after_exact or before_exact):
        (plain,) = spoken(Flowing(speech.words, iter([audio.samples])), audio.rate)
        return replace(plain, text=speech.text)
    first, last = sounding(audio, AUDIBLE)
    start = max(0.0, words[0].start - LEAD)
    end = max(words[-1].end, sounding(audio, SILENCE)[1]) + TAIL
    if after_exact:
        start = max(0.0, first - RISE)
        words[0] = replace(words[0], start=first)
    if before_exact:
        end = last + FALL
        words[-1] = replace(words[-1], end=max(last, words[-1].start))
    samples = faded(audio.cut(start, end).samples, audio.rate)
    offset = -round(start * audio.rate) / audio.rate
    return Speech(Audio(samples, audio.rate), speech.text, tuple(word.shifted(offset) for word in words))


def faded(samples: np.ndarray, rate: int) -> np.ndarray:
    """A copy that rises from nothing and falls to it within FADE."""
    samples = samples.copy()
    fade = min(round(FADE * rate), len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    samples[:fade] *= ramp
    samples[len(samples) - fade :] *= ramp[::-1]
    return samples


def sounding(audio: Audio, share: float) -> tuple[float, float]:
    """Seconds of the first and to the last sample that is louder than `share` of the peak."""
    loud = np.flatnonzero(np.abs(audio.samples) > share * np.abs(audio.samples).max(initial=0.0))
    return (float(loud[0]) / audio.rate, float(loud[-1] + 1) / audio.rate) if len(loud) else (0.0, 0.0)


def after_silence(speech: Speech, seconds: float) -> Speech:
    """`speech` with `seconds` of silence before it."""
    if not seconds:
        return speech
    silent = np.zeros(round(seconds * speech.audio.rate), np.float32)
    offset = len(silent) / speech.audio.rate
    return Speech(
        Audio(np.concatenate([silent, speech.audio.samples]), speech.audio.rate),
        speech.text,
        tuple(word.shifted(offset) for word in speech.words),
        tuple(mark.shifted(offset) for mark in speech.marks),
    )


def join(pieces: Iterable[Speech]) -> Speech:
    """The whole that `pieces` make one after the other. Raises TextError where there are none."""
    pieces = list(pieces)
    if not pieces:
        raise TextError("there is nothing in the text that can be read aloud; give it words or figures")
    rate = pieces[0].audio.rate
    words: list[Word] = []
    marks: list[Mark] = []
    offset = 0  # samples, so that hours of pieces do not drift
    for piece in pieces:
        words += (word.shifted(offset / rate) for word in piece.words)
        marks += (mark.shifted(offset / rate) for mark in piece.marks)
        offset += len(piece.audio.samples)
    samples = np.concatenate([piece.audio.samples for piece in pieces])
    text = " ".join(piece.text for piece in pieces if piece.text)
    return Speech(Audio(samples, rate), text, tuple(words), tuple(marks))

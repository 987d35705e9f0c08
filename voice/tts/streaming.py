"""A sentence that is heard while it is still being made: where it is cut, and how its ends are trimmed.

The pieces of a sentence, one after the other, are the sentence: trimming, fades and words are the same
whether it comes whole or in pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from voice.abilities import StreamingSynthesizer
from voice.types import Audio, Controls, Mark, Speech, Synthesizer, Word

LEAD = 0.025  # seconds kept before the first word
TAIL = 0.08  # seconds kept after the last sound
FADE = 0.005
SILENCE = 10 ** (-50 / 20)  # of the peak
FIRST, MOST = 0.3, 2.0  # seconds that the first piece of a sentence has at least, and later ones
GROWTH = 2.0  # each next piece may be so many times as long, for what goes before it is still playing
STRETCH = 3.0  # times as long it may get where no word ends


@dataclass(frozen=True, eq=False)
class Flowing:
    """A sentence in the making: its `words` and `marks`, timed from its start, and its `pieces`' samples."""

    words: tuple[Word, ...]
    pieces: Iterator[np.ndarray]
    marks: tuple[Mark, ...] = ()


def cuts(words: Sequence[Word], duration: float) -> list[float]:
    """Where a sentence of `duration` seconds is cut: at ends of words, soon at first, then ever later.

    Returns the seconds at which the pieces end; the last is `duration`.
    """
    if not words:
        return [duration]
    found, start, length = [], max(0.0, words[0].start - LEAD), FIRST
    ends = [word.end for word in words[:-1]]
    while start + length < words[-1].start:
        limit = start + STRETCH * length
        found.append(next((end for end in ends if start + length <= end <= limit), start + length))
        start, length = found[-1], min(MOST, GROWTH * length)
    return [*found, duration]


def trimmed(words: Sequence[Word], pieces: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Samples of a sentence from LEAD before its first word to TAIL after its last sound, faded at both ends.

    A piece that reaches beyond the last word waits for what comes after it.
    """
    if not words:
        yield from pieces
        return
    skip, said = (round(time * rate) for time in (max(0.0, words[0].start - LEAD), words[-1].end))
    fade = min(round(FADE * rate), max(0, said - skip) // 2)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    at, peak, faded, held = 0, 0.0, False, np.zeros(0, np.float32)
    for piece in pieces:
        at, peak = at + len(piece), max(peak, float(np.abs(piece).max(initial=0.0)))
        held = np.concatenate([held, piece])
        if at <= skip:
            held = held[:0]
        elif not faded and at - skip >= fade:
            held, faded = held[max(0, len(held) - (at - skip)) :], True
            held[:fade] *= ramp
        if faded and at <= said and len(held):
            yield held
            held = np.zeros(0, np.float32)
    first = at - len(held)  # of all samples, that which `held` begins with
    loud = np.flatnonzero(np.abs(held) > SILENCE * peak)
    end = max(said, first + int(loud[-1]) + 1 if len(loud) else 0) + round(TAIL * rate)
    held = held[: max(0, end - first)]
    held[len(held) - fade :] *= ramp[::-1]
    yield held


def spoken(flowing: Flowing, rate: int, pause: float = 0.0) -> Iterator[Speech]:
    """A trimmed sentence in pieces, after `pause` seconds of silence.

    A word belongs to the piece in which it ends, with its time from that piece's start, which is negative
    for what began before: a word of several seconds, an address perhaps, is cut too.
    """
    waiting, marks = list(flowing.words), list(flowing.marks)
    silence = np.zeros(round(pause * rate), np.float32)
    skipped = round(max(0.0, waiting[0].start - LEAD) * rate) if waiting else 0
    start = skipped - len(silence)  # of the piece, in samples of the untrimmed sentence
    for samples in trimmed(flowing.words, flowing.pieces, rate):
        samples, silence = np.concatenate([silence, samples]), silence[:0]
        stop = start + len(samples)
        done = [word for word in waiting if round(word.end * rate) <= stop]
        del waiting[: len(done)]
        reached = [mark for mark in marks if round(mark.time * rate) <= stop]
        del marks[: len(reached)]
        words, reached = (tuple(each.shifted(-start / rate) for each in some) for some in (done, reached))
        yield Speech(Audio(samples, rate), " ".join(word.text for word in words), words, reached)
        start = stop


def pieces(synthesizer: Synthesizer, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
    """`text` in the smallest pieces that `synthesizer` can give: parts of sentences, or else sentences."""
    if isinstance(synthesizer, StreamingSynthesizer):
        return synthesizer.stream(text, controls)
    return synthesizer.speak(text, controls)

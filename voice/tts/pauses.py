"""The silence between sentences: how long it is, how a sentence is trimmed for it, and how its ends fade.

Every speaker of text, `Voice` and the agent, takes its pauses from here, so that `Controls` mean the same
everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from voice.text.reading import SpokenSentence
from voice.types import Audio, Controls, Mark, Speech, Word

PAUSES = {"clause": 0.15, "sentence": 0.4, "paragraph": 0.8}  # seconds of silence at speed 1
LEAD = 0.025  # seconds kept before the first word
TAIL = 0.08  # seconds kept after the last sound
FADE = 0.005  # seconds
SILENCE = 10 ** (-50 / 20)  # of the peak
# Beside a pause of exact length nothing else is silent: the sound is cut where it falls below AUDIBLE of its
# peak, and what is left of its attack and decay counts as pause.
AUDIBLE = 10 ** (-40 / 20)
ATTACK, DECAY = 0.003, 0.005  # seconds


@dataclass(frozen=True)
class Pause:
    """Seconds of silence; `exact` ones were asked for and are kept to the sample."""

    seconds: float
    exact: bool = False


def pause_after(after: str, controls: Controls) -> Pause:
    """Return the pause that follows a "clause", a "sentence" or a "paragraph" (see Sentence.after)."""
    asked = {
        "clause": controls.clause_pause,
        "sentence": controls.sentence_pause,
        "paragraph": controls.paragraph_pause,
    }[after]
    if asked is not None:
        return Pause(asked * controls.pause, exact=True)
    return Pause(PAUSES[after] / controls.speed * controls.pause)


def pause_following(reading: SpokenSentence, controls: Controls) -> Pause:
    """Return the pause after a reading: the one that markup gives, or the one of what the reading ends."""
    return pause_after(reading.after, controls) if reading.pause is None else Pause(reading.pause, exact=True)


def silence(rate: int, seconds: float, marks: Iterable[str] = ()) -> Speech:
    """Return a silence as a piece of its own, with `marks` of these names at its end."""
    samples = np.zeros(round(seconds * rate), np.float32)
    return Speech(Audio(samples, rate), "", (), tuple(Mark(name, seconds) for name in marks))


def after_silence(speech: Speech, seconds: float) -> Speech:
    """Return `speech` with `seconds` of silence before it."""
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


def first_kept(words: Sequence[Word]) -> float:
    """Return the seconds at which a trimmed sentence begins: LEAD before its first word."""
    return max(0.0, words[0].start - LEAD) if words else 0.0


def trim(speech: Speech, after_exact: bool = False, before_exact: bool = False) -> Speech:
    """Return `speech` from LEAD before its first word to TAIL after its last sound, faded at both ends.

    Beside an exact pause it begins or ends with its sound, and so do its words.
    """
    if not speech.words:
        return speech
    if after_exact or before_exact:
        return _trim_to_sound(speech, after_exact, before_exact)
    rate = speech.audio.rate
    samples = np.concatenate([*trim_pieces(speech.words, [speech.audio.samples], rate)])
    offset = -round(first_kept(speech.words) * rate) / rate
    words = tuple(word.shifted(offset) for word in speech.words)
    return Speech(Audio(samples, rate), speech.text, words)


def trim_pieces(words: Sequence[Word], pieces: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Yield the samples of a sentence that comes in `pieces` as `trim` returns them of the whole.

    A piece that reaches beyond the last word waits for what comes after it.
    """
    if not words:
        yield from pieces
        return
    first_sample, last_word = (round(time * rate) for time in (first_kept(words), words[-1].end))
    ramp = _ramp(rate, max(0, last_word - first_sample))
    seen, peak, faded, held = 0, 0.0, False, np.zeros(0, np.float32)
    for piece in pieces:
        seen, peak = seen + len(piece), max(peak, float(np.abs(piece).max(initial=0.0)))
        held = np.concatenate([held, piece])
        if seen <= first_sample:
            held = held[:0]
        elif not faded and seen - first_sample >= len(ramp):
            held, faded = held[max(0, len(held) - (seen - first_sample)) :], True
            held[: len(ramp)] *= ramp
        if faded and seen <= last_word and len(held):
            yield held
            held = np.zeros(0, np.float32)
    start = seen - len(held)  # of all samples, that which `held` begins with
    loud = np.flatnonzero(np.abs(held) > SILENCE * peak)
    end = max(last_word, start + int(loud[-1]) + 1 if len(loud) else 0) + round(TAIL * rate)
    held = held[: max(0, end - start)]
    held[len(held) - len(ramp) :] *= ramp[::-1]
    yield held


def _trim_to_sound(speech: Speech, after_exact: bool, before_exact: bool) -> Speech:
    """Return `speech` cut where its sound begins or ends, on the sides where a pause is exact."""
    audio, words = speech.audio, list(speech.words)
    first, last = _sound_limits(audio, AUDIBLE)
    start = first_kept(words)
    end = max(words[-1].end, _sound_limits(audio, SILENCE)[1]) + TAIL
    if after_exact:
        start = max(0.0, first - ATTACK)
        words[0] = replace(words[0], start=first)
    if before_exact:
        end = last + DECAY
        words[-1] = replace(words[-1], end=max(last, words[-1].start))
    samples = _fade_ends(audio.cut(start, end).samples, audio.rate)
    offset = -round(start * audio.rate) / audio.rate
    return Speech(Audio(samples, audio.rate), speech.text, tuple(word.shifted(offset) for word in words))


def _fade_ends(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return a copy of `samples` that rises from nothing and falls to it within FADE."""
    samples, ramp = samples.copy(), _ramp(rate, len(samples))
    samples[: len(ramp)] *= ramp
    samples[len(samples) - len(ramp) :] *= ramp[::-1]
    return samples


def _ramp(rate: int, length: int) -> np.ndarray:
    """Return the factors of a fade in: FADE long, or half of the `length` in samples if that is less."""
    return np.linspace(0.0, 1.0, min(round(FADE * rate), length // 2), dtype=np.float32)


def _sound_limits(audio: Audio, share: float) -> tuple[float, float]:
    """Return the seconds of the first and after the last sample that is louder than `share` of the peak."""
    loud = np.flatnonzero(np.abs(audio.samples) > share * np.abs(audio.samples).max(initial=0.0))
    return (float(loud[0]) / audio.rate, float(loud[-1] + 1) / audio.rate) if len(loud) else (0.0, 0.0)

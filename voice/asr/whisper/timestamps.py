"""When each word was said, from the decoder's attention and the loudness of the sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voice.asr.ctc.alphabet import FRAME
from voice.asr.segmenting import separate_times
from voice.asr.whisper.tokenizer import WordTokens
from voice.types import Audio, Word

_LOUDNESS_FRAME = 0.01
_SHORTEST_WORD = 0.04
_SOFTEST = 15.0  # decibels below the loudest that speech may be without counting as quiet


def words_from_attention(
    words: Sequence[WordTokens],
    alignment: Sequence[tuple[int, int]],
    probabilities: Sequence[float],
    speech: Audio,
) -> list[Word]:
    """Return words with the times at which the decoder attended to their tokens.

    `alignment` pairs (token, encoder frame) along the warping path, one token more than the
    text has; `probabilities` has one per text token. The path gives pauses to the words beside them; they are
    taken back where `speech` is quiet. Times never run backward, and each word has a duration.
    """
    starts = _token_starts(alignment)
    loud = _loud_frames(speech)
    result: list[Word] = []
    for word in words:
        start, end = starts[word.first] * FRAME, starts[word.last] * FRAME
        start, end = _without_silence(start, end, loud)
        confidence = float(np.mean(probabilities[word.first : word.last]))
        result.append(Word(word.text.strip(), float(start), float(end), confidence))
    return separate_times(result, 0.0, speech.duration)


def _token_starts(alignment: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return the first frame of each token along the path."""
    tokens, frames = np.array(alignment).T
    _, first = np.unique(tokens, return_index=True)
    starts: np.ndarray = frames[first]
    return starts


def _loud_frames(speech: Audio) -> np.ndarray:
    """Tell which frames of 10 ms are clearly above the quiet of this recording: (frames,) bool."""
    size = round(_LOUDNESS_FRAME * speech.rate)
    frames = speech.samples[: len(speech.samples) // size * size].reshape(-1, size)
    if not len(frames):
        return np.zeros(0, bool)
    level = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-10)
    quiet, peak = np.percentile(level, [5, 98])
    loud: np.ndarray = level > min(quiet + 0.25 * (peak - quiet), peak - _SOFTEST)
    return loud


def _without_silence(start: float, end: float, loud: np.ndarray) -> tuple[float, float]:
    """Return [start, end] without the quiet at its ends; unchanged if all of it is quiet."""
    first, last = round(start / _LOUDNESS_FRAME), round(end / _LOUDNESS_FRAME)
    sounding = np.flatnonzero(loud[first:last])
    if not len(sounding):
        return start, end
    begin = (first + sounding[0]) * _LOUDNESS_FRAME
    stop = (first + sounding[-1] + 1) * _LOUDNESS_FRAME
    return begin, max(stop, begin + _SHORTEST_WORD)

"""When each word was said: from the recognizer's alignment and the loudness of the sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from voice.asr.whisper.tokenizer import WordTokens
from voice.text.sentences import ends_sentence
from voice.text.timing import lasting
from voice.types import Audio, Segment, Word

FRAME = 0.02  # seconds an encoder frame stands for
PAUSE = 0.8  # seconds of silence between two words that end a segment
_LOUDNESS_FRAME = 0.01
_SHORTEST_WORD = 0.04
_SOFTEST = 15.0  # decibels below the loudest that speech may be without counting as quiet


def timed_words(
    words: Sequence[WordTokens],
    alignment: Sequence[tuple[int, int]],
    probabilities: Sequence[float],
    speech: Audio,
) -> list[Word]:
    """Words with the times at which the decoder attended to their tokens.

    `alignment` pairs (token, encoder frame) along the warping path, one token more than the
    text has; `probabilities` is one per text token. The pauses that the path gives away to
    words are taken back where `speech` is quiet. Times never run backward, and no word takes none.
    """
    starts = _token_starts(alignment)
    loud = _loud(speech)
    result: list[Word] = []
    for word in words:
        start, end = starts[word.first] * FRAME, starts[word.last] * FRAME
        start, end = _without_silence(start, end, loud)
        confidence = float(np.mean(probabilities[word.first : word.last]))
        result.append(Word(word.text.strip(), float(start), float(end), confidence))
    return timed_apart(result, 0.0, speech.duration)


def timed_apart(words: Sequence[Word], since: float, until: float) -> list[Word]:
    """Words in [since, until] with times that rise, none overlapping, none without length."""
    spans = lasting([(word.start, word.end) for word in words], since, until)
    return [replace(word, start=start, end=end) for word, (start, end) in zip(words, spans, strict=True)]


def segmented(texts: Iterable[str], words: Iterable[Word]) -> Iterator[Segment]:
    """Words with their texts as decoded, spaces included → a segment per sentence or pause."""
    held: list[tuple[str, Word]] = []
    for text, word in zip(texts, words, strict=True):
        if held:
            said = "".join(each for each, _ in held[-2:])
            if ends_sentence(said, word.text) or word.start - held[-1][1].end >= PAUSE:
                yield _segment(held)
                held = []
        held.append((text, word))
    if held:
        yield _segment(held)


def _segment(pairs: Sequence[tuple[str, Word]]) -> Segment:
    words = tuple(word for _, word in pairs)
    return Segment("".join(text for text, _ in pairs).strip(), words[0].start, words[-1].end, words)


def _token_starts(alignment: Sequence[tuple[int, int]]) -> np.ndarray:
    """The first frame of each token along the path."""
    tokens, frames = np.array(alignment).T
    _, first = np.unique(tokens, return_index=True)
    return frames[first]


def _loud(speech: Audio) -> np.ndarray:
    """Which 10 ms frames are clearly above the quiet of this recording: (frames,) bool."""
    size = round(_LOUDNESS_FRAME * speech.rate)
    frames = speech.samples[: len(speech.samples) // size * size].reshape(-1, size)
    if not len(frames):
        return np.zeros(0, bool)
    level = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-10)
    quiet, peak = np.percentile(level, [5, 98])
    return level > min(quiet + 0.25 * (peak - quiet), peak - _SOFTEST)


def _without_silence(start: float, end: float, loud: np.ndarray) -> tuple[float, float]:
    """[start, end] less the quiet at its ends; unchanged if all of it is quiet."""
    first, last = round(start / _LOUDNESS_FRAME), round(end / _LOUDNESS_FRAME)
    sounding = np.flatnonzero(loud[first:last])
    if not len(sounding):
        return start, end
    begin = (first + sounding[0]) * _LOUDNESS_FRAME
    stop = (first + sounding[-1] + 1) * _LOUDNESS_FRAME
    return begin, max(stop, begin + _SHORTEST_WORD)

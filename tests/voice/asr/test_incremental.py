"""Incremental recognition of frames that somebody else has judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from voice.asr.incremental import RATE, IncrementalRecognizer
from voice.asr.streaming import Live
from voice.errors import VoiceError
from voice.types import Audio, Segment, Transcript, Word

HOP = 512
WORD = 10  # frames of each word


class LoudIsSpeech:
    rate, hop = RATE, HOP

    def stream(self):
        return lambda frame: float(np.abs(frame).max() > 0)


class Numbers:
    """Recognizes a stretch of level n / 1000 as the word "w<n>"; fails once when asked to."""

    rate = RATE

    def __init__(self) -> None:
        self.fails = False

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        if self.fails:
            self.fails = False
            raise VoiceError("the model is gone; load it again")
        levels = np.round(speech.samples * 1000).astype(int)
        edges = [0, *(np.flatnonzero(np.diff(levels)) + 1), len(levels)]
        words = tuple(
            Word(f"w{levels[first]}", first / RATE, last / RATE)
            for first, last in zip(edges, edges[1:], strict=False)
            if levels[first]
        )
        text = " ".join(word.text for word in words)
        return Transcript((Segment(text, 0.0, speech.duration, words),), "en", speech.duration)


def sound(*numbers: int) -> np.ndarray:
    """Words of these numbers, 0 for silence."""
    return np.repeat(np.array(numbers, np.float32) / 1000, WORD * HOP)


def judge(samples: np.ndarray) -> list[float]:
    judge_one = LoudIsSpeech().stream()
    return [judge_one(frame) for frame in samples.reshape(-1, HOP)]


@pytest.mark.parametrize("frames", [1, 7, 1000])
def test_frames_with_their_probabilities_give_the_words_of_the_sound_that_a_detector_judges(
    frames: int,
) -> None:
    samples = sound(0, 1, 2, 3, 4, 0, 0, 0, 5, 6, 7, 8, 9)
    alone, given = Live(Numbers(), LoudIsSpeech()), IncrementalRecognizer(Numbers(), HOP)
    size = frames * HOP
    for first in range(0, len(samples), size):
        piece = samples[first : first + size]
        assert alone.feed(piece) == given.feed(piece, judge(piece))
    assert given.finish() == alone.finish()
    assert given.finish().text == "w1 w2 w3 w4 w5 w6 w7 w8 w9"


def test_no_frame_is_lost_where_the_recognizer_fails() -> None:
    recognizer, samples = Numbers(), sound(1, 2, 3, 4, 5)
    words = IncrementalRecognizer(recognizer, HOP)
    recognizer.fails = True
    with pytest.raises(VoiceError):
        words.feed(samples, judge(samples))
    words.feed(sound(6), judge(sound(6)))
    assert words.finish().text == "w1 w2 w3 w4 w5 w6"
    assert words.finish().duration == pytest.approx(6 * WORD * HOP / RATE)


def test_what_is_no_speech_by_its_probability_is_not_recognized() -> None:
    samples = sound(1, 2, 3)
    words = IncrementalRecognizer(Numbers(), HOP)
    assert words.feed(samples, [0.0] * (3 * WORD)) is None
    assert words.finish().text == ""


def test_each_frame_has_to_have_its_probability() -> None:
    with pytest.raises(ValueError, match="shorter|longer"):
        IncrementalRecognizer(Numbers(), HOP).feed(sound(1), [1.0])

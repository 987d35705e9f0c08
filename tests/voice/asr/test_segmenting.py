from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from voice.asr.segmenting import separate_times, split_segments
from voice.types import Segment, Word


def timed_words(text: str, gaps: Mapping[int, float] = MappingProxyType({})) -> list[Word]:
    """Words of 0.2 s without pauses, but for `gaps` before the numbered ones."""
    clock, words = 0.0, []
    for number, word in enumerate(text.split()):
        clock += gaps.get(number, 0.0)
        words.append(Word(word, clock, clock + 0.2))
        clock += 0.2
    return words


def segments(words: list[Word]) -> list[Segment]:
    return list(split_segments([f" {word.text}" for word in words], words))


def test_segments_are_sentences() -> None:
    found = segments(timed_words('Hello there. "How are you?" Fine!'))
    assert [segment.text for segment in found] == ["Hello there.", '"How are you?"', "Fine!"]
    assert (found[1].start, found[1].end) == pytest.approx((0.4, 1.0))
    assert len(found[1].words) == 3


def test_a_pause_ends_a_segment_and_an_abbreviation_does_not() -> None:
    assert [s.text for s in segments(timed_words("so then Mr. Smith vs. him went", {2: 1.0}))] == [
        "so then",
        "Mr. Smith vs. him went",
    ]


def test_a_segment_does_not_end_inside_a_name() -> None:
    found = segments(timed_words("We met Dr. A. Smith of the U.S. Senate. He waved."))
    assert [segment.text for segment in found] == ["We met Dr. A. Smith of the U.S. Senate.", "He waved."]


def test_no_words_are_no_segments() -> None:
    assert segments([]) == []


def test_times_rise_and_every_word_lasts() -> None:
    words = [Word("a", 0.5, 0.4), Word("b", 0.2, 0.9), Word("c", 0.9, 3.0)]
    found = separate_times(words, 0.0, 1.0)
    edges = [edge for word in found for edge in (word.start, word.end)]
    assert edges == sorted(edges) and 0.0 <= edges[0] and edges[-1] <= 1.0
    assert all(word.end > word.start for word in found)

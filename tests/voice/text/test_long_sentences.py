"""Sentences that are too long to be spoken at once, cut where nothing is left to hear."""

from __future__ import annotations

import random

import pytest

from voice.text.english.language import ENGLISH
from voice.text.frontend import LONGEST, spoken_sentences

SILENT = ["(", ")", "…", ",", "—", "-", "你好", "[", "''"]


PUNCTUATED = {
    "one mark after the longest part": "a " * 200 + "(",
    "many marks first": "( " * 600 + "a",
    "many marks last": "a " * 200 + "( " * 500,
    "a long word and many marks": "a" * 500 + "(" * 500,
    "marks alone": "( " * 300,
}


@pytest.mark.parametrize("text", PUNCTUATED.values(), ids=PUNCTUATED)
def test_a_part_of_nothing_but_punctuation_joins_its_neighbor(text: str):
    check(text)


def test_no_mixture_of_short_words_and_punctuation_breaks_the_reading():
    draw = random.Random(0)
    for _ in range(60):
        silent = draw.choices(SILENT, k=draw.choice((1, 3, 400)))
        words = ["a"] * draw.choice((150, 195, 200, 201, 400))
        at = draw.choice((0, len(words), draw.randrange(len(words))))
        check(" ".join([*words[:at], *silent, *words[at:]]))


def check(text: str) -> None:
    """Every reading that sounds has words that own all of its phonemes, and is short enough."""
    for reading in spoken_sentences(text, ENGLISH):
        assert len(reading.phonemes) <= LONGEST + 1
        assert reading.phonemes and reading.words
        assert {owner for owner in reading.owners if owner >= 0} == set(range(len(reading.words)))

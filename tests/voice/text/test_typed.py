"""Whatever is typed is read: a part of what `python -m benchmarks.typed` goes through."""

from __future__ import annotations

import pytest

from benchmarks.typed import pages, problem, typed_strings
from voice.text.english.language import ENGLISH
from voice.text.english.normalization import normalize
from voice.text.frontend import MOST_PHONEMES, read_aloud
from voice.text.sentences import ENGLISH_SENTENCES


def test_every_page_of_unicode_is_typed_and_always_the_same():
    strings = list(typed_strings(5000, seed=11))
    assert len(strings) == 5000 and strings[:300] == list(typed_strings(300, seed=11))
    assert min(map(len, strings)) == 0 and max(map(len, strings)) == 5000
    letters = set("".join(strings))
    assert all(any(start <= ord(c) < start + 128 for c in letters) for start in pages()[::40])


@pytest.mark.parametrize("part", range(4))
def test_nothing_is_skipped_repeated_or_left_unreported(part):
    for text in list(typed_strings(480, seed=12))[part::4]:
        if len(text) <= 1000:
            assert not problem(text)[0], text


def test_two_thousand_words_without_a_stop_are_cut_before_conjunctions():
    text = " ".join("we walked along the river and the rain came down on us".split() * 170)
    readings = list(read_aloud(text, ENGLISH))
    assert len(text.split()) > 2000 and all(len(reading.phonemes) <= MOST_PHONEMES for reading in readings)
    assert " ".join(reading.text for reading in readings) == text
    assert (
        sum(reading.words[0].text in ENGLISH_SENTENCES.joining for reading in readings[1:])
        >= len(readings) * 0.9
    )


def test_capitals_throughout_are_words_and_acronyms():
    (shouted,) = read_aloud("HE TOLD THE FBI THAT MICHELLE WAS AT HOME", ENGLISH)
    (calm,) = read_aloud("he told the FBI that Michelle was at home", ENGLISH)
    assert shouted.phonemes == calm.phonemes


@pytest.mark.parametrize(
    ("written", "spoken", "unread"),
    [
        ("Ｈｅｌｌｏ，　ｗｏｒｌｄ！ ＄５", "Hello, world! five dollars", ()),
        ("\U0001d407\U0001d41e\U0001d425\U0001d425\U0001d428 \U0001d7d2\U0001d7d0", "Hello forty-two", ()),
        ("\u202eso\u202c \u200bit\ufeff is\x07", "so it is", ()),
        ("हिन्दी, yes", "yes", ("हिन्दी",)),
        ("a \ud800 b", "a b", ("\ud800",)),
        ("────── Title ══════", "Title", ()),
        ("====== Title ~~~~~~", "Title", ()),
        ("Z̷a̷l̷g̷o̷", "Zalgo", ()),
        ("Ⅷ and ①", "eight and one", ()),
        ("👍🏽 done ❤️", "thumbs up sign done heart", ()),
        ("x**2 + a*b", "x to the power of two plus A times b", ()),
    ],
)
def test_unusual_characters_are_said_or_reported(written, spoken, unread):
    found = normalize(written)
    assert found.text.replace(",", "").split() == spoken.replace(",", "").split() and found.unread == unread

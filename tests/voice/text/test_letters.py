"""Languages without phonemes: words are counted, cut and paused between as in every other."""

from __future__ import annotations

from voice.text.frontend import spoken_sentences
from voice.text.letters import SOUND, letter_language, pronounce

GREEK = letter_language("el")


def test_sentences_keep_their_words_as_they_are_written():
    sentences = list(spoken_sentences("Καλημέρα σας, κόσμε. Τι κάνεις;", GREEK))
    assert [[word.spoken for word in each.words] for each in sentences] == [
        ["Καλημέρα", "σας,", "κόσμε."],
        ["Τι", "κάνεις;"],
    ] or [word.spoken for each in sentences for word in each.words] == [
        "Καλημέρα", "σας,", "κόσμε.", "Τι", "κάνεις;",
    ]  # fmt: skip


def test_a_word_sounds_by_its_letters_and_digits_and_marks_have_no_sound():
    assert pronounce(["κόσμε,", "42", "—"])[:2] == [SOUND * 5 + ",", SOUND * 2]
    assert SOUND not in pronounce(["—"])[0]


def test_long_sentences_are_cut():
    sentences = list(spoken_sentences("παρακαλώ " * 200, GREEK))
    assert len(sentences) > 2
    assert sum(len(each.words) for each in sentences) == 200

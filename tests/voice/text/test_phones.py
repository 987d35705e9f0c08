"""Phones given by hand, and the lexicon: both give the phonemes that the words themselves have."""

from __future__ import annotations

import pytest

from voice.errors import TextError
from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud
from voice.text.lexicon import parse_lexicon, read_lexicon
from voice.text.phones import from_arpabet, from_ipa
from voice.text.reading import SpokenSentence
from voice.types import Pronunciation


def phonemes(text: str, lexicon=None) -> str:
    (reading,) = read_aloud(text, ENGLISH, lexicon)
    return reading.phonemes if isinstance(reading, SpokenSentence) else ""


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("hello", "HH AH0 L OW1"), ("water", "W AO1 T ER0"), ("church", "CH ER1 CH"),
        ("nation", "N EY1 SH AH0 N"), ("little", "L IH1 T AH0 L"), ("measure", "M EH1 ZH ER0"),
        ("city", "S IH1 T IY0"), ("judge", "JH AH1 JH"), ("boy", "B OY1"), ("wanted", "W AA1 N T IH0 D"),
        ("roses", "R OW1 Z IH0 Z"), ("cow", "K AW1"), ("fire", "F AY1 ER0"), ("apple", "AE1 P AH0 L"),
    ],
)  # fmt: skip
def test_phones_of_arpabet_are_what_the_word_gives(word: str, phones: str) -> None:
    assert phonemes(f"We say {word} here.") == phonemes(f"We say [[{phones}]] here.")


@pytest.mark.parametrize(
    ("word", "ipa"),
    [("hello", "həˈloʊ"), ("church", "t͡ʃɝt͡ʃ"), ("joy", "dʒɔɪ"), ("strength", "ˈstɹɛŋθ"), ("red", "rɛd")],
)
def test_ipa_is_what_the_word_gives(word: str, ipa: str) -> None:
    assert from_ipa(ipa) == phonemes(word)


def test_words_around_phones_are_read_in_their_context() -> None:
    assert phonemes("The [[AE1 P AH0 L]], please!") == phonemes("The apple, please!")
    assert phonemes("The [[P EH1 R]].") == phonemes("The pear.")


def test_phones_are_written_words_with_their_place() -> None:
    (reading,) = read_aloud("Say [[HH AH0 L OW1]], then go.", ENGLISH)
    assert [word.text for word in reading.words] == ["Say", "[[HH AH0 L OW1]],", "then", "go."]
    assert (reading.words[1].start, reading.words[1].end) == (4, 21)


@pytest.mark.parametrize(
    "text", ["if [[ -f x ]] then", "See [[Main Page]].", "a [[1, 2], [3]] b", "[[]]", "[["]
)
def test_other_double_brackets_are_read_as_ever(text: str, recwarn) -> None:
    assert phonemes(text) == phonemes(text, {}) and not recwarn.list


def test_phones_that_are_none_are_named_and_read_as_text() -> None:
    with pytest.warns(UserWarning, match="HH AH9"):
        assert phonemes("[[HH AH9]]")


@pytest.mark.parametrize("phones", ["", "HH XX", "AH3", "B1"])
def test_what_is_no_phone_is_refused(phones: str) -> None:
    with pytest.raises(TextError, match="ARPAbet"):
        from_arpabet(phones)


@pytest.mark.parametrize("ipa", ["", "日本", "ˈ", "x1"])
def test_what_is_no_ipa_is_refused(ipa: str) -> None:
    with pytest.raises(TextError, match="American English"):
        from_ipa(ipa)


LEXICON = """
# names
Nguyen = N W IH1 N
siobhan = /ʃɪˈvɔːn/     # Irish
SQL\tsequel
GIF = [[JH IH1 F]]
New York = the big apple
IT = I T
"""


def test_a_lexicon_has_phones_ipa_and_other_words() -> None:
    found = parse_lexicon(LEXICON)
    assert found["Nguyen"] == Pronunciation(phonemes="nwˈɪn") and found["GIF"] == Pronunciation(
        phonemes="ʤˈɪf"
    )
    assert found["siobhan"] == Pronunciation(phonemes="ʃɪvˈɔn") and found["SQL"] == Pronunciation(
        words="sequel"
    )


def test_words_of_the_lexicon_are_said_as_it_says() -> None:
    words = parse_lexicon(LEXICON)
    assert phonemes("Ask Nguyen, please.", words) == phonemes("Ask [[N W IH1 N]], please.")
    assert phonemes("SQL is old.", words) == phonemes("Sequel is old.")
    assert phonemes("Siobhan sings.", words).startswith("ʃɪvˈɔn")
    assert phonemes("We like New York.", words) == phonemes("We like the big apple.")


def test_capitals_in_a_lexicon_mean_only_that_spelling() -> None:
    words = parse_lexicon(LEXICON)
    assert phonemes("Is it new?", words) == phonemes("Is it new?")
    assert phonemes("Ask IT.", words) == phonemes("Ask I T.")
    assert phonemes("The SQLite file.", words) == phonemes("The SQLite file.")


def test_a_word_of_the_lexicon_keeps_its_possessive() -> None:
    assert "nwˈɪnz" in phonemes("Nguyen's book.", parse_lexicon(LEXICON))
    assert "ʤˈɪfs" in phonemes("The GIF’s end.", parse_lexicon(LEXICON))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a = b\n\nfoo", "line 3: 'foo' is not WORD ="),
        ("a = b\na = c", "line 2: a is already there"),
        ("x = HH AH9", "line 1: AH9: no phone"),
        ("x = /q9/", "line 1: 9 q in 'q9'"),
        ("= y", "line 1: '= y' is not WORD ="),
        ("! = y", "line 1: '!' is no word"),
    ],
)
def test_what_is_wrong_in_a_lexicon_is_named_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(TextError) as error:
        parse_lexicon(text, "words.txt")
    assert f"words.txt, {complaint}" in str(error.value)


def test_a_lexicon_that_cannot_be_read_says_why(tmp_path) -> None:
    with pytest.raises(TextError, match="cannot be read"):
        read_lexicon(tmp_path / "none.txt")
    (tmp_path / "odd.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TextError, match="UTF-8"):
        read_lexicon(tmp_path / "odd.txt")

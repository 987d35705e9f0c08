"""From what is written to phonemes, and back to the words that own them."""

import random

import pytest

from voice.text.alphabet import PUNCTUATION
from voice.text.english.language import ENGLISH
from voice.text.english.pronunciation import alphabet, pronounce
from voice.text.frontend import MOST_PHONEMES, read_aloud, spoken_sentences
from voice.text.reading import SoundlessSentence

HARD = [
    "",
    "   \n\n ",
    "?!",
    "… — ()",
    "a",
    "I",
    "\x00\x07\u200d\ufeff",
    "🙂🙂 ok 👍🏽",
    "世界",
    "Привет, мир! γειά",
    "HELLO THERE, HOW ARE YOU?",
    "[link](https://example.com/a) and [say](/həlˈO/)",
    "word " * 2000,
    "a" * 3000,
    "a-" * 800,
    "1234567890" * 60,
    "https://example.com/" + "abc/" * 200,
    "'" * 500 + "(" * 500,
    "A." * 300,
    "$5-" * 100 + "1/2" * 100,
    "for (int i=0; i<10; ++i) { x[i] += 3.5e-2; } // ok",
]


def check(text):
    readings = list(read_aloud(text, ENGLISH))
    for reading in readings:
        if isinstance(reading, SoundlessSentence):
            assert reading.unread or not any(char.isalnum() for char in reading.text)
            continue
        assert len(reading.owners) == len(reading.phonemes) <= MOST_PHONEMES + 20
        assert set(reading.phonemes) <= set(alphabet())
        owned = [owner for owner in reading.owners if owner >= 0]
        assert owned == sorted(owned) and set(owned) == set(range(len(reading.words)))
        for phoneme, owner in zip(reading.phonemes, reading.owners, strict=True):
            assert (owner == -1) == (phoneme in PUNCTUATION)
        for word in reading.words:
            assert " ".join(text[word.start : word.end].split()) == word.text
        assert "".join("".join(word.text for word in reading.words).split()) == "".join(reading.text.split())
    assert "".join("".join(reading.text.split()) for reading in readings) == "".join(text.split())
    return readings


@pytest.mark.parametrize("text", HARD, ids=lambda text: repr(text[:20]))
def test_reads_whatever_is_typed(text):
    check(text)


def test_reads_random_text_of_every_block():
    chance = random.Random(0)
    ranges = [(32, 127), (32, 0x250), (0x250, 0x3000), (0x1F000, 0x1FAFF), (0, 0x110000)]
    for _ in range(60):
        low, high = chance.choice(ranges)
        check("".join(chr(chance.randrange(low, high)) for _ in range(chance.choice([1, 3, 20, 80]))))


def test_words_are_as_written_and_spoken_as_said():
    (reading,) = read_aloud("On 3/5/2024 Dr. Lee paid $5 million!", ENGLISH)
    assert [word.text for word in reading.words] == ["On", "3/5/2024", "Dr.", "Lee", "paid", "$5 million!"]
    assert reading.words[1].spoken == "March fifth, twenty twenty-four"
    assert reading.words[5].spoken == "five million dollars!"


def test_each_phoneme_belongs_to_its_word():
    (reading,) = read_aloud("Hello there, world!", ENGLISH)
    said = [
        "".join(p for p, o in zip(reading.phonemes, reading.owners, strict=True) if o == i) for i in range(3)
    ]
    assert said == ["həlˈO", "ðˈɛɹ", "wˈɜɹld"]
    assert reading.phonemes == "həlˈO ðˈɛɹ, wˈɜɹld!"


def test_heteronyms_are_read_in_context():
    assert pronounce("I read it yesterday.".split())[1] == "ɹˈɛd"
    assert pronounce("I will read it.".split())[2] == "ɹˈid"


def test_letters_are_told_from_the_article():
    assert pronounce("vitamin A is good".split())[1] == "ˈA"
    assert pronounce("A dog".split())[0] == "ɐ" and pronounce("(A dog)".split())[0] == "(ɐ"
    assert pronounce("D N A.".split()) == ["dˌi", "ˌɛn", "ˈA."]


def test_known_misreadings_are_mended_before_a_possessive_too():
    assert pronounce("Professor Nguyen's book".split())[1] == "nwˈɪnz"


def test_what_cannot_be_read_is_reported():
    readings = list(read_aloud("Hello 世界. 東京", ENGLISH))
    assert [reading.unread for reading in readings] == [("世界",), ("東京",)]
    assert readings[0].words[0].text == "Hello 世界."


def test_long_sentences_are_cut_at_clauses_with_every_word_kept():
    text = "we walked along the river in the rain, " * 40
    readings = check(text)
    assert len(readings) > 3
    assert all(reading.words[-1].text == "rain," for reading in readings)


def test_every_heldout_sentence_is_read_whole(corpora):
    path = corpora.parent / "text" / "heldout.txt"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    for line in path.read_text(encoding="utf-8").splitlines():
        assert not any(reading.unread for reading in check(line))


SOUNDLESS = ["(", ")", "…", ",", "—", "-", "你好", "[", "''"]


PUNCTUATED = {
    "one mark after the longest part": "a " * 200 + "(",
    "many marks first": "( " * 600 + "a",
    "many marks last": "a " * 200 + "( " * 500,
    "a long word and many marks": "a" * 500 + "(" * 500,
    "marks alone": "( " * 300,
}


@pytest.mark.parametrize("text", PUNCTUATED.values(), ids=PUNCTUATED)
def test_a_part_of_nothing_but_punctuation_joins_its_neighbor(text: str):
    check_parts(text)


def test_no_mixture_of_short_words_and_punctuation_breaks_the_reading():
    draw = random.Random(0)
    for _ in range(60):
        silent = draw.choices(SOUNDLESS, k=draw.choice((1, 3, 400)))
        words = ["a"] * draw.choice((150, 195, 200, 201, 400))
        at = draw.choice((0, len(words), draw.randrange(len(words))))
        check_parts(" ".join([*words[:at], *silent, *words[at:]]))


def check_parts(text: str) -> None:
    """Every reading that sounds has words that own all of its phonemes, and is short enough."""
    for reading in spoken_sentences(text, ENGLISH):
        assert len(reading.phonemes) <= MOST_PHONEMES + 1
        assert reading.phonemes and reading.words
        assert {owner for owner in reading.owners if owner >= 0} == set(range(len(reading.words)))

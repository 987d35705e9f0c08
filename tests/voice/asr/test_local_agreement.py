from __future__ import annotations

from voice.asr.local_agreement import agreed_words, bare, new_words
from voice.types import Word


def words(text: str, start: float = 0.0) -> list[Word]:
    """One word each half second."""
    return [Word(word, start + i / 2, start + i / 2 + 0.4) for i, word in enumerate(text.split())]


def texts(found) -> str:
    return " ".join(word.text for word in found)


def test_words_compare_without_case_and_punctuation() -> None:
    assert bare("“Don't,”") == "don't"
    assert bare("—") == ""


def test_what_follows_the_known_words_is_fresh() -> None:
    assert texts(new_words(words("it was a"), words("It was a dark night"))) == "dark night"
    assert texts(new_words([], words("dark night"))) == "dark night"
    assert new_words(words("dark night"), words("Dark night.")) == ()
    assert new_words(words("dark night"), []) == ()


def test_a_first_word_damaged_by_the_cut_does_no_harm() -> None:
    assert texts(new_words(words("other's face in"), words("Hers face in a flash"))) == "a flash"
    assert texts(new_words(words("other's face in"), words("face in a flash", 0.5))) == "a flash"


def test_a_known_word_heard_otherwise_is_not_said_twice() -> None:
    assert texts(new_words(words("one two three four"), words("one too three four five"))) == "five"


def test_repeated_words_are_told_apart_by_their_times() -> None:
    assert texts(new_words(words("very very"), words("very very very good"))) == "very good"


def test_a_phrase_heard_otherwise_is_not_taken_for_its_repetition() -> None:
    known = words("and ladies eardrops and")[1:]
    assert texts(new_words(known, words("and ladies year and traversed"))) == "traversed"


def test_the_times_decide_where_nothing_fits() -> None:
    assert texts(new_words(words("one two three four"), words("un deux trois quatre cinq"))) == "cinq"


def test_hypotheses_agree_up_to_the_first_other_word() -> None:
    assert agreed_words(words("The men stared."), words("the men stared into")) == 3
    assert agreed_words(words("the man"), words("the men")) == 1
    assert agreed_words([], words("the men")) == 0

import time

import pytest

from voice.errors import TextError
from voice.text import lexicon as lexicons
from voice.text.lexicon import find_words, parse_entry
from voice.types import Pronunciation


def test_a_word_of_several_is_found_over_any_spaces():
    lexicon = dict([parse_entry("New \t York", "N Y")])
    assert [(start, end) for start, end, _ in find_words("in New \n York now", lexicon)] == [(3, 13)]


def test_spaces_in_a_word_cost_no_more_than_one():
    word, said = parse_entry("a" + 12 * " " + "b", "c")
    begun = time.process_time()
    assert not list(find_words("a" + 5000 * " " + "c", {word: said}))
    assert time.process_time() - begun < 1  # twelve times any number of spaces never ends


@pytest.mark.parametrize("word", ["", " - ", "a" * 81])
def test_what_is_no_word_is_refused(word: str):
    with pytest.raises(TextError, match="no word"):
        parse_entry(word, "b")


def test_of_several_words_the_longest_is_found_and_only_where_it_stands_alone():
    lexicon = dict(parse_entry(word, "x y") for word in ("york", "New York", "C++", ".NET", "don't"))
    text = "NEW YORK: don't new york; New  York's C++, C+, ASP.NET .NET yorks"
    found = [text[start:end] for start, end, _ in find_words(text, lexicon)]
    assert found == ["YORK", "don't", "york", "New  York's", "C++", ".NET"]


def test_a_text_is_compared_only_with_the_words_that_begin_as_it_does(monkeypatch: pytest.MonkeyPatch):
    compared = []
    pattern = lexicons._pattern
    monkeypatch.setattr(lexicons, "_pattern", lambda words: compared.extend(words) or pattern(words))
    lexicon = {f"word{number}": Pronunciation(words="x") for number in range(5000)} | {
        "Word7 b": Pronunciation(words="y")
    }
    assert [said.words for _, _, said in find_words("of word7 and of Word7 b", lexicon)] == ["x", "y"]
    assert compared == ["word7", "Word7 b"] * 2

import time

import pytest

from voice.errors import TextError
from voice.text.lexicon import entry, found_in


def test_a_word_of_several_is_found_over_any_spaces():
    lexicon = dict([entry("New \t York", "N Y")])
    assert [(start, end) for start, end, _ in found_in("in New \n York now", lexicon)] == [(3, 13)]


def test_spaces_in_a_word_cost_no_more_than_one():
    word, said = entry("a" + 12 * " " + "b", "c")
    begun = time.process_time()
    assert not list(found_in("a" + 5000 * " " + "c", {word: said}))
    assert time.process_time() - begun < 1  # twelve times any number of spaces never ends


@pytest.mark.parametrize("word", ["", " - ", "a" * 81])
def test_what_is_no_word_is_refused(word: str):
    with pytest.raises(TextError, match="no word"):
        entry(word, "b")

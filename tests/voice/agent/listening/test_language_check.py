"""When a person is told that they may speak a language that nobody understands here."""

from __future__ import annotations

from voice.agent.listening.language_check import LanguageCheck
from voice.types import Word


def words(confidence: float, count: int) -> list[Word]:
    return [Word("word", i, i + 1, confidence) for i in range(count)]


def test_the_person_is_told_once_enough_words_are_unsure_and_again_after_sure_ones() -> None:
    doubt = LanguageCheck()
    said = [
        doubt.note(words(confidence, 5), {"en"}) for confidence in (0.4, 0.4, 0.3, *[0.95] * 5, *[0.3] * 5)
    ]
    assert [turn for turn, note in enumerate(said) if note] == [1, 10]
    assert said[1] == "This did not sound like English, the only language that is understood here."


def test_a_few_words_unclear_ones_among_clear_ones_and_several_languages_raise_no_doubt() -> None:
    assert not LanguageCheck().note(words(0.2, 7), {"en"})
    assert not LanguageCheck().note(words(0.2, 7) + words(0.95, 12), {"en"})
    assert not LanguageCheck().note(words(0.2, 20), {"en", "de"})
    assert not LanguageCheck().note(words(0.2, 20), ())
    assert not LanguageCheck().note((), {"en"})

"""What every language's folder must do: written → spoken by its list, and phonemes by its list.

`spoken.txt` beside the tests of a language has what is said, `phonemes.txt` words and sentences with what
espeak-ng makes of them, in Kokoro's alphabet (`benchmarks/text/phonemes.py` counts all differences).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.spoken_cases import cases_of, wrong_readings
from voice.text.frontend import spoken_sentences
from voice.text.registry import find_language, language_cards
from voice.text.sentences import split_sentences
from voice.tts.kokoro.engine import symbols

HERE = Path(__file__).parent
CODES = [code for code in language_cards() if code != "en"]  # English has tests of its own kind


def list_of(code: str, name: str) -> Path:
    return HERE / language_cards()[code].folder / name


@pytest.mark.parametrize("code", CODES)
def test_written_text_is_said_as_a_native_reader_says_it(code):
    path = list_of(code, "spoken.txt")
    assert sum(map(len, cases_of(path).values())) >= 300
    assert not wrong_readings(path, find_language(code))


@pytest.mark.parametrize("code", CODES)
def test_phonemes_are_those_that_the_voices_were_trained_on(code):
    language = find_language(code)
    rows = [line.split(" => ") for line in list_of(code, "phonemes.txt").read_text("utf-8").splitlines()]
    assert len(rows) >= 40
    wrong = {
        text: found
        for text, wanted in rows
        if (found := " ".join(language.pronounce(text.split()))) != wanted
    }
    assert not wrong


@pytest.mark.parametrize("code", CODES)
def test_every_phoneme_is_one_that_kokoro_has_a_sound_for(code):
    language = find_language(code)
    written = " ".join(
        written for cases in cases_of(list_of(code, "spoken.txt")).values() for written, _ in cases
    )
    for reading in spoken_sentences(written, language):
        assert set(reading.phonemes) <= set(symbols())


@pytest.mark.parametrize("code", CODES)
def test_abbreviations_end_no_sentence_and_stops_do(code):
    rules = find_language(code).sentences
    for before_name in rules.never_final & rules.small:
        assert len(list(split_sentences(f"X {before_name}. Anna.", rules))) == 1
    assert [each.text for each in split_sentences("Ana. Bruno?", rules)] == ["Ana.", "Bruno?"]


@pytest.mark.parametrize("code", CODES)
def test_a_word_without_letters_has_no_sound_and_breaks_nothing(code):
    language = find_language(code)
    assert language.pronounce(["—", "a", "..."])[0] == ""
    assert language.pronounce([]) == []

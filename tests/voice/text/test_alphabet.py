"""One phoneme alphabet for all who write phonemes and all who read them."""

from __future__ import annotations

import json

import pytest

from voice.text import alphabet, phones
from voice.text.alphabet import SYMBOLS, has_sound, without_final_marks
from voice.text.english import pronunciation
from voice.tts import heart


def test_no_symbol_is_there_twice_and_the_order_of_the_shipped_tables_is_kept():
    assert len(set(SYMBOLS)) == len(SYMBOLS)
    assert SYMBOLS == '_ ;:,.!?—…"()“”AIOQWYaeoæɑɐɒɔəɚɛɜɪʊʌᵊᵻiubdfhjklmnprstvwxzðŋɡɹɾTʃʒθʤʧʔˈˌː'


def test_hibari_knows_every_symbol():
    ids = json.loads((heart.package() / "vocab.json").read_text("utf-8"))
    assert set(SYMBOLS) - {alphabet.BOUNDARY} <= set(ids) and ids == pronunciation.alphabet()


def test_arpabet_and_corrections_are_written_in_it():
    tables = "".join([*phones.ARPABET_VOWELS.values(), *phones.ARPABET_CONSONANTS.values()])
    assert set(tables) <= set(SYMBOLS)
    assert set("".join(pronunciation._corrections().values())) <= set(SYMBOLS) - {alphabet.BOUNDARY}


@pytest.mark.parametrize(
    ("phonemes", "bare", "sounds"), [("hˈI!”", "hˈI", True), ("…) ", "", False), ("", "", False)]
)
def test_punctuation_has_no_sound(phonemes, bare, sounds):
    assert without_final_marks(phonemes) == bare and has_sound(phonemes) == sounds

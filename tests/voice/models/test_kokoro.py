"""Kokoro's voices by name, and mixtures of them."""

from __future__ import annotations

import pytest

from voice.errors import ModelError, ModelMissing
from voice.loading import load_voice
from voice.models import catalog, kokoro, lookup


def test_the_shares_of_a_mixture_add_up_to_one():
    assert kokoro.parse_mixture("bf_emma") == {"bf_emma": 1.0}
    mixed = kokoro.parse_mixture("af_heart + bf_emma:0.3")
    assert mixed == {"af_heart": pytest.approx(1 / 1.3), "bf_emma": pytest.approx(0.3 / 1.3)}
    assert kokoro.parse_mixture("af_heart+af_heart:3+am_adam") == {"af_heart": 0.8, "am_adam": 0.2}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("af_hart+bf_emma", "no voice 'af_hart'; did you mean af_heart"),
        ("af_heart:much", "the weight 'much'"),
        ("af_heart:-1+bf_emma", "the weight '-1'"),
        ("af_heart:inf", "the weight 'inf'"),
        ("af_heart+xx_nobody", "no voice 'xx_nobody'"),
        ("+".join(kokoro.names()[:9]), "at most 8"),
    ],
)
def test_a_mixture_that_cannot_be_made_says_why(name, said):
    with pytest.raises(ModelMissing, match=said):
        load_voice(name)


def test_there_are_54_voices_whose_cards_say_what_they_are():
    voices = [entry for entry in catalog.entries().values() if entry.voice_of == "kokoro"]
    assert len(voices) == 54
    emma = catalog.entries()["bf_emma"]
    assert (emma.card.language, emma.card.options["accent"], emma.card.options["sex"]) == (
        "en",
        "British",
        "woman",
    )
    assert emma.lenders == ("kokoro",) and emma.home == catalog.entries()["kokoro"].home
    assert {entry.card.language for entry in voices} == {"en", "es", "fr", "hi", "it", "ja", "pt", "zh"}


def test_a_misspelt_voice_is_answered_by_the_one_that_is_close():
    with pytest.raises(ModelMissing, match=r"one of heart, kokoro, .*did you mean bf_emma\?"):
        load_voice("bf_ema")


def test_a_voice_is_not_removed_without_its_model():
    with pytest.raises(ModelError, match="bf_emma is a voice of kokoro: voice models remove kokoro"):
        lookup.remove("bf_emma")


def test_a_mixture_has_a_card_without_being_fetched():
    assert lookup.find_stored("bf_emma:2+am_adam").card.options["accent"] == "British"

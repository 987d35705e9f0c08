"""Languages are found by their folders."""

from __future__ import annotations

import pytest

from voice.errors import VoiceError
from voice.text.english.language import ENGLISH
from voice.text.registry import can_read, find_language, language_cards, parse_spoken_language


def test_every_card_leads_to_its_language():
    for code, card in language_cards().items():
        assert find_language(code).code == code == card.code and card.name and card.written
    assert find_language("en") is ENGLISH


def test_a_language_is_called_by_code_tag_or_name():
    assert parse_spoken_language("en") == parse_spoken_language("English") == "en"
    assert can_read("en") and not can_read("tlh")


@pytest.mark.parametrize("given", ["fi", "auto", "nonsense", ""])
def test_what_cannot_be_spoken_is_refused_with_what_can(given):
    with pytest.raises(VoiceError, match="language"):
        parse_spoken_language(given)

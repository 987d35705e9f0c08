"""The language that a text is read in, and its voice."""

from __future__ import annotations

import pytest

from voice.cli.spoken_languages import USUAL_VOICE, parse_choice, voice_for
from voice.errors import VoiceError


@pytest.mark.parametrize(
    ("given", "text", "code"),
    [
        (None, "Hola, ¿cómo estás? Yo estoy muy bien.", None),
        ("auto", "Hola, ¿cómo estás? Yo estoy muy bien.", "es"),
        ("auto", "Ciao, come stai? Sono molto contento di essere qui.", "it"),
        ("auto", "The weather is fine.", "en"),
        ("Spanish", "Hola.", "es"),
        ("it-IT", "Ciao.", "it"),
    ],
)
def test_a_language_is_named_or_found_in_the_text(given, text, code):
    assert parse_choice(given, text) == code


def test_a_language_that_cannot_be_read_is_refused():
    with pytest.raises(VoiceError, match="languages are"):
        parse_choice("fi", "Hei.")


def test_a_language_brings_its_voice_unless_one_is_named():
    assert voice_for(USUAL_VOICE, "es") == "ef_dora"
    assert voice_for("em_alex", "es") == "em_alex"
    assert voice_for(USUAL_VOICE, "en") == voice_for(USUAL_VOICE, None) == USUAL_VOICE

from __future__ import annotations

import pytest

from voice.errors import VoiceError
from voice.text import languages
from voice.text.languages import language_for, name_of, parse_language


@pytest.mark.parametrize(
    ("said", "code"),
    [
        *[(each, "es") for each in ("es", "ES", " es ", "spa", "Spanish", "spanish", "SPANISH", "Castilian")],
        *[
            (each, "es")
            for each in ("es-MX", "es_MX.UTF-8", "es-419", "Español", "espanol", "Spanish (Mexico)")
        ],
        *[(each, "es") for each in ("Mexican Spanish", "Spanish, Latin America", "es_ES@euro")],
        *[(each, "de") for each in ("deu", "ger", "Deutsch", "de-AT")],
        *[
            (each, "zh")
            for each in ("zh-CN", "zh-Hans", "zh-Hant-TW", "中文", "Mandarin", "zho", "Chinese Simplified")
        ],
        *[(each, "yue") for each in ("Cantonese", "yue", "zh-yue", "yue-Hant-HK", "粵語")],
        *[(each, "he") for each in ("iw", "he", "עברית")],
        *[(each, "id") for each in ("in", "id", "Bahasa Indonesia")],
        *[(each, "jw") for each in ("jw", "jv", "jav", "Javanese")],
        *[(each, "no") for each in ("no", "nb", "nb-NO", "Norwegian", "Bokmål", "norsk")],
        *[(each, "nn") for each in ("nn", "Norwegian Nynorsk", "nno")],
        *[(each, "ht") for each in ("haitian creole", "Haitian", "hat")],
        ("pt-BR", "pt"),
        ("Brazilian Portuguese", "pt"),
        ("moldavian", "ro"),
        ("fil", "tl"),
        ("Türkçe", "tr"),
        ("हिन्दी", "hi"),
        ("english", "en"),
    ],
)
def test_a_language_is_known_by_whatever_people_call_it(said: str, code: str) -> None:
    assert parse_language(said) == code


@pytest.mark.parametrize("said", [None, "", "  ", "auto", "AUTO", "detect", "und"])
def test_detection_can_be_asked_for_by_name(said: str | None) -> None:
    assert parse_language(said) is None
    assert parse_language(said, {"en"}) is None


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Spansih", r"did you mean Spanish \(es\)"),
        ("germn", r"German \(de\)"),
        ("Klingon", "give its name or its code"),
        ("xx", "there is no language 'xx'"),
        ("x" * 10_000, "there is no language"),
        ("en;rm -rf", "there is no language"),
    ],
)
def test_what_is_no_language_is_refused_with_what_is_near(said: str, hint: str) -> None:
    with pytest.raises(VoiceError, match=hint) as caught:
        parse_language(said)
    assert len(str(caught.value)) < 200


def test_a_recognizer_gets_the_code_that_it_knows() -> None:
    assert parse_language("Javanese", {"en", "jv"}) == "jv"
    assert parse_language("jv", {"en", "jw"}) == "jw"
    assert parse_language("tlh", {"en", "tlh"}) == "tlh"  # of a model with a language of its own
    with pytest.raises(VoiceError, match=r"does not know Finnish \(fi\); it knows de en"):
        parse_language("suomi", {"en", "de"})
    with pytest.raises(VoiceError, match=r"only transcribes 'en'; use whisper-base for Finnish"):
        parse_language("fi", {"en"})


def test_a_recognizer_that_does_not_say_its_languages_is_taken_at_whispers() -> None:
    class Deaf:
        languages = frozenset({"en"})

    assert language_for(object(), "Finnish") == "fi"
    with pytest.raises(VoiceError):
        language_for(Deaf(), "Finnish")


def test_no_two_languages_share_a_name_or_a_code() -> None:
    named = [languages._bare(each) for codes, names in languages._rows() for each in {*codes, *names}]
    owners: dict[str, set[str]] = {}
    for codes, names in languages._rows():
        for each in (*codes, *names):
            owners.setdefault(languages._bare(each), set()).add(codes[0])
    assert named and all(len(codes) == 1 for codes in owners.values())


def test_all_of_whispers_languages_have_a_name_by_which_they_are_found() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    for code in _LANGUAGE_CODES:
        assert name_of(code) != code
        assert parse_language(code) == code
        assert parse_language(name_of(code)) == code
    assert name_of("tlh") == "tlh"

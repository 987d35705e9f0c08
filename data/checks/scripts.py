"""Alphabets and languages of texts, as far as letters and small words tell them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

_LATIN = frozenset({"LATIN"})
_CYRILLIC = frozenset({"CYRILLIC"})
_HAN = frozenset({"CJK", "BOPOMOFO"})
_ARABIC = frozenset({"ARABIC"})
_DEVANAGARI = frozenset({"DEVANAGARI"})
SCRIPTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        "en de fr es it pt nl pl cs sk sl hr ro hu sv da no nb nn fi et lv lt tr vi id ms".split(), _LATIN
    ),
    **dict.fromkeys("ca gl eu cy ga is mt sq sw tl af la eo".split(), _LATIN),
    **dict.fromkeys("ru uk be bg mk kk ky mn tg tt ba".split(), _CYRILLIC),
    "sr": _CYRILLIC | _LATIN,
    "el": frozenset({"GREEK"}),
    **dict.fromkeys("zh yue".split(), _HAN),
    "ja": _HAN | {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    "ko": frozenset({"HANGUL", "CJK"}),
    **dict.fromkeys("ar fa ur ps".split(), _ARABIC),
    "he": frozenset({"HEBREW"}),
    **dict.fromkeys("hi mr ne sa".split(), _DEVANAGARI),
    "th": frozenset({"THAI"}),
    "hy": frozenset({"ARMENIAN"}),
    "ka": frozenset({"GEORGIAN"}),
    "ta": frozenset({"TAMIL"}),
    "te": frozenset({"TELUGU"}),
    "bn": frozenset({"BENGALI"}),
    "am": frozenset({"ETHIOPIC"}),
}
_SMALL_WORDS: Mapping[str, frozenset[str]] = {
    "en": frozenset("the and of to is was that it for with you are this have not he she they".split()),
    "de": frozenset("der die das und ist nicht ich ein eine mit zu den von auf sie wir für dem".split()),
    "fr": frozenset("le la les et est des une que qui dans pour pas vous nous sur ce il du".split()),
    "es": frozenset("el los las que una por con para es no se del como pero más está y su".split()),
    "it": frozenset("il che di non una per con sono del della gli è ma come più nel si lo".split()),
    "nl": frozenset("de het een en van is niet dat ik te met voor op zijn er maar ook".split()),
    "pt": frozenset("o os uma que não para com por mais como mas se dos foi está em ao".split()),
}
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST = 3  # small words of another language, without one of its own, that make a text one of that language


@lru_cache(maxsize=4096)
def script_of(letter: str) -> str | None:
    """Return the script of a letter as Unicode names it ("LATIN"), None for what is no letter."""
    if not letter.isalpha():
        return None
    return unicodedata.name(letter, "UNKNOWN").split()[0]


def scripts_of(text: str) -> Counter[str]:
    """Count the letters of a text by script."""
    return Counter(script for letter in text if (script := script_of(letter)))


def expected_scripts(language: str | None, usual: str | None) -> frozenset[str]:
    """Return the scripts that a language is written in.

    Without one, that of most texts around; maybe none.
    """
    known = SCRIPTS.get((language or "").lower().replace("_", "-").split("-")[0])
    return known or (frozenset({usual}) if usual else frozenset())


def mixed_words(text: str) -> list[str]:
    """Return the words of a text with letters of two alphabets that look alike."""
    alike = {"LATIN", "CYRILLIC", "GREEK"}
    return [word for word in _WORD.findall(text) if len({script_of(letter) for letter in word} & alike) > 1]


def other_language(text: str, language: str) -> str | None:
    """Return the language that a text is in by its small words; None where it may be `language`."""
    own = _SMALL_WORDS.get(language.lower().split("-")[0].split("_")[0])
    words = [word.casefold() for word in _WORD.findall(text)]
    if own is None or any(word in own for word in words):
        return None
    counts = {code: sum(word in small for word in words) for code, small in _SMALL_WORDS.items()}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= _FEWEST else None

"""Written → spoken for Spanish."""

from __future__ import annotations

from functools import lru_cache

from voice.text.language import NormalizedText
from voice.text.spanish.wording import SPANISH_WORDS
from voice.text.verbalization.letters import character_reader
from voice.text.verbalization.normalizing import normalize_by_rules
from voice.text.verbalization.rule import Rule

SPANISH_ALPHABET = frozenset("abcdefghijklmnñopqrstuvwxyzáéíóúü")
# Acronyms of two or three letters, or without a vowel inside, that are read as words all the same.
SPOKEN_ACRONYMS = frozenset("ONU OEA FIFA OTAN UNAM IVA SIDA OVNI AVE ESO TIC PYME NASA".split())

_say_character = character_reader(SPANISH_WORDS, "".join(sorted(SPANISH_ALPHABET)))


def normalize(sentence: str) -> NormalizedText:
    """Return the words in which `sentence` is read aloud."""
    return normalize_by_rules(sentence, sentence, _rules(), _say_character)


@lru_cache(maxsize=1)
def _rules() -> tuple[Rule, ...]:
    from voice.text.spanish.abbreviations import ORDINAL_RULES, SHORT_RULES
    from voice.text.verbalization import addresses, calendar, figures, letters, measures, roman

    return (
        *addresses.address_rules(SPANISH_WORDS),
        *calendar.calendar_rules(SPANISH_WORDS, r"(?:de\s+)?"),
        *measures.money_rules(SPANISH_WORDS),
        *measures.unit_rules(SPANISH_WORDS),
        *SHORT_RULES,
        *ORDINAL_RULES,
        *roman.roman_rules(SPANISH_WORDS),
        *letters.acronym_rules(SPANISH_WORDS, SPOKEN_ACRONYMS),
        *figures.figure_rules(SPANISH_WORDS),
    )

"""Written → spoken: figures, dates, money, addresses, abbreviations and symbols put into words.

The loop over the rules is `voice.text.verbalization.normalizing`.
"""

from __future__ import annotations

from functools import lru_cache

from voice.text.english.characters import plain_forms, say_character
from voice.text.language import NormalizedText
from voice.text.verbalization.normalizing import normalize_by_rules
from voice.text.verbalization.rule import Rule


def normalize(sentence: str, day_first: bool = False) -> NormalizedText:
    """Return the words in which `sentence` is read aloud; 03/04 is in April where the day is first."""
    return normalize_by_rules(sentence, plain_forms(sentence), _rules(day_first), say_character)


@lru_cache(maxsize=2)
def _rules(day_first: bool) -> tuple[Rule, ...]:
    from voice.text.english import (
        abbreviations,
        addresses,
        amounts,
        dates,
        letters,
        measures,
        money,
        streets,
        words,
    )

    return (
        *words.WORD_RULES,
        *addresses.ADDRESS_RULES,
        *dates.date_rules(day_first),
        *streets.STREET_RULES,
        *money.MONEY_RULES,
        *measures.LENGTH_RULES,
        *amounts.FRACTION_RULES,
        *measures.UNIT_RULES,
        *amounts.AMOUNT_RULES,
        *abbreviations.ABBREVIATION_RULES,
        *letters.LETTER_RULES,
        *amounts.FIGURE_RULES,
    )

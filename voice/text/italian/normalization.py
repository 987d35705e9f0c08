"""Written → spoken for Italian."""

from __future__ import annotations

from functools import lru_cache

from voice.text.italian.wording import ITALIAN_WORDS
from voice.text.language import NormalizedText
from voice.text.verbalization.letters import character_reader
from voice.text.verbalization.normalizing import normalize_by_rules
from voice.text.verbalization.rule import Rule

# Acronyms that are read as words though they are short.
_ITALIAN_SPOKEN = frozenset(
    "ONU NATO FIAT IVA RAI FIFA UEFA NASA AIDS INPS ISTAT SIM PIN CONI ENI ENEL TAR ASL".split()
)

_say_character = character_reader(ITALIAN_WORDS, "abcdefghijklmnopqrstuvwxyzàèéìîòóù")


def normalize(sentence: str) -> NormalizedText:
    """Return the words in which `sentence` is read aloud."""
    return normalize_by_rules(sentence, sentence, _rules(), _say_character)


@lru_cache(maxsize=1)
def _rules() -> tuple[Rule, ...]:
    from voice.text.italian.abbreviations import ITALIAN_ORDINAL_RULES, ITALIAN_SHORT_RULES, ITALIAN_TIME_RULE
    from voice.text.verbalization import addresses, calendar, figures, letters, measures, roman

    return (
        *addresses.address_rules(ITALIAN_WORDS),
        ITALIAN_TIME_RULE,
        *calendar.calendar_rules(ITALIAN_WORDS, ""),
        *measures.money_rules(ITALIAN_WORDS),
        *measures.unit_rules(ITALIAN_WORDS),
        *ITALIAN_SHORT_RULES,
        *ITALIAN_ORDINAL_RULES,
        *roman.roman_rules(ITALIAN_WORDS),
        *letters.acronym_rules(ITALIAN_WORDS, _ITALIAN_SPOKEN),
        *figures.figure_rules(ITALIAN_WORDS),
    )

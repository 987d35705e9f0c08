"""Roman numerals: II, XIV, XXI."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from voice.text.verbalization.rule import Rule, one_of, rule
from voice.text.verbalization.wording import ALONE, Wording

ROMAN = r"(?=[IVXLCM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def roman_value(text: str) -> int:
    """Return the number that a Roman numeral means."""
    values = [_VALUES[letter] for letter in text]
    following = [*values[1:], 0]
    return sum(-one if one < after else one for one, after in zip(values, following, strict=True))


def roman_after(names: Iterable[str], say: Callable[[str, int], str]) -> Rule:
    """Return the rule for a numeral after one of `names`: `say` gets the name and the number."""

    def say_match(match: re.Match[str]) -> str | None:
        return say(match["before"], roman_value(match["token"])) if match["token"] else None

    return rule(rf"\b(?P<before>{one_of(names)})\s(?P<token>{ROMAN})(?![\w'’])", say_match)


def roman_rules(words: Wording) -> tuple[Rule, ...]:
    """Return the rule for numerals that nothing else reads: those of I, V and X alone, as "CD" is none."""

    def say(match: re.Match[str]) -> str:
        return words.cardinal(roman_value(match["token"]), ALONE)

    return (rule(r"(?<![\w.'’-])(?=[IVX]{2,})(?P<token>X{0,3}(?:IX|IV|V?I{0,3}))(?![\w'’])", say),)

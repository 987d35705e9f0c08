"""The words that written → spoken rules need of a language whose figures are written 1.234,5."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

ALONE, MASCULINE, FEMININE = "", "m", "f"  # how a number stands: by itself, or before a noun of a gender


@dataclass(frozen=True)
class Noun:
    """A noun that is counted, and its gender."""

    one: str
    many: str
    gender: str = MASCULINE

    def after_number(self, is_one: bool) -> str:
        """Return the noun as it stands after a number."""
        return self.one if is_one else self.many


@dataclass(frozen=True)
class Wording:
    """The words of a language.

    - `cardinal(n, gender)` and `ordinal(n, gender)` are number words, `digits` the names of 0 to 9.
    - `gender_of(word)` is the gender of a noun in the plural or singular that a number stands before, ALONE
      for a word that is none.
    - `comma` is said between a whole number and its decimals, `until` in ranges.
    - `months` are the twelve names; `date(day, month, year)` says a date, with None for a year not given.
    - `time(hour, minute, second)` says a time of day, with None for seconds not given.
    - `currencies` by sign or code: the unit and its hundredth, None where there is none; `cents` joins them.
    - `scales`: words such as "millones" after which a noun follows with `of` before it.
    - `units` by sign; `per` says what is below the slash of two ("por hora"); `square` and `cubic` follow
      the noun.
    - `signs`: how characters are read that stand by themselves; `address_signs` those inside of addresses.
    - `letters`: the names of letters.
    """

    cardinal: Callable[[int, str], str]
    ordinal: Callable[[int, str], str]
    digits: tuple[str, ...]
    gender_of: Callable[[str], str]
    comma: str
    until: str
    months: tuple[str, ...]
    date: Callable[[int, int, int | None], str]
    time: Callable[[int, int, int | None], str]
    currencies: Mapping[str, tuple[Noun, Noun | None]]
    cents: str
    scales: tuple[str, ...]
    of: str
    units: Mapping[str, Noun]
    per: Callable[[Noun], str]
    square: Noun
    cubic: Noun
    signs: Mapping[str, str]
    address_signs: Mapping[str, str]
    letters: Mapping[str, str]

    def spell(self, text: str) -> str:
        """Return the names of the letters, digits and signs of `text`."""
        names = (self._name(character) for character in text.lower() if not character.isspace())
        return " ".join(name for name in names if name)

    def _name(self, character: str) -> str:
        if character.isascii() and character.isdigit():
            return self.digits[int(character)]
        return self.letters.get(character) or self.address_signs.get(character, "")

"""Spoken numbers: "two hundred and five", "three point one four", "two and a half"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {word: value for value, word in enumerate(_SMALL)}
_VALUES |= {word: 10 * value for value, word in enumerate(_TENS, start=2)}
_VALUES |= {"oh": 0, "dozen": 12}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_DENOMINATORS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6}
_DENOMINATORS |= {"seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "hundredth": 100, "thousandth": 1000}
_DENOMINATORS |= {
    f"{word}s": value for word, value in _DENOMINATORS.items() if word not in ("half", "halves")
}
MOST_DIGITS = 250  # digits in a row; more are no number, and neither int nor float takes them
_DIGITS = re.compile(rf"\d{{1,{MOST_DIGITS}}}(\.\d{{1,{MOST_DIGITS}}})?|\.\d{{1,{MOST_DIGITS}}}")
_FRACTION = re.compile(rf"(\d{{1,{MOST_DIGITS}}})/(\d{{1,{MOST_DIGITS}}})")

NUMBER_WORDS = frozenset(_VALUES) | frozenset(_SCALES) | {"hundred", "point", "minus"}


def words_to_numerals(words: Sequence[str]) -> list[str]:
    """Replace each spoken number among the words by one exact numeral ("3/4", "5/2", "205")."""
    result, position = [], 0
    while position < len(words):
        found = _number_at(words, position)
        if found:
            value, position = found
            result.append(str(value))
        else:
            result.append(words[position])
            position += 1
    return result


def parse_number(text: str) -> Fraction | None:
    """Return the number that the whole text says; None if it says none, or anything else besides."""
    words = text.lower().replace("-", " - ").replace(",", "").split()
    sign = 1
    if words and words[0] in ("-", "minus", "negative"):
        sign, words = -1, words[1:]
    words = [word for word in words if word != "-"]
    found = _number_at(words, 0)
    if not found or found[1] != len(words):
        return None
    return sign * found[0]


def _number_at(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """Return the longest number that begins at word `start`, and the index of the word after it."""
    found = _fraction_at(words, start) or _decimal_at(words, start)
    if not found:
        return None
    value, position = found
    if words[position : position + 1] == ["and"]:  # "two and a half"
        part = _fraction_at(words, position + 1)
        if part and part[0] < 1:
            return value + part[0], part[1]
    return value, position


def _fraction_at(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """Return a fraction ("half", "a quarter", "two thirds", "3/4") and the index after it."""
    if start >= len(words):
        return None
    first, following = words[start], words[start + 1] if start + 1 < len(words) else ""
    numeral = _FRACTION.fullmatch(first)
    if numeral and int(numeral[2]):
        return Fraction(int(numeral[1]), int(numeral[2])), start + 1
    if first == "half":
        return Fraction(1, 2), start + (2 if following in ("a", "an") else 1)
    if first in ("a", "an") and following in ("half", "third", "quarter", "fifth", "tenth"):
        return Fraction(1, _DENOMINATORS[following]), start + 2
    count = _VALUES.get(first) or (int(first) if first.isdecimal() and len(first) < 4 else 0)
    if count and following in _DENOMINATORS:
        return Fraction(count, _DENOMINATORS[following]), start + 2
    return None


def _decimal_at(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """Return a whole number with the digits after "point", if any, and the index after it."""
    starts_with_point = words[start : start + 1] == ["point"]
    whole = (Fraction(0), start) if starts_with_point else _cardinal_at(words, start)
    if not whole:
        return None
    value, position = whole
    if words[position : position + 1] != ["point"]:
        return whole
    digits, position = _digits_at(words, position + 1)
    if not digits:
        return None if position == start + 1 else whole
    value += Fraction(int(digits), 10 ** len(digits))
    scale = _SCALES.get(words[position]) if position < len(words) else None
    return (value * scale, position + 1) if scale else (value, position)


def _digits_at(words: Sequence[str], start: int) -> tuple[str, int]:
    """Return the digits that are said one by one, as after a decimal point, and the index after them."""
    digits, position = "", start
    while position < len(words) and len(digits + words[position]) <= MOST_DIGITS:
        word = words[position]
        if _VALUES.get(word, 10) < 10:
            digits += str(_VALUES[word])
        elif word.isdecimal():
            digits += word
        else:
            break
        position += 1
    return digits, position


def _cardinal_at(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """Return a cardinal, groups with their scales ("two million and six") and the index after it."""
    total, position, limit = Fraction(0), start, 10**15
    while True:
        after_and = position > start and words[position : position + 1] == ["and"]
        found = _group_at(words, position + after_and)
        if not found:
            break
        group, following = found
        scale = _SCALES.get(words[following], 1) if following < len(words) else 1
        if group * scale >= limit or (position > start and limit == 1):
            break
        total, position = total + group * scale, following + (scale > 1)
        limit = scale
        if scale == 1:
            break
    return (total, position) if position > start else None


def _group_at(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """Return a number below a thousand in words, or a numeral of any size, and the index after it."""
    word = words[start] if start < len(words) else ""
    if _DIGITS.fullmatch(word):
        value, position = Fraction(word), start + 1
    elif word in ("a", "an") and start + 1 < len(words) and words[start + 1] in _MULTIPLIERS:
        value, position = Fraction(1), start + 1
    else:
        found = _below_hundred_at(words, start)
        if not found:
            return None
        value, position = Fraction(found[0]), found[1]
    if words[position : position + 1] == ["dozen"]:
        return value * 12, position + 1
    if words[position : position + 1] != ["hundred"]:
        return value, position
    value, position = value * 100, position + 1
    joined = position + (words[position : position + 1] == ["and"])
    rest = _below_hundred_at(words, joined)
    return (value + rest[0], rest[1]) if rest else (value, position)


_MULTIPLIERS = frozenset(_SCALES) | {"hundred", "dozen"}


def _below_hundred_at(words: Sequence[str], start: int) -> tuple[int, int] | None:
    """Return a number below a hundred in words, and the index after it."""
    value = _VALUES.get(words[start]) if start < len(words) else None
    if value is None:
        return None
    unit = _VALUES.get(words[start + 1], 0) if start + 1 < len(words) else 0
    if value >= 20 and 0 < unit < 10:
        return value + unit, start + 2
    return value, start + 1


def format_number(value: Fraction | float | int) -> str:
    """Format a number to be read aloud: at most four decimals, with "about" if digits were dropped."""
    exact = Fraction(value)
    if exact.denominator == 1 and abs(exact) < 10**15:
        return str(exact.numerator)
    size = abs(float(exact))
    if size >= 1e15 or size < 1e-3:
        mantissa, exponent = f"{float(exact):.3e}".split("e")
        return f"about {float(mantissa):g} times 10 to the power of {int(exponent)}"
    rounded = f"{float(exact):.4f}".rstrip("0").rstrip(".")
    same = abs(Fraction(rounded) - exact) < Fraction(1, 10**9)
    return rounded if same else f"about {rounded}"

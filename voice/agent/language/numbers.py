"""Numbers as people say them: "two hundred and five", "three point one four", "two and a half"."""

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
_PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6}
_PARTS |= {"seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "hundredth": 100, "thousandth": 1000}
_PARTS |= {f"{word}s": value for word, value in _PARTS.items() if word not in ("half", "halves")}
LONGEST = 250  # digits in a row: what is longer is no number, and neither int nor float takes it
_DIGITS = re.compile(rf"\d{{1,{LONGEST}}}(\.\d{{1,{LONGEST}}})?|\.\d{{1,{LONGEST}}}")
_FRACTION = re.compile(rf"(\d{{1,{LONGEST}}})/(\d{{1,{LONGEST}}})")

NUMBER_WORDS = frozenset(_VALUES) | frozenset(_SCALES) | {"hundred", "point", "minus"}


def numerals(words: Sequence[str]) -> list[str]:
    """The same words with each spoken number as one exact numeral ("3/4", "2.5", "205")."""
    result, position = [], 0
    while position < len(words):
        found = _number(words, position)
        if found:
            value, position = found
            result.append(str(value))
        else:
            result.append(words[position])
            position += 1
    return result


def parse_number(text: str) -> Fraction | None:
    """The number that the whole of `text` says, or None."""
    words = text.lower().replace("-", " - ").replace(",", "").split()
    sign = 1
    if words and words[0] in ("-", "minus", "negative"):
        sign, words = -1, words[1:]
    words = [word for word in words if word != "-"]
    found = _number(words, 0)
    if not found or found[1] != len(words):
        return None
    return sign * found[0]


def _number(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """The longest number that begins at word `start`, and the word after it."""
    found = _part(words, start) or _decimal(words, start)
    if not found:
        return None
    value, position = found
    if words[position : position + 1] == ["and"]:  # "two and a half"
        part = _part(words, position + 1)
        if part and part[0] < 1:
            return value + part[0], part[1]
    return value, position


def _part(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """A fraction: "half", "a quarter", "two thirds", "3/4"."""
    if start >= len(words):
        return None
    first, following = words[start], words[start + 1] if start + 1 < len(words) else ""
    written = _FRACTION.fullmatch(first)
    if written and int(written[2]):
        return Fraction(int(written[1]), int(written[2])), start + 1
    if first == "half":
        return Fraction(1, 2), start + (2 if following in ("a", "an") else 1)
    if first in ("a", "an") and following in ("half", "third", "quarter", "fifth", "tenth"):
        return Fraction(1, _PARTS[following]), start + 2
    count = _VALUES.get(first) or (int(first) if first.isdecimal() and len(first) < 4 else 0)
    if count and following in _PARTS:
        return Fraction(count, _PARTS[following]), start + 2
    return None


def _decimal(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """A whole number and what follows "point"."""
    if words[start : start + 1] == ["point"]:
        whole = Fraction(0), start
    else:
        whole = _whole(words, start)
    if not whole:
        return None
    value, position = whole
    if words[position : position + 1] != ["point"]:
        return whole
    digits, position = _digits(words, position + 1)
    if not digits:
        return None if position == start + 1 else whole
    value += Fraction(int(digits), 10 ** len(digits))
    scale = _SCALES.get(words[position]) if position < len(words) else None
    return (value * scale, position + 1) if scale else (value, position)


def _digits(words: Sequence[str], start: int) -> tuple[str, int]:
    """Single digits in a row, as after a decimal point."""
    digits, position = "", start
    while position < len(words) and len(digits + words[position]) <= LONGEST:
        word = words[position]
        if _VALUES.get(word, 10) < 10:
            digits += str(_VALUES[word])
        elif word.isdecimal():
            digits += word
        else:
            break
        position += 1
    return digits, position


def _whole(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """A cardinal: groups below a thousand with their scales, as in "two million and six"."""
    total, position, limit = Fraction(0), start, 10**15
    while True:
        after_and = position > start and words[position : position + 1] == ["and"]
        found = _group(words, position + after_and)
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


def _group(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """A number below a thousand in words ("two hundred and five"), or a numeral of any size."""
    word = words[start] if start < len(words) else ""
    if _DIGITS.fullmatch(word):
        value, position = Fraction(word), start + 1
    elif word in ("a", "an") and start + 1 < len(words) and words[start + 1] in _BIG:
        value, position = Fraction(1), start + 1
    else:
        found = _below_hundred(words, start)
        if not found:
            return None
        value, position = Fraction(found[0]), found[1]
    if words[position : position + 1] == ["dozen"]:
        return value * 12, position + 1
    if words[position : position + 1] != ["hundred"]:
        return value, position
    value, position = value * 100, position + 1
    joined = position + (words[position : position + 1] == ["and"])
    rest = _below_hundred(words, joined)
    return (value + rest[0], rest[1]) if rest else (value, position)


_BIG = frozenset(_SCALES) | {"hundred", "dozen"}


def _below_hundred(words: Sequence[str], start: int) -> tuple[int, int] | None:
    value = _VALUES.get(words[start]) if start < len(words) else None
    if value is None:
        return None
    unit = _VALUES.get(words[start + 1], 0) if start + 1 < len(words) else 0
    if value >= 20 and 0 < unit < 10:
        return value + unit, start + 2
    return value, start + 1


def written(value: Fraction | float | int) -> str:
    """A number to be read aloud: at most four decimals, "about" where digits were dropped."""
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

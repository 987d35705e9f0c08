"""Built-in kinds of slots: numbers, ordinals, percentages and letters (`pv.…` of Rhino)."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping

from voice.text.english.numbers import cardinal, ordinal


def builtin_values(kind: str) -> Mapping[str, str] | None:
    """Return {as reported: as spoken} of a built-in kind such as "pv.Percent"; None for any other name."""
    make = BUILTIN_KINDS.get(kind)
    return make() if make else None


def _integers(end: int) -> dict[str, str]:
    return {str(n): cardinal(n) for n in range(end)}


def _ordinals(end: int) -> dict[str, str]:
    return {str(n): ordinal(n) for n in range(1, end)}


def _percentages() -> dict[str, str]:
    return {f"{n}%": f"{cardinal(n)} percent" for n in range(101)}


def _letters() -> dict[str, str]:
    return {letter.upper(): letter for letter in string.ascii_lowercase}


BUILTIN_KINDS: Mapping[str, Callable[[], dict[str, str]]] = {
    "pv.SingleDigitInteger": lambda: _integers(10),
    "pv.TwoDigitInteger": lambda: _integers(100),
    "pv.SingleDigitOrdinal": lambda: _ordinals(10),
    "pv.TwoDigitOrdinal": lambda: _ordinals(100),
    "pv.Percent": _percentages,
    "pv.Alphabetic": _letters,
    "pv.Alphanumeric": lambda: _letters() | _integers(10),
}

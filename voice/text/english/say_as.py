"""What `<say-as>` asks for: the words of letters, figures, dates and telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

from voice.text.english.characters import SYMBOL_NAMES
from voice.text.english.dates import MONTHS
from voice.text.english.numbers import cardinal, digits, ordinal

SPELLED = frozenset("characters character spell-out spell verbatim letters".split())
AS_WRITTEN = frozenset("time currency unit measure fraction address name net url email".split())
_SIGN_NAMES = SYMBOL_NAMES | {
    ".": "dot", ",": "comma", "-": "dash", "_": "underscore", ":": "colon", ";": "semicolon", "!": "bang",
    "?": "question mark", "'": "apostrophe", '"': "quote", "(": "open paren", ")": "close paren",
}  # fmt: skip


def words_for(text: str, kind: str, form: str = "") -> str | None:
    """Return the words for `text` as `kind` (interpret-as) in `form` (format).

    None means that normalization reads it so by itself, or that it cannot be read as that kind. Raises
    KeyError for a kind that is not known.
    """
    kind = kind.strip().lower()
    if kind in AS_WRITTEN:
        return None
    if kind in SPELLED:
        return spell(text)
    readers: dict[str, Callable[[str], str | None]] = {
        "digits": _figures, "telephone": _telephone, "cardinal": _cardinal, "number": _cardinal,
        "ordinal": _ordinal, "date": lambda text: _date(text, form),
    }  # fmt: skip
    return readers[kind](text)


def spell(text: str) -> str:
    """Turn 'B2-b' into 'B two dash B'."""
    return " ".join(_character(char) for char in text if not char.isspace())


def _character(char: str) -> str:
    if char.isascii() and char.isdigit():
        return digits(char)
    return char.upper() if char.isalpha() and len(char.upper()) == 1 else _SIGN_NAMES.get(char, char)


def _figures(text: str) -> str | None:
    found = "".join(c for c in text if c.isascii() and c.isdigit())
    return digits(found) if found else None


def _telephone(text: str) -> str | None:
    groups = re.findall(r"\+|[0-9]+", text)
    return ", ".join("plus" if group == "+" else digits(group) for group in groups).replace(
        "plus, ", "plus "
    ) or None  # fmt: skip


def _number(text: str) -> int | None:
    plain = re.sub(r"(?<=\d),(?=\d{3})|\s", "", text)
    return int(plain) if re.fullmatch(r"-?[0-9]{1,15}", plain) else None


def _cardinal(text: str) -> str | None:
    number = _number(text)
    if number is None:
        return None
    return ("minus " if number < 0 else "") + cardinal(abs(number))


def _ordinal(text: str) -> str | None:
    number = _number(re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", text.strip()))
    return None if number is None or number < 0 else ordinal(number)


def _date(text: str, form: str) -> str | None:
    """Write a date whose order `form` gives ("dmy", "mdy", "ymd", "md", …) so that it is read right."""
    figures = re.findall(r"[0-9]+", text)
    order = [c for c in form.lower() if c in "dmy"]
    if len(figures) != len(order) or len(set(order)) != len(order) or "m" not in order:
        return None
    if max(map(len, figures)) > 4:
        return None
    parts = dict(zip(order, figures, strict=True))
    month = int(parts["m"])
    if not 1 <= month <= 12:
        return None
    day, year = f" {int(parts['d'])}" if "d" in parts else "", parts.get("y", "")
    return MONTHS[month - 1] + day + (f", {year}" if year and day else f" {year}" if year else "")

"""What SSML's `<say-as>` asks for, in any language that gives a Wording."""

from __future__ import annotations

import re

from voice.text.verbalization.calendar import full_year
from voice.text.verbalization.figures import say_digits
from voice.text.verbalization.wording import Wording

_SPELLED = frozenset("characters character spell-out spell verbatim letters".split())
_AS_IT_STANDS = frozenset("time currency unit measure fraction address name net url email".split())


def say_as(words: Wording, text: str, kind: str, form: str) -> str | None:
    """Return the words for `text` as `kind` in `form`; None where it is read so without being asked.

    Raises KeyError for a kind that is not known.
    """
    kind = kind.strip().lower()
    if kind in _AS_IT_STANDS:
        return None
    if kind in _SPELLED:
        return words.spell(text) or None
    if kind in ("digits", "telephone"):
        groups = re.findall(r"\d+", text)
        return (", " if kind == "telephone" else " ").join(
            say_digits(group, words) for group in groups
        ) or None
    if kind == "date":
        return _date(words, text, form)
    readers = {"cardinal": words.cardinal, "number": words.cardinal, "ordinal": words.ordinal}
    say, figures = readers[kind], re.sub(r"[.\s]", "", text).rstrip("ºª°")
    return say(int(figures), "") if re.fullmatch(r"[0-9]{1,15}", figures) else None


def _date(words: Wording, text: str, form: str) -> str | None:
    """Read a date whose order `form` gives ("dmy", "mdy", "ymd", "dm")."""
    figures, order = re.findall(r"[0-9]+", text), [c for c in form.lower() if c in "dmy"]
    if len(figures) != len(order) or len(set(order)) != len(order) or not {"d", "m"} <= set(order):
        return None
    parts = dict(zip(order, figures, strict=True))
    day, month = int(parts["d"]), int(parts["m"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return words.date(day, month, full_year(parts["y"]) if "y" in parts else None)

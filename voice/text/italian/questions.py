"""Which questions rise at their end in Italian: those without a question word."""

from __future__ import annotations

import re

_ITALIAN_ASKING = frozenset(
    "che chi cosa quale quali quando quanto quanta quanti quante dove come perché".split()
)


def is_rising_question(sentence: str) -> bool:
    """Tell whether a whole sentence is a question for yes or no."""
    if not re.search(r"\?[^\w.]*$", sentence):
        return False
    asked = re.findall(r"[^\W\d_]+", re.split(r"[.!…:;]\s", sentence)[-1].lower().replace("cos'", "cosa "))
    return not (_ITALIAN_ASKING & set(asked[:3]))

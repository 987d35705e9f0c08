"""Which questions rise at their end in Spanish: those without a question word."""

from __future__ import annotations

import re

_ASKING_WORDS = frozenset(
    "qué quién quiénes cuál cuáles cuándo cuánto cuánta cuántos cuántas dónde adónde cómo".split()
)


def is_rising_question(sentence: str) -> bool:
    """Tell whether a whole sentence is a question for yes or no."""
    if not re.search(r"\?[^\w.]*$", sentence):
        return False
    asked = re.findall(r"\w+", sentence[sentence.rfind("¿") + 1 :].lower())
    return not (_ASKING_WORDS & set(asked[:3]))

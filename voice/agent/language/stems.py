"""Words as a search compares them: lower case, without accents, endings and the words that tell nothing.

The endings are those of English inflection: the first steps of Porter's stemmer (1980), simplified,
so that "timers", "timed" and "timing" meet.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from voice.agent.language.numbers import NUMBER_WORDS, numerals

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[a-z]+)?")
TELLS_NOTHING = frozenset(
    "a an and are as at be been but by can could did do does for from had has have he her his how i if in"
    " into is it its me my of on or our please say says shall she should so tell than that the their them"
    " then there these they this those to was we were what when where which who whom whose why will with"
    " would need want know you your about many much long get got us am not any some s t d ll re ve m"
    " everything anything something nothing thing things before after now here like else myself yourself"
    " himself herself itself".split()
)
_VOWEL = re.compile(r"[aeiouy]")


def stems(text: str) -> list[str]:
    """The stems of the words of a text that tell something, in their order."""
    flat = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    flat = "".join(mark for mark in flat if not unicodedata.combining(mark))
    words = [word.removesuffix("'s").replace(",", "") for word in _WORD.findall(flat)]
    if not NUMBER_WORDS.isdisjoint(words):
        words = [_decimal(word) for word in numerals(words)]
    return [stem(word) for word in words if word not in TELLS_NOTHING]


def _decimal(word: str) -> str:
    """5/2, as numerals writes it, → 2.5, as people do."""
    return f"{float(Fraction(word)):g}" if "/" in word else word


def stem(word: str) -> str:
    """A word without the ending of its inflection."""
    if len(word) < 4 or not word.isalpha() or word == "news":
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 2 and _VOWEL.search(rest):
            return _undoubled(rest)
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def _undoubled(rest: str) -> str:
    """stopp → stop, mak → mak (as "make" becomes), fall stays."""
    return rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest

"""Word stems for search: lower case, without accents, inflection and stop words.

The inflection is that of English: the first steps of Porter's stemmer (1980), simplified, so that
"timers", "timed" and "timing" have one stem.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from voice.agent.language.numbers import NUMBER_WORDS, words_to_numerals

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[a-z]+)?")
STOP_WORDS = frozenset(
    "a an and are as at be been but by can could did do does for from had has have he her his how i if in"
    " into is it its me my of on or our please say says shall she should so tell than that the their them"
    " then there these they this those to was we were what when where which who whom whose why will with"
    " would need want know you your about many much long get got us am not any some s t d ll re ve m"
    " everything anything something nothing thing things before after now here like else myself yourself"
    " himself herself itself".split()
)
_VOWEL = re.compile(r"[aeiouy]")


def stems(text: str) -> list[str]:
    """Return the stems of the words of a text in their order, without stop words."""
    flat = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    flat = "".join(char for char in flat if not unicodedata.combining(char))
    words = [word.removesuffix("'s").replace(",", "") for word in _WORD.findall(flat)]
    if not NUMBER_WORDS.isdisjoint(words):
        words = [_as_decimal(word) for word in words_to_numerals(words)]
    return [stem(word) for word in words if word not in STOP_WORDS]


def _as_decimal(word: str) -> str:
    """Turn a fraction such as 5/2 into the decimal that people write, 2.5."""
    return f"{float(Fraction(word)):g}" if "/" in word else word


def stem(word: str) -> str:
    """Return a word without the ending of its inflection."""
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
            return _drop_double(rest)
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def _drop_double(rest: str) -> str:
    """Drop the second of two equal letters at the end: stopp → stop; mak and fall stay."""
    return rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest

"""Words in capitals: which are read as words, and which letter by letter.

hibari's reader spells what it does not know, "HE" and "MICHELLE" among it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

# Words of two and three letters that are never meant as letters, where all around them is in capitals.
_SHORT_WORDS = frozenset(
    "ah am an as at be by do go ha he hi if in is it me my no of oh on or ox so to up us we ye add age ago"
    " aid air all and any are arm art ask ate bad bag ban bar bat bed bet big bit boy bus but buy can car cat"
    " cow cry cup cut dad day did die dig dog dry due ear eat egg end eye fan far fat few fit fix fly for fox"
    " fun"
    " gas get god got gun guy had has hat her hey him his hit hot how ice ill its jar job joy key kid law lay"
    " leg let lie lip lot low mad man map may men met mix mom mud net new nor not now nut odd off oil old one"
    " our out own pan pay pen pet pie pig pin pot put raw red rid row run sad sat saw say sea see set sex she"
    " shy sir sit six sky son sun tax tea ten the tie tin tip toe too top toy try two use van via war was way"
    " web wet who why win wit won yes yet you zoo".split()
)
# … and where the others are not: words that are stressed, never short for anything.
_STRESSED = frozenset(
    "at be but by can do for go had has he her him his how if is its may me my no not of off on out she so"
    " the this that to two up was we were what when who why will with would you your yes all and any are as"
    " an".split()
)
_WORD_IN_CHUNK = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def lower_words(chunks: Sequence[str], is_word: Callable[[str], bool]) -> list[str]:
    """Return `chunks`, those that are words in small letters; `is_word` knows a word in small letters."""
    bare = [match[0] if (match := _WORD_IN_CHUNK.search(chunk)) else "" for chunk in chunks]
    shouted = sum(len(word) > 1 for word in bare) > 1 and all(word.isupper() for word in bare if word)
    recased = []
    for i, (chunk, word) in enumerate(zip(chunks, bare, strict=True)):
        if shouted and word == "A" and chunk == "A" and len("".join(bare[i + 1 : i + 2])) > 1:
            chunk = "a"
        elif word.isupper() and len(word) > 1 and not (word == "US" and bare[i - 1 : i] == ["THE"]):
            chunk = chunk.replace(word, _recase(word, shouted, is_word), 1)
        recased.append(chunk)
    return recased


def _recase(word: str, shouted: bool, is_word: Callable[[str], bool]) -> str:
    stem, apostrophe, ending = word.lower().replace("’", "'").partition("'")
    if len(stem) < 4:
        sayable = stem in (_SHORT_WORDS if shouted else _STRESSED)
    else:
        sayable = stem in _STRESSED or is_word(stem) or (len(stem) > 4 and _looks_sayable(stem))
    if sayable or (shouted and apostrophe and is_word(word.lower().replace("’", "'"))):
        return word.lower()
    return word if not apostrophe else word[: len(stem)] + apostrophe + ending


def _looks_sayable(word: str) -> bool:
    """Tell whether the letters of an unknown word can be said as one, like the letters of a name."""
    vowels = sum(c in "aeiouy" for c in word)
    return vowels * 4 >= len(word) and not re.search(r"[^aeiouy]{4}|[^aeiouylrnsz]{3}|^[^aeiouy]{3}", word)

"""Any language as letters: for voices whose network reads the written text itself.

Words are those between spaces. A word with a letter or a digit has a sound, which only the network knows; in
place of phonemes each of its letters counts as a neutral vowel, so that long sentences are cut and words are
counted as in other languages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice.text.alphabet import PUNCTUATION
from voice.text.language import Chunk, Language, NormalizedText

SOUND = "ə"


def letter_language(code: str) -> Language:
    """Return the language `code` as an engine that reads letters takes it."""
    return Language(code, _prepare, normalize, pronounce, _rises_never, _say_as, _stand_in)


def normalize(sentence: str) -> NormalizedText:
    """Return the words of a sentence as they are written."""
    return NormalizedText(tuple(Chunk(each[0], *each.span()) for each in re.finditer(r"\S+", sentence)))


def pronounce(words: Sequence[str]) -> list[str]:
    """Return SOUND for each letter and digit of each word, and the punctuation that ends it."""
    return [SOUND * sum(map(str.isalnum, word)) + _final_marks(word) for word in words]


def _final_marks(word: str) -> str:
    """Return the punctuation at the end of a word, as far as the alphabet has it."""
    kept = len(word.rstrip("".join({each for each in word if not each.isalnum()})))
    return "".join(each for each in word[kept:] if each in PUNCTUATION and not each.isspace())


def _prepare() -> None:
    """Load nothing."""


def _rises_never(sentence: str) -> bool:
    """Leave the melody of questions to the network."""
    return False


def _say_as(text: str, kind: str, form: str) -> str | None:
    """Leave how a text is read to the network, whatever `<say-as>` asks for."""
    return None


def _stand_in(phonemes: str) -> str:
    """Return a word without meaning."""
    return "a"

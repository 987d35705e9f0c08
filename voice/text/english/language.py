"""English as the front end asks for it (see `voice.text.language`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from voice.text.alphabet import STRESSES, VOWELS
from voice.text.english.british import with_and
from voice.text.english.normalization import normalize
from voice.text.english.pronunciation import prepare, pronounce
from voice.text.english.questions import is_rising_question
from voice.text.english.say_as import words_for
from voice.text.language import Language, NormalizedText


def stand_in(phonemes: str) -> str:
    """Return a noun that begins like `phonemes`, so that "the" and "a" before it are read right."""
    return "apple" if phonemes.lstrip(STRESSES)[:1] in tuple(VOWELS) else "thing"


_DATE_ORDERS: dict[str, Callable[[str], NormalizedText]] = {
    "mdy": normalize, "dmy": partial(normalize, day_first=True),
}  # fmt: skip
_BRITISH_ORDERS: dict[str, Callable[[str], NormalizedText]] = {
    "mdy": lambda sentence: with_and(normalize(sentence)),
    "dmy": lambda sentence: with_and(normalize(sentence, day_first=True)),
}
ENGLISH = Language(
    "en",
    prepare,
    normalize,
    pronounce,
    is_rising_question,
    words_for,
    stand_in,
    date_orders=_DATE_ORDERS,
)
BRITISH = replace(
    ENGLISH,
    prepare=partial(prepare, british=True),
    normalize=_BRITISH_ORDERS["dmy"],
    pronounce=partial(pronounce, british=True),
    date_orders=_BRITISH_ORDERS,
)

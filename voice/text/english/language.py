"""English as the front end asks for it (see `voice.text.language`)."""

from __future__ import annotations

from voice.text.alphabet import STRESSES, VOWELS
from voice.text.english.normalization import normalize
from voice.text.english.pronunciation import prepare, pronounce
from voice.text.english.questions import is_rising_question
from voice.text.english.say_as import words_for
from voice.text.language import Language


def stand_in(phonemes: str) -> str:
    """Return a noun that begins like `phonemes`, so that "the" and "a" before it are read right."""
    return "apple" if phonemes.lstrip(STRESSES)[:1] in tuple(VOWELS) else "thing"


ENGLISH = Language("en", prepare, normalize, pronounce, is_rising_question, words_for, stand_in)

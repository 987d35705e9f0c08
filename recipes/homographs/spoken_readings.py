"""Which reading of a homograph is spoken in a sentence, by the front end or by a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from recipes.homographs.examples import Example
from voice.metrics import edit_distance
from voice.text.english.homographs import HomographReading
from voice.text.english.language import ENGLISH
from voice.text.frontend import spoken_sentences

# What lexicons write differently without another reading being meant.
_ALIKE = str.maketrans({"ɪ": "ə", "ᵻ": "ə", "ᵊ": "ə", "T": "t", "ɔ": "ɑ", "ɜ": "ə", "ˌ": None})


@lru_cache(maxsize=1)
def _lexicon() -> Any:
    from hibari.g2p import G2P

    return G2P().lexicon


def reading_by_tag(example: Example, readings: Sequence[HomographReading]) -> str:
    """Return the name of the reading that the reader's lexicon has for the tagger's part of speech."""
    from hibari.g2p import Context

    phonemes = _lexicon().get_word(example.words[example.at], example.tags[example.at], None, Context())[0]
    return _nearest(phonemes or "", readings)


def reading_as_spoken(example: Example, readings: Sequence[HomographReading]) -> str:
    """Return the name of the reading that the whole front end speaks."""
    for spoken in spoken_sentences(example.sentence, ENGLISH):
        for index, word in enumerate(spoken.words):
            if word.start <= example.start < word.end:
                owned = zip(spoken.phonemes, spoken.owners, strict=True)
                return _nearest("".join(each for each, owner in owned if owner == index), readings)
    return ""


def _nearest(phonemes: str, readings: Sequence[HomographReading]) -> str:
    heard = phonemes.translate(_ALIKE)
    return min(readings, key=lambda reading: edit_distance(reading.phonemes.translate(_ALIKE), heard)).name

"""What a CTC head writes: the letters of words as they are spoken.

Figures, money and signs are read out first, so that every written word owns the letters that
are heard for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voice.text.english.normalize import spell_out

ALPHABET = " 'abcdefghijklmnopqrstuvwxyz"
BLANK = 0  # CTC's; a letter's label is one more than its place in ALPHABET
CLASSES = 1 + len(ALPHABET)
FRAME = 0.02  # seconds between the rows of log-probabilities
SPACE = 1 + ALPHABET.index(" ")

_LABELS = {letter: 1 + place for place, letter in enumerate(ALPHABET)}


@dataclass(frozen=True, eq=False)
class Spelling:
    """`labels` (L,) of the letters and, as long, `owners`: the index of each one's word, -1 for spaces.

    The words are those of `text.split()`; one that is not heard ("—") owns no letters.
    """

    labels: np.ndarray
    owners: np.ndarray


def spell(text: str) -> Spelling:
    """The letters in which `text` is spoken: words apart by one space, none at the ends."""
    labels: list[int] = []
    owners: list[int] = []
    starts = _word_of_each_character(text)
    for chunk in spell_out(text).chunks:
        for spoken in chunk.text.replace("-", " ").split():
            letters = [_LABELS[letter] for letter in spoken.lower() if letter in _LABELS]
            if not any(label > 2 for label in letters):  # a lone apostrophe is no word
                continue
            if labels:
                labels.append(SPACE)
                owners.append(-1)
            labels += letters
            owners += [starts[chunk.start]] * len(letters)
    return Spelling(np.array(labels, np.int64), np.array(owners, np.int64))


def read(labels: np.ndarray) -> str:
    """Labels, without blanks, → the letters that they stand for."""
    return "".join(ALPHABET[label - 1] for label in labels)


def _word_of_each_character(text: str) -> list[int]:
    """For each character the index of its word in `text.split()`; a space counts to the word after it."""
    words, index, inside = [], 0, False
    for character in text:
        if character.isspace():
            index, inside = index + inside, False
        else:
            inside = True
        words.append(index)
    return words

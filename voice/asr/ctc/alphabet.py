"""The alphabet of a CTC head, and the letters of a text as it is spoken.

Digits, money and signs are spelled out first, so that every written word owns the letters that
are heard for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voice.text.english.normalization import normalize

ALPHABET = " 'abcdefghijklmnopqrstuvwxyz"
BLANK = 0  # CTC's; the label of a letter is one more than its index in ALPHABET
CLASSES = 1 + len(ALPHABET)
FRAME = 0.02  # seconds between the rows of log-probabilities
SPACE = 1 + ALPHABET.index(" ")
LOG_ZERO = np.float32(-1e30)  # log-probability of what cannot be; finite, so that sums of it stay numbers

_LABELS = {letter: 1 + index for index, letter in enumerate(ALPHABET)}


@dataclass(frozen=True, eq=False)
class Spelling:
    """`labels` (L,) of the letters and, as long, `owners`: the index of each one's word, -1 for spaces.

    The words are those of `text.split()`; one that is not spoken ("—") owns no letters.
    """

    labels: np.ndarray
    owners: np.ndarray


def spell(text: str) -> Spelling:
    """Return the letters in which `text` is spoken: words apart by one space, none at the ends."""
    labels: list[int] = []
    owners: list[int] = []
    starts = _word_of_each_character(text)
    for chunk in normalize(text).chunks:
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


def letters_of(labels: np.ndarray) -> str:
    """Return the letters for which labels stand; there must be no blanks among them."""
    return "".join(ALPHABET[label - 1] for label in labels)


def labels_of(letters: str) -> np.ndarray:
    """Return the labels (L,) of letters."""
    return np.array([label_of(letter) for letter in letters], np.int64)


def label_of(letter: str) -> int:
    """Return the label of one letter of ALPHABET."""
    return _LABELS[letter]


def _word_of_each_character(text: str) -> list[int]:
    """Return for each character the index of its word in `text.split()`; a space counts to the next word."""
    words, index, inside = [], 0, False
    for character in text:
        if character.isspace():
            index, inside = index + inside, False
        else:
            inside = True
        words.append(index)
    return words

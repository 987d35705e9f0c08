"""Loops: phrases that a decoder writes again and again. They are found, and cut to one phrase."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

MAX_PHRASE = 12  # words, or tokens, of a phrase
WORD_REPEATS, PHRASE_REPEATS = 5, 4  # times in a row that make a loop: of one word, of several


def has_loop(words: Sequence[Hashable]) -> bool:
    """Tell whether a phrase repeats so often in a row that probably nobody said it."""
    return any(
        times >= (WORD_REPEATS if length == 1 else PHRASE_REPEATS)
        for length in range(1, min(MAX_PHRASE, len(words) // PHRASE_REPEATS) + 1)
        for _, times in _runs(words, length)
    )


def indexes_without_loops(words: Sequence[Hashable]) -> list[int]:
    """Return the indexes that are left after each loop is cut to its first phrase."""
    left = list(range(len(words)))
    for length in range(1, min(MAX_PHRASE, len(words) // PHRASE_REPEATS) + 1):
        kept = [words[index] for index in left]
        cut: set[int] = set()
        for first, times in _runs(kept, length):
            if times >= (WORD_REPEATS if length == 1 else PHRASE_REPEATS):
                cut |= {*range(first + length, first + length * times)}
        left = [index for position, index in enumerate(left) if position not in cut]
    return left


def _runs(words: Sequence[Hashable], length: int) -> list[tuple[int, int]]:
    """Find repeats of phrases of `length` words: the first index of each run, and how many times."""
    found, first, same = [], 0, 0
    for index in range(length, len(words) + 1):
        if index < len(words) and words[index] == words[index - length]:
            first = first if same else index - length
            same += 1
        else:
            if same >= length:
                found.append((first, 1 + same // length))
            same = 0
    return found

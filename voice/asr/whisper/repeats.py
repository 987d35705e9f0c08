"""Loops: phrases that a decoder writes again and again, found and cut to one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

LONGEST = 12  # words, or tokens, of a phrase
WORD, PHRASE = 5, 4  # times in a row from which on it is a loop: of one word, of more


def loops(words: Sequence[Hashable]) -> bool:
    """Whether a phrase stands there so often in a row that nobody may have said it."""
    return any(
        times >= (WORD if length == 1 else PHRASE)
        for length in range(1, min(LONGEST, len(words) // PHRASE) + 1)
        for _, times in _runs(words, length)
    )


def once(words: Sequence[Hashable]) -> list[int]:
    """The indexes that are left where each loop is cut to its first phrase."""
    left = list(range(len(words)))
    for length in range(1, min(LONGEST, len(words) // PHRASE) + 1):
        kept = [words[index] for index in left]
        cut: set[int] = set()
        for first, times in _runs(kept, length):
            if times >= (WORD if length == 1 else PHRASE):
                cut |= {*range(first + length, first + length * times)}
        left = [index for place, index in enumerate(left) if place not in cut]
    return left


def _runs(words: Sequence[Hashable], length: int) -> list[tuple[int, int]]:
    """Where phrases of `length` words repeat themselves, and how many times each stands there."""
    found, first, same = [], 0, 0
    for place in range(length, len(words) + 1):
        if place < len(words) and words[place] == words[place - length]:
            first = first if same else place - length
            same += 1
        else:
            if same >= length:
                found.append((first, 1 + same // length))
            same = 0
    return found

"""Pair the words of a transcript with those of a hypothesis that say the same, however they are written."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from voice.metrics import normalize

LONGEST_SPAN = 6  # words that may be written as one figure, or the other way round


@dataclass(frozen=True)
class Pair:
    """Words of the transcript and those of the hypothesis at the same place; `same` if they say the same."""

    words: tuple[str, ...]
    heard: tuple[str, ...]
    same: bool


def align(words: Sequence[str], heard: Sequence[str], language: str) -> list[Pair]:
    """Pair the words of a transcript with those of a hypothesis, in order."""
    from rapidfuzz.distance import Levenshtein

    keys, theirs = [key(word) for word in words], [key(word) for word in heard]
    pairs: list[Pair] = []
    region = [0, 0, 0, 0]  # the words that differ since the last ones that are equal

    def close() -> None:
        pairs.extend(_pair_differing(words[region[0] : region[1]], heard[region[2] : region[3]], language))

    for code in Levenshtein.opcodes(keys, theirs):
        if code.tag == "equal":
            close()
            both = words[code.src_start : code.src_end], heard[code.dest_start : code.dest_end]
            pairs += [Pair((word,), (other,), True) for word, other in zip(*both, strict=True)]
            region = [code.src_end, code.src_end, code.dest_end, code.dest_end]
        else:
            region[1], region[3] = code.src_end, code.dest_end
    close()
    return pairs


def _pair_differing(words: Sequence[str], heard: Sequence[str], language: str) -> list[Pair]:
    """Pair words that differ as written: spans that say the same ("five two", "52"), then one by one."""
    rows, columns = len(words), len(heard)
    best: dict[tuple[int, int], tuple[float, Pair | None]] = {(rows, columns): (0.0, None)}
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            if (i, j) != (rows, columns):
                steps = _steps(words[i:], heard[j:], language)
                best[i, j] = min(
                    ((cost + best[i + len(p.words), j + len(p.heard)][0], p) for cost, p in steps),
                    key=lambda step: step[0],
                )
    pairs, place = [], (0, 0)
    while (pair := best[place][1]) is not None:
        pairs.append(pair)
        place = place[0] + len(pair.words), place[1] + len(pair.heard)
    return pairs


def _steps(words: Sequence[str], heard: Sequence[str], language: str) -> list[tuple[float, Pair]]:
    """Return what may come next of two rests, with its cost."""
    steps: list[tuple[float, Pair]] = []
    for m in range(1, min(LONGEST_SPAN, len(words)) + 1):
        for n in range(1, min(LONGEST_SPAN, len(heard)) + 1):
            if say_the_same(" ".join(words[:m]), " ".join(heard[:n]), language):
                steps.append((0.01 * (m + n), Pair(tuple(words[:m]), tuple(heard[:n]), True)))
    if words and heard:
        steps.append((1.0, Pair((words[0],), (heard[0],), False)))
    if words:
        steps.append((1.0, Pair((words[0],), (), False)))
    if heard:
        steps.append((1.0, Pair((), (heard[0],), False)))
    return steps


def say_the_same(text: str, other: str, language: str) -> bool:
    """Tell whether two texts are the same once normalized, spaces aside ("ice cream", "icecream", "52")."""
    if key(text) == key(other):
        return bool(key(text))
    mine = normalize(text, language).replace(" ", "")
    return bool(mine) and mine == normalize(other, language).replace(" ", "")


def key(word: str) -> str:
    """Return what makes two written words the same: letters and digits, whatever their case."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(letter for letter in folded if letter.isalnum() or unicodedata.category(letter)[0] == "M")

"""A long recording and its text: where to cut both, told by the words that a recognizer heard and when.

The written words are aligned to the heard ones with the fewest errors (Levenshtein). A cut is only made
between two words that were both heard as they are written, so that a piece's text is what is said in it;
where recording and text disagree, the stretch is left out and told. After Moreno et al. 1998,
"A recursive algorithm for the forced alignment of very long audio segments".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voice.text.sentences import ends_sentence
from voice.types import Word

SHORTEST = 2.0  # seconds of a piece
LONGEST = 20.0
MARGIN = 0.25  # seconds around the words of a piece, at most half of the pause there
AGREE = 0.7  # share of a piece's words that must have been heard as they are written
LEAST = 0.3  # share of the words that must be the same in a recording and its text
_WISHED = 8.0  # seconds; a piece of this length needs no other reason to end
_TOKEN = re.compile(r"[^\s-]*(?:-+|\s+|$)")  # a word, or a part of one up to a hyphen, with what follows it
_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Piece:
    """From `start` to `end` seconds `text` is said.

    `agreement` is the share of its words that were heard so.
    """

    start: float
    end: float
    text: str
    agreement: float


@dataclass(frozen=True)
class Gap:
    """From `start` to `end` seconds recording and text do not belong together."""

    start: float
    end: float
    reason: str


@dataclass(frozen=True)
class _Place:
    """A place to cut: before written word `index` and heard word `heard`.

    Where a piece ends and the next begins.
    """

    index: int
    heard: int
    end: float
    start: float
    worth: float


def pieces_of(text: str, heard: Sequence[Word], *, longest: float = LONGEST) -> Iterator[Piece | Gap]:
    """Yield the pieces of a recording, at most `longest` seconds each, and the gaps between them."""
    written = _TOKEN.findall(text)
    heard = [part for word in heard for part in _parts(word)]
    pairs = _pairs([_key(word) for word in written], [_key(word.text) for word in heard])
    end = heard[-1].end if heard else 0.0
    if len(pairs) < max(1.0, LEAST * min(_count_words(written), len(heard))):
        yield Gap(0.0, end, "hardly a word of the text was heard in it")
        return
    (first, began), (last, ended) = pairs[0], pairs[-1]
    if missing := _count_words(written[:first]):
        yield Gap(0.0, heard[began].start, f"the first {missing} words of the text were not heard")
    yield from _pieces(written, heard, dict(pairs), _places(written, heard, pairs), longest)
    if missing := _count_words(written[last + 1 :]):
        yield Gap(heard[ended].end, end, f"the last {missing} words of the text were not heard")


def _count_words(written: Sequence[str]) -> int:
    return sum(bool(_key(word)) for word in written)


def _parts(word: Word) -> Iterator[Word]:
    """Yield the parts of a word with hyphens, which others write as several; they share its time."""
    parts = [part for part in word.text.split("-") if _key(part)] or [word.text]
    step = (word.end - word.start) / sum(map(len, parts)) if len(parts) > 1 else 0.0
    clock = word.start
    for part in parts:
        end = clock + step * len(part) if len(parts) > 1 else word.end
        yield Word(part, clock, end)
        clock = end


def _key(word: str) -> str:
    """Return a word for comparison: letters and figures in small letters."""
    return _LETTERS.sub("", word.casefold())


def _pairs(written: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Return (written, heard) of the words that are the same in an alignment with the fewest errors."""
    from rapidfuzz.distance import Levenshtein

    found = Levenshtein.opcodes(written, heard)
    return [
        (block.src_start + step, block.dest_start + step)
        for block in found
        if block.tag == "equal"
        for step in range(block.src_end - block.src_start)
        if written[block.src_start + step]
    ]


def _places(written: Sequence[str], heard: Sequence[Word], pairs: Sequence[tuple[int, int]]) -> list[_Place]:
    """Return where a cut is safe.

    The first heard word, the last, and between neighbors that were both heard.
    """
    first, last = pairs[0], pairs[-1]
    start = max(0.0, heard[first[1]].start - MARGIN)
    places = [_Place(first[0], first[1], start, start, 0.0)]
    for (index, place), (following, after) in zip(pairs, pairs[1:], strict=False):
        inside = not written[following - 1][-1:].isspace()  # of a word with a hyphen
        if inside or after != place + 1 or any(_key(word) for word in written[index + 1 : following]):
            continue
        pause = max(0.0, heard[after].start - heard[place].end)
        margin = min(MARGIN, pause / 2)
        before = "".join(written[max(0, index - 1) : following])
        sentence = ends_sentence(before, written[following])
        worth = min(pause, 1.0) + (1.0 if sentence else 0.0)
        places.append(_Place(following, after, heard[place].end + margin, heard[after].start - margin, worth))
    end = heard[last[1]].end + MARGIN
    return [*places, _Place(last[0] + 1, last[1] + 1, end, end, 2.0)]


def _pieces(
    written: Sequence[str],
    heard: Sequence[Word],
    matched: dict[int, int],
    places: Sequence[_Place],
    longest: float,
) -> Iterator[Piece | Gap]:
    """Yield the pieces between places, each chosen as the best end within reach of the one before."""
    at = 0
    while at < len(places) - 1:
        here = places[at]
        reach = list(_within(places, at, longest))
        good = [n for n in reach if places[n].end - here.start >= SHORTEST] or reach[-1:]
        if not good:
            there = places[at + 1]
            yield Gap(here.start, there.end, "there is no safe place to cut: recording and text differ there")
            at += 1
            continue
        at = max((_worth(places[n], here.start), n) for n in good)[1]
        yield _piece(written, heard, matched, here, places[at])


def _within(places: Sequence[_Place], at: int, longest: float) -> Iterator[int]:
    """Yield the places at which a piece from place `at` on may end without being too long."""
    for number in range(at + 1, len(places)):
        if places[number].end - places[at].start > longest:
            return
        yield number


def _worth(place: _Place, start: float) -> float:
    """Return how good it is to end a piece at `place` that began at `start` seconds."""
    return place.worth - abs(place.end - start - _WISHED) / 20


def _piece(
    written: Sequence[str], heard: Sequence[Word], matched: dict[int, int], here: _Place, there: _Place
) -> Piece | Gap:
    words = [index for index in range(here.index, there.index) if _key(written[index])]
    count = max(len(words), there.heard - here.heard, 1)
    agreement = sum(index in matched for index in words) / count
    if agreement < AGREE:
        said = " ".join(word.text for word in heard[here.heard : there.heard])
        return Gap(here.start, there.end, f"the text there does not fit what was heard: {said[:60]!r}")
    text = " ".join("".join(written[here.index : there.index]).split())
    return Piece(here.start, there.end, text, round(agreement, 3))

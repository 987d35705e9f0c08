"""Terms to be expected: a list of them, read and laid out as a tree of letters.

One term a line, as it is to be written; what it sounds like may follow, as a respelling or in
ARPAbet, several ways apart by bars. What follows a # is a comment:

    Kubernetes
    Nguyen = win | en goo yen | N W IH1 N   # the common name
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from voice.asr.ctc.alphabet import ALPHABET, SPACE, read, spell
from voice.errors import TextError

SHORTEST, LONGEST = 2, 60  # letters: what is shorter is heard everywhere, what is longer nowhere
MOST = 20_000  # terms
_COMMENT = re.compile(r"(^|\s)#.*")

# How the sounds of ARPAbet are most often spelled in English.
_SPELLED = {
    "AA": "o", "AE": "a", "AH": "u", "AO": "o", "AW": "ow", "AY": "i", "B": "b", "CH": "ch", "D": "d",
    "DH": "th", "EH": "e", "ER": "er", "EY": "a", "F": "f", "G": "g", "HH": "h", "IH": "i", "IY": "ee",
    "JH": "j", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ng", "OW": "o", "OY": "oy", "P": "p",
    "R": "r", "S": "s", "SH": "sh", "T": "t", "TH": "th", "UH": "oo", "UW": "oo", "V": "v", "W": "w",
    "Y": "y", "Z": "z", "ZH": "s",
}  # fmt: skip
_PHONE = re.compile("(" + "|".join(sorted(_SPELLED, key=len, reverse=True)) + ")[0-2]?")


@dataclass(frozen=True)
class Term:
    """A term as it is written, and the ways in which it is said: letters, words apart by a space.

    One in another script without a respelling has none: a decoder is told of it, a head cannot hear it.
    """

    text: str
    ways: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Hotwords:
    """Terms, and the tree of their letters: N nodes, each node's children side by side after it.

    The first node is the space before a term, the leaves are the spaces after it. `labels`,
    `first_child`, `children` (how many), `depth` and `term` (-1 but for leaves) are (N,) int.
    """

    terms: tuple[Term, ...]
    labels: np.ndarray
    first_child: np.ndarray
    children: np.ndarray
    depth: np.ndarray
    term: np.ndarray

    @property
    def texts(self) -> tuple[str, ...]:
        """The terms as they are written."""
        return tuple(term.text for term in self.terms)

    @property
    def can_be_spotted(self) -> bool:
        """Whether there is a term that a head can hear."""
        return any(term.ways for term in self.terms)

    @cached_property
    def plain(self) -> frozenset[str]:
        """The terms as `plain` leaves them."""
        return frozenset(plain(term.text) for term in self.terms)


def read_hotwords(source: str) -> list[str]:
    """The lines of the file `source` or, if there is none of that name, the terms that it holds, by commas.

    Raises TextError for a file that cannot be read and for a line that `hotwords` would refuse.
    """
    path = Path(source)
    if not path.is_file():
        if path.suffix == ".txt" or "/" in source:
            raise TextError(f"there is no file {source}; terms themselves are given with commas between them")
        return [term.strip() for term in source.split(",") if _term(term)]
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"{source} cannot be read as hotwords: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            _term(line)
        except TextError as error:
            raise TextError(f"{source}, line {number}: {error}") from None
    return [line for line in lines if _COMMENT.sub("", line).strip()]


def hotwords(lines: Sequence[str]) -> Hotwords | None:
    """The terms of lines of the format above; None if there are none. Raises TextError."""
    return _hotwords(tuple(lines))


@lru_cache(maxsize=8)
def _hotwords(lines: tuple[str, ...]) -> Hotwords | None:
    terms = parse_terms(lines)
    return _tree(terms) if terms else None


def parse_terms(lines: Iterable[str]) -> tuple[Term, ...]:
    """The terms of lines of the format above; those written alike are one. Raises TextError."""
    found: dict[str, list[str]] = {}
    for line in lines:
        term = _term(line)
        if term:
            found.setdefault(term.text, []).extend(term.ways)
    if len(found) > MOST:
        raise TextError(f"{len(found):,} hotwords are too many; give at most {MOST:,}")
    return tuple(Term(text, tuple(dict.fromkeys(ways))) for text, ways in found.items())


def _term(line: str) -> Term | None:
    text, *said = (part.strip() for part in _COMMENT.sub("", line).split("=", 1))
    if not text and not said:
        return None
    if not text:
        raise TextError(f"{line.strip()!r} has no term before the =; write it as in: Nguyen = win")
    if not said and _in_another_script(text):
        return Term(" ".join(text.split()), ())
    given = [way.strip() for way in "".join(said).split("|")]
    ways = tuple(_letters(_respelled(way) if way else text, text) for way in given)
    return Term(" ".join(text.split()), ways)


def _in_another_script(text: str) -> bool:
    """Whether it is written in letters of which the heads know none, such as 東京."""
    return any(map(str.isalpha, text)) and not len(spell(text).labels)


def _respelled(way: str) -> str:
    """ARPAbet in common letters; anything else as it is."""
    phones = way.split()
    if not all(_PHONE.fullmatch(phone) for phone in phones):
        return way
    return "".join(_SPELLED[_PHONE.fullmatch(phone)[1]] for phone in phones)


def _letters(said: str, term: str) -> str:
    letters = read(spell(said).labels)
    count = len(letters.replace(" ", ""))
    hint = "say how it sounds, as in: Nguyen = win" if said == term else "write it in English letters"
    if count == 0:
        raise TextError(f"the hotword {term!r} holds no letter that could be heard; {hint}")
    if count < SHORTEST:
        raise TextError(f"the hotword {term!r} is a single letter, which is heard everywhere; leave it out")
    if count > LONGEST:
        raise TextError(f"the hotword {term!r} is too long, {count} letters; give at most {LONGEST}")
    return letters


def _tree(terms: tuple[Term, ...]) -> Hotwords:
    """Breadth first, so that the children of a node are neighbors."""
    roots: dict[str, dict] = {}
    for index, term in enumerate(terms):
        for way in term.ways:
            node = roots
            for letter in way:
                node = node.setdefault(letter, {})
            node.setdefault("", index)  # of two terms that are said alike, the first counts
    nodes: list[tuple[dict | int, int, int]] = [(roots, SPACE, 0)]  # subtree, label, depth
    first_child, children = [], []
    for subtree, _, depth in nodes:  # grows meanwhile
        below = sorted(subtree.items()) if isinstance(subtree, dict) else []
        first_child.append(len(nodes))
        children.append(len(below))
        nodes += [(inner, _label(letter) if letter else SPACE, depth + 1) for letter, inner in below]
    leaves = [node if isinstance(node, int) else -1 for node, _, _ in nodes]
    columns = ([each for _, each, _ in nodes], first_child, children, [each for _, _, each in nodes], leaves)
    return Hotwords(terms, *(np.array(column, np.int64) for column in columns))


def labels_of(way: str) -> np.ndarray:
    """The labels (L,) of letters."""
    return np.array([_label(letter) for letter in way], np.int64)


def plain(text: str) -> str:
    """Small letters and figures alone, for comparison."""
    return "".join(character for character in text.lower() if character.isalnum())


def _label(letter: str) -> int:
    return 1 + ALPHABET.index(letter)

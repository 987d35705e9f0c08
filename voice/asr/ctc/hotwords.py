"""Hotwords: terms to expect, parsed from lines and laid out as a tree of letters.

A line has one term, as it is to be written; its pronunciation may follow, as a respelling or in
ARPAbet, several of them separated by bars. A comment begins with #:

    Kubernetes
    Nguyen = win | en goo yen | N W IH1 N   # the common name
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from voice.asr.ctc.alphabet import SPACE, label_of, letters_of, spell
from voice.errors import TextError

MIN_LETTERS, MAX_LETTERS = 2, 60  # what is shorter is heard everywhere, what is longer nowhere
MAX_TERMS = 20_000
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
    """A term as it is written, and the `spellings` of its pronunciations: letters, words apart by a space.

    One in another script without a respelling has none: it is in the decoder's prompt, a head cannot hear it.
    """

    text: str
    spellings: tuple[str, ...]


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
        """Return the terms as they are written."""
        return tuple(term.text for term in self.terms)

    @property
    def can_be_spotted(self) -> bool:
        """Tell whether there is a term that a head can hear."""
        return any(term.spellings for term in self.terms)

    @cached_property
    def normalized_terms(self) -> frozenset[str]:
        """Return the terms as `normalize_term` leaves them."""
        return frozenset(normalize_term(term.text) for term in self.terms)


def read_hotwords(source: str) -> list[str]:
    """Return the lines of the file `source`, or the terms that it lists with commas if there is no such file.

    Raises TextError for a file that cannot be read and for a line that `parse_hotwords` would refuse.
    """
    path = Path(source)
    if not path.is_file():
        if path.suffix == ".txt" or "/" in source:
            raise TextError(f"there is no file {source}; terms themselves are given with commas between them")
        return [term.strip() for term in source.split(",") if _parse_line(term)]
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"{source} cannot be read as hotwords: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            _parse_line(line)
        except TextError as error:
            raise TextError(f"{source}, line {number}: {error}") from None
    return [line for line in lines if _COMMENT.sub("", line).strip()]


def parse_hotwords(lines: Sequence[str]) -> Hotwords | None:
    """Parse lines of the format above; return None if they hold no term. Raises TextError."""
    return _parse_hotwords(tuple(lines))


@lru_cache(maxsize=8)
def _parse_hotwords(lines: tuple[str, ...]) -> Hotwords | None:
    """Parse lines, or return what was parsed of the same lines before."""
    terms = parse_terms(lines)
    return _build_tree(terms) if terms else None


def parse_terms(lines: Iterable[str]) -> tuple[Term, ...]:
    """Return the terms of lines of the format above; those written alike are one. Raises TextError."""
    found: dict[str, list[str]] = {}
    for line in lines:
        term = _parse_line(line)
        if term:
            found.setdefault(term.text, []).extend(term.spellings)
    if len(found) > MAX_TERMS:
        raise TextError(f"{len(found):,} hotwords are too many; give at most {MAX_TERMS:,}")
    return tuple(Term(text, tuple(dict.fromkeys(spellings))) for text, spellings in found.items())


def _parse_line(line: str) -> Term | None:
    """Parse one line; return None if it is empty or a comment. Raises TextError."""
    text, *pronunciations = (part.strip() for part in _COMMENT.sub("", line).split("=", 1))
    if not text and not pronunciations:
        return None
    if not text:
        raise TextError(f"{line.strip()!r} has no term before the =; write it as in: Nguyen = win")
    if not pronunciations and _in_another_script(text):
        return Term(" ".join(text.split()), ())
    given = [each.strip() for each in "".join(pronunciations).split("|")]
    spellings = tuple(_spell_term(_respell(each) if each else text, text) for each in given)
    return Term(" ".join(text.split()), spellings)


def _in_another_script(text: str) -> bool:
    """Tell whether a text is written in letters of which the heads know none, such as 東京."""
    return any(map(str.isalpha, text)) and not len(spell(text).labels)


def _respell(pronunciation: str) -> str:
    """Spell ARPAbet in common letters; return anything else as it is."""
    phones = [_PHONE.fullmatch(phone) for phone in pronunciation.split()]
    known = [phone for phone in phones if phone]
    return "".join(_SPELLED[phone[1]] for phone in known) if len(known) == len(phones) else pronunciation


def _spell_term(spoken: str, term: str) -> str:
    """Return the letters in which a term is spoken. Raises TextError for too few or too many."""
    letters = letters_of(spell(spoken).labels)
    count = len(letters.replace(" ", ""))
    hint = "say how it sounds, as in: Nguyen = win" if spoken == term else "write it in English letters"
    if count == 0:
        raise TextError(f"the hotword {term!r} holds no letter that could be heard; {hint}")
    if count < MIN_LETTERS:
        raise TextError(f"the hotword {term!r} is a single letter, which is heard everywhere; leave it out")
    if count > MAX_LETTERS:
        raise TextError(f"the hotword {term!r} is too long, {count} letters; give at most {MAX_LETTERS}")
    return letters


def _build_tree(terms: tuple[Term, ...]) -> Hotwords:
    """Lay the terms out breadth first, so that the children of a node are neighbors."""
    roots: dict[str, Any] = {}  # letter → the same again, or "" → the index of the term that ends here
    for index, term in enumerate(terms):
        for spelling in term.spellings:
            node = roots
            for letter in spelling:
                node = node.setdefault(letter, {})
            node.setdefault("", index)  # of two terms that sound alike, the first counts
    nodes: list[tuple[dict[str, Any] | int, int, int]] = [(roots, SPACE, 0)]  # subtree, label, depth
    first_child, children = [], []
    for subtree, _, depth in nodes:  # grows meanwhile
        below = sorted(subtree.items()) if isinstance(subtree, dict) else []
        first_child.append(len(nodes))
        children.append(len(below))
        nodes += [(inner, label_of(letter) if letter else SPACE, depth + 1) for letter, inner in below]
    leaves = [node if isinstance(node, int) else -1 for node, _, _ in nodes]
    columns = ([each for _, each, _ in nodes], first_child, children, [each for _, _, each in nodes], leaves)
    return Hotwords(terms, *(np.array(column, np.int64) for column in columns))


def normalize_term(text: str) -> str:
    """Return the letters and digits of a text in lower case, for comparison."""
    return "".join(character for character in text.lower() if character.isalnum())

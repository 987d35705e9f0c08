"""What one expression of a command says: Rhino's syntax, read into a tree.

    [brew, make me] (a) $size:size @drink please

`[a, b c]` is one of, `(a, b)` one of or nothing, `$kind:name` a slot filled from the values of a
kind, `@name` a macro. Phrases are words; everything may stand inside brackets, brackets too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from voice.asr.ctc.alphabet import read, spell
from voice.errors import TextError

_TEXT = r"[^\s\[\](),$@]"
_TOKEN = re.compile(
    rf"\s*(?:(?P<sign>[\[\](),])|\$(?P<slot>{_TEXT}*)|@(?P<macro>{_TEXT}*)|(?P<word>{_TEXT}+))"
)
_NAME = r"[A-Za-z_][\w-]*"
_SLOT = re.compile(rf"(?P<kind>(?:pv\.)?{_NAME}):(?P<name>{_NAME})")
_CLOSING = {"[": "]", "(": ")"}


@dataclass(frozen=True)
class Words:
    """Words as written."""

    text: str


@dataclass(frozen=True)
class Slot:
    """One of the values of `kind`, to be reported as `name`."""

    kind: str
    name: str


@dataclass(frozen=True)
class Macro:
    """One of the expressions that the macro stands for."""

    name: str


@dataclass(frozen=True)
class OneOf:
    """One of the choices, or nothing if `optional`."""

    choices: tuple[tuple[Item, ...], ...]
    optional: bool


Item = Words | Slot | Macro | OneOf


@dataclass(frozen=True)
class _Token:
    kind: str  # of the pattern's groups
    text: str
    column: int  # from 1


def parse(text: str) -> tuple[Item, ...]:
    """The items of an expression. Raises TextError, with the column, for what is no expression."""
    tokens = [_Token(m.lastgroup, m[m.lastgroup], m.start(m.lastgroup) + 1) for m in _TOKEN.finditer(text)]
    items, rest = _items(tokens, 0)
    if rest < len(tokens):
        token = tokens[rest]
        hint = "put it between [ and ]" if token.text == "," else "nothing was opened for it to close"
        raise TextError(f"column {token.column}: {token.text!r} stands alone; {hint}")
    if not items:
        raise TextError("the expression is empty; write the words that are said")
    return items


@lru_cache(maxsize=10_000)
def spoken(text: str) -> tuple[str, ...]:
    """The words, in small letters, in which `text` is said. Raises TextError where there is none."""
    words = read(spell(text).labels).split()
    if not words:
        raise TextError(f"{text!r} holds no letter that could be said; write it as it is spoken")
    return tuple(words)


def _items(tokens: list[_Token], at: int) -> tuple[tuple[Item, ...], int]:
    """Items up to a comma, a closing bracket or the end, and where that is."""
    items: list[Item] = []
    while at < len(tokens) and tokens[at].text not in (",", "]", ")"):
        token = tokens[at]
        if token.kind == "sign":
            item, at = _one_of(tokens, at)
        else:
            item, at = _READERS[token.kind](token), at + 1
        if isinstance(item, Words) and items and isinstance(items[-1], Words):
            item = Words(f"{items.pop().text} {item.text}")
        items.append(item)
    return tuple(items), at


def _one_of(tokens: list[_Token], at: int) -> tuple[OneOf, int]:
    """The choices of the bracket that opens at `at`, and what comes after it."""
    opening = tokens[at]
    closing = _CLOSING[opening.text]
    choices: list[tuple[Item, ...]] = []
    while True:
        choice, at = _items(tokens, at + 1)
        if at == len(tokens) or tokens[at].text not in (",", closing):
            raise TextError(f"column {opening.column}: {opening.text!r} is not closed; add {closing!r}")
        if not choice:
            raise TextError(f"column {tokens[at].column}: a choice is empty; remove it or the comma")
        choices.append(choice)
        if tokens[at].text == closing:
            return OneOf(tuple(choices), opening.text == "("), at + 1


def _slot(token: _Token) -> Slot:
    found = _SLOT.fullmatch(token.text)
    if not found:
        example = token.text.partition(":")[0] or "size"
        hint = f"write ${example}:name, the kind and the name under which it is reported"
        raise TextError(f"column {token.column}: ${token.text} is no slot; {hint}")
    return Slot(found["kind"], found["name"])


def _macro(token: _Token) -> Macro:
    if not re.fullmatch(_NAME, token.text):
        raise TextError(f"column {token.column}: @{token.text} is no macro; write @ and its name")
    return Macro(token.text)


def _word(token: _Token) -> Words:
    if not any(character.isalnum() for character in token.text):
        raise TextError(f"column {token.column}: {token.text!r} cannot be said; leave it out")
    return Words(token.text)


_READERS = {"slot": _slot, "macro": _macro, "word": _word}

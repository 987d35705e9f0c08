"""The phrase language that skills and commands share, parsed into a tree.

    [brew, make me] (a) $size:size @drink please

`[a, b c]` is one of, `(a, b)` one of or nothing, `$name` a slot, `$kind:name` a slot that takes the
values of a kind, `@name` a macro. All else are words; brackets may stand inside brackets. The syntax
is that of Picovoice's Rhino. `voice.agent.language.phrases` compiles the tree to a regular
expression over words, `voice.commands.understanding` to a grammar over letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from voice.errors import TextError

DEEPEST_BRACKETS = 50  # brackets inside one another
_TEXT = r"[^\s\[\](),$@]"
_LEXEME = re.compile(rf"(?P<sign>[\[\](),])|(?P<slot>\${_TEXT}*)|(?P<macro>@{_TEXT}*)|(?P<word>{_TEXT}+)|\s+")
_NAME = r"[A-Za-z_][\w-]*"
_SLOT = re.compile(rf"\$(?:(?P<kind>(?:pv\.)?{_NAME}):)?(?P<name>{_NAME})")
_CLOSING = {"[": "]", "(": ")"}


@dataclass(frozen=True)
class Words:
    """One or more words as written."""

    text: str
    column: int = field(default=0, compare=False)  # of the first character, from 1


@dataclass(frozen=True)
class SlotReference:
    """A place for a value that is reported as `name`; `kind` names its possible values, if written."""

    name: str
    kind: str = ""
    column: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"${self.kind}:{self.name}" if self.kind else f"${self.name}"


@dataclass(frozen=True)
class MacroReference:
    """A place for one of the phrases that the macro stands for."""

    name: str
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Alternatives:
    """One of the choices, or nothing if `optional`."""

    choices: tuple[Phrase, ...]
    optional: bool


Node = Words | SlotReference | MacroReference | Alternatives
Phrase = tuple[Node, ...]


def parse(text: str) -> Phrase:
    """Return the tree of a phrase. Raises TextError, with the column, for what is no phrase."""
    return _PhraseParser(text).phrase()


def walk(phrase: Phrase) -> Iterator[Node]:
    """Yield all nodes of a phrase in their order, those in brackets too."""
    for node in phrase:
        yield node
        if isinstance(node, Alternatives):
            for choice in node.choices:
                yield from walk(choice)


class _PhraseParser:
    """A recursive-descent parser; `_at` is the index of the next lexeme."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lexemes = [found for found in _LEXEME.finditer(text) if found.lastgroup]
        self._at = 0

    def phrase(self) -> Phrase:
        """Parse the whole text."""
        nodes = self._sequence(0)
        if self._at < len(self._lexemes):
            sign = self._lexemes[self._at][0]
            hint = "put it between [ and ]" if sign == "," else "nothing was opened for it to close"
            raise self._error(self._lexemes[self._at], f"{sign!r} stands alone; {hint}")
        if not nodes:
            raise TextError("the phrase is empty; write the words that are said")
        return nodes

    @property
    def _sign(self) -> str:
        """The next lexeme if it is a bracket or a comma, "" if it is none or the text has ended."""
        found = self._lexemes[self._at] if self._at < len(self._lexemes) else None
        return found[0] if found and found.lastgroup == "sign" else ""

    def _sequence(self, depth: int) -> Phrase:
        """Parse nodes up to a comma, a closing bracket or the end."""
        nodes: list[Node] = []
        while self._at < len(self._lexemes) and self._sign not in (",", "]", ")"):
            node: Node = self._alternatives(depth + 1) if self._sign else self._leaf()
            before = nodes[-1] if nodes else None
            if isinstance(node, Words) and isinstance(before, Words):
                end = node.column - 1 + len(node.text)
                nodes[-1] = Words(self._text[before.column - 1 : end], before.column)
            else:
                nodes.append(node)
        return tuple(nodes)

    def _alternatives(self, depth: int) -> Alternatives:
        """Parse a bracket, from its opening to its closing sign."""
        opening, closing = self._lexemes[self._at], _CLOSING[self._sign]
        if depth > DEEPEST_BRACKETS:
            raise self._error(opening, "brackets lie too deep within one another; keep them few")
        choices: list[Phrase] = []
        while not choices or self._sign == ",":
            self._at += 1
            choices.append(self._sequence(depth))
            if self._sign not in (",", closing):
                raise self._error(opening, f"{opening[0]!r} is not closed; add {closing!r}")
            if not choices[-1]:
                raise self._error(self._lexemes[self._at], "a choice is empty; remove it or the comma")
        self._at += 1
        return Alternatives(tuple(choices), opening[0] == "(")

    def _leaf(self) -> Words | SlotReference | MacroReference:
        """Parse a word, a slot or a macro."""
        lexeme = self._lexemes[self._at]
        self._at += 1
        text, column = lexeme[0], lexeme.start() + 1
        if lexeme.lastgroup == "word":
            return Words(text, column)
        if lexeme.lastgroup == "slot":
            slot = _SLOT.fullmatch(text)
            if not slot:
                hint = "after the $ stands a name of letters, digits and _, such as $size"
                raise self._error(lexeme, f"{text} is no slot; {hint}")
            return SlotReference(slot["name"], slot["kind"] or "", column)
        if not re.fullmatch(_NAME, text[1:]):
            raise self._error(lexeme, f"{text} is no macro; write @ and its name")
        return MacroReference(text[1:], column)

    def _error(self, lexeme: re.Match[str], message: str) -> TextError:
        return TextError(f"column {lexeme.start() + 1}: {message}")

"""Requests in plain words, and phrases that they match.

In a phrase `[a, b c]` is one of, `(please)` or `(d, e)` may be left out, and `$name` is a slot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from voice.errors import TextError
from voice.text.phrase_grammar import (
    Alternatives,
    MacroReference,
    Node,
    Phrase,
    SlotReference,
    Words,
    parse,
    walk,
)


@dataclass(frozen=True)
class SlotValue:
    """What stands in a phrase's slot, in plain words and as it was said."""

    plain: str
    said: str


@dataclass(frozen=True)
class Request:
    """`words` in plain form; the word at i comes from the word `said[owners[i]]`."""

    words: tuple[str, ...]
    owners: tuple[int, ...]
    said: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Request:
        said = tuple(text.replace("’", "'").split())
        owned = [(word, owner) for owner, each in enumerate(said) for word in _plain_word(each)]
        return cls(tuple(word for word, _ in owned), tuple(owner for _, owner in owned), said)

    def without_courtesy(self) -> Request:
        """Without the words of courtesy before and after it."""
        text = " ".join(self.words)
        kept = _LEAD.sub("", text)
        first = len(self.words) - len(kept.split())
        end = first + len(_TRAIL.sub("", kept).split())
        return Request(self.words[first:end], self.owners[first:end], self.said)

    def without_interruption(self) -> Request:
        """Without "Wait." and the like before it, which only takes the turn."""
        following = (*self.owners, None)[1:]
        marked = [
            f"{word}," if owner != after and self.said[owner][-1] in _ENDS else word
            for word, owner, after in zip(self.words, self.owners, following, strict=True)
        ]
        first = len(marked) - len(_INTERRUPTION.sub("", " ".join(marked)).split())
        return Request(self.words[first:], self.owners[first:], self.said)

    def matches(self, phrase: re.Pattern[str]) -> dict[str, SlotValue] | None:
        """The slots by name if the whole request is that phrase, else None."""
        text = "".join(f"{word} " for word in self.words)
        found = phrase.fullmatch(text)
        if not found:
            return None
        spans = {name: found.span(name) for name, slot in found.groupdict().items() if slot}
        return {
            name: self._slot(text[:start].count(" "), text[:end].count(" "))
            for name, (start, end) in spans.items()
        }

    def _slot(self, first: int, end: int) -> SlotValue:
        said = " ".join(self.said[self.owners[first] : self.owners[end - 1] + 1])
        return SlotValue(" ".join(self.words[first:end]), said.strip(' .,;:!?"“”…'))


_LEAD = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|alright|please|um|uh|uhm|er|so|well|and|now|then|thanks|thank you"
    r"|can you|could you|would you|will you|can i|could i|i want you to|i would like(?: you)? to"
    r"|i want to know|i would like to know|do you know|tell me|just|let us) )+(?=\S)"
)
_ENDS = ".,!?;:…"
# Words that may begin a request ("stop the timer") have to stand apart from it.
_INTERRUPTION = re.compile(
    r"^(?:(?:(?:wait|hold on|hang on)(?: a (?:second|moment|minute))?,?"
    r"|(?:stop(?: it| that| talking)?|no|nope|sorry|excuse me|listen|actually|oh|enough),)"
    r"(?: please,)? )+(?=\S)"
)
_TRAIL = re.compile(r"(?: (?:please|thanks|thank you|for me|right now|again please|will you|would you))+$")


def plain(request: str) -> str:
    """Lower case, contractions written out, and no punctuation but that of numbers."""
    return " ".join(Request.of(request).words)


def without_courtesy(request: str) -> str:
    """A plain request without the words of courtesy before and after it."""
    return " ".join(Request.of(request).without_courtesy().words)


def _plain_word(word: str) -> list[str]:
    text = word.lower()
    text = re.sub(r"\b(what|when|that|it|who|there|here|how|where)'s\b", r"\1 is", text)
    text = re.sub(r"\b(i|you|he|she|we|they)'d\b", r"\1 would", text)
    text = text.replace("i'm", "i am").replace("you're", "you are").replace("let's", "let us")
    text = re.sub(r"(?<=\w)-(?=[a-z])", " ", text)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    return re.sub(r"[?!;:\"“”…]|,|\.(?!\d)", " ", text).split()


# ---- phrases → regular expressions over words that each end in a space


def compile_phrase(text: str) -> re.Pattern[str]:
    """Return the regular expression of a phrase.

    Raises TextError where the phrase is wrong, names a slot twice or has what only commands have.
    """
    phrase = parse(text)
    _check(phrase)
    return re.compile(_expression(phrase))


def _check(phrase: Phrase) -> None:
    """Raise TextError for what only commands have, and for a slot that stands twice."""
    names = set()
    for node in walk(phrase):
        if isinstance(node, MacroReference):
            raise TextError(f"column {node.column}: @{node.name} is a macro, which only commands have")
        if isinstance(node, SlotReference):
            if node.kind or not node.name.isidentifier():
                hint = "a slot of a skill is $ and the name of a parameter"
                raise TextError(f"column {node.column}: {node} is no slot; {hint}")
            if node.name in names:
                raise TextError(f"column {node.column}: {node} stands twice in the phrase; use it once")
            names.add(node.name)


def _expression(phrase: Phrase) -> str:
    """Return the source of a phrase's regular expression."""
    return "".join(map(_part, phrase))


def _part(node: Node) -> str:
    match node:
        case Words(text):
            return "".join(f"{re.escape(word.lower())} " for word in text.split())
        case SlotReference(name):
            return rf"(?P<{name}>(?:\S+ )+?)"
        case Alternatives(choices, optional):
            return f"(?:{'|'.join(map(_expression, choices))}){'?' if optional else ''}"
        case MacroReference(name):
            raise AssertionError(f"the macro @{name} was refused before")


def slots_of(phrases: tuple[re.Pattern[str], ...]) -> Iterator[str]:
    """The names of all slots, some perhaps twice."""
    for phrase in phrases:
        yield from phrase.groupindex

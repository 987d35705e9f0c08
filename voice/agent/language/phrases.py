"""Requests in normalized words, and the phrases of skills that they match.

The syntax of phrases is that of voice.text.phrase_grammar, without kinds of slots and macros.
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
    """What fills a slot: its `normalized` words, and the words `verbatim`."""

    normalized: str
    verbatim: str


@dataclass(frozen=True)
class SpokenRequest:
    """What a person asked, in normalized `words`; word i comes from the word `verbatim[origins[i]]`."""

    words: tuple[str, ...]
    origins: tuple[int, ...]
    verbatim: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> SpokenRequest:
        """Normalize a text."""
        verbatim = tuple(text.replace("’", "'").split())
        found = [(word, origin) for origin, each in enumerate(verbatim) for word in _normalize_word(each)]
        return cls(tuple(word for word, _ in found), tuple(origin for _, origin in found), verbatim)

    def without_courtesy(self) -> SpokenRequest:
        """Return the request without the words of courtesy before and after it."""
        text = " ".join(self.words)
        kept = _COURTESY_BEFORE.sub("", text)
        first = len(self.words) - len(kept.split())
        end = first + len(_COURTESY_AFTER.sub("", kept).split())
        return SpokenRequest(self.words[first:end], self.origins[first:end], self.verbatim)

    def without_interruption(self) -> SpokenRequest:
        """Return the request without "Wait." and the like before it, which only take the turn."""
        following = (*self.origins, None)[1:]
        marked = [
            f"{word}," if origin != after and self.verbatim[origin][-1] in _PUNCTUATION else word
            for word, origin, after in zip(self.words, self.origins, following, strict=True)
        ]
        first = len(marked) - len(_INTERRUPTION.sub("", " ".join(marked)).split())
        return SpokenRequest(self.words[first:], self.origins[first:], self.verbatim)

    def match(self, phrase: re.Pattern[str]) -> dict[str, SlotValue] | None:
        """Return the slots by name if the whole request is that phrase, else None."""
        text = "".join(f"{word} " for word in self.words)
        found = phrase.fullmatch(text)
        if not found:
            return None
        spans = {name: found.span(name) for name, value in found.groupdict().items() if value}
        return {
            name: self._slot_value(text[:start].count(" "), text[:end].count(" "))
            for name, (start, end) in spans.items()
        }

    def _slot_value(self, first: int, end: int) -> SlotValue:
        """Return the words from index `first` to `end`, without the punctuation around them."""
        verbatim = " ".join(self.verbatim[self.origins[first] : self.origins[end - 1] + 1])
        return SlotValue(" ".join(self.words[first:end]), verbatim.strip(' .,;:!?"“”…'))


_COURTESY_BEFORE = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|alright|please|um|uh|uhm|er|so|well|and|now|then|thanks|thank you"
    r"|can you|could you|would you|will you|can i|could i|i want you to|i would like(?: you)? to"
    r"|i want to know|i would like to know|do you know|tell me|just|let us) )+(?=\S)"
)
_PUNCTUATION = ".,!?;:…"
# Words that may begin a request ("stop the timer") have to stand apart from it.
_INTERRUPTION = re.compile(
    r"^(?:(?:(?:wait|hold on|hang on)(?: a (?:second|moment|minute))?,?"
    r"|(?:stop(?: it| that| talking)?|no|nope|sorry|excuse me|listen|actually|oh|enough),)"
    r"(?: please,)? )+(?=\S)"
)
_COURTESY_AFTER = re.compile(
    r"(?: (?:please|thanks|thank you|for me|right now|again please|will you|would you))+$"
)


def normalize_request(request: str) -> str:
    """Return a text in lower case, contractions written out, without punctuation outside of numbers."""
    return " ".join(SpokenRequest.of(request).words)


def strip_courtesy(request: str) -> str:
    """Return a normalized request without the words of courtesy before and after it."""
    return " ".join(SpokenRequest.of(request).without_courtesy().words)


def _normalize_word(word: str) -> list[str]:
    """Return the normalized words that a written one is: "what's" → "what", "is"."""
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
    """Return the source of one node's regular expression."""
    match node:
        case Words(text):
            return "".join(f"{re.escape(word.lower())} " for word in text.split())
        case SlotReference(name):
            return rf"(?P<{name}>(?:\S+ )+?)"
        case Alternatives(choices, optional):
            return f"(?:{'|'.join(map(_expression, choices))}){'?' if optional else ''}"
        case MacroReference(name):
            raise AssertionError(f"the macro @{name} was refused before")


def slot_names(phrases: tuple[re.Pattern[str], ...]) -> Iterator[str]:
    """Yield the names of the slots of all phrases; a name comes again for each phrase that has it."""
    for phrase in phrases:
        yield from phrase.groupindex

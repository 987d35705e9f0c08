"""Expressions of a command: phrases whose slots name a kind of value and whose words can be said."""

from __future__ import annotations

import re
from functools import lru_cache

from voice.asr.ctc.alphabet import letters_of, spell
from voice.errors import TextError
from voice.text.phrase_grammar import Phrase, SlotReference, Words, parse, walk


def parse_expression(text: str) -> Phrase:
    """Return the tree of an expression. Raises TextError, with the column, for what is none."""
    phrase = parse(text)
    for node in walk(phrase):
        if isinstance(node, SlotReference) and not node.kind:
            hint = f"write ${node.name}:name, the kind and the name under which it is reported"
            raise TextError(f"column {node.column}: ${node.name} is no slot; {hint}")
        if isinstance(node, Words):
            for word in re.finditer(r"\S+", node.text):
                if not any(character.isalnum() for character in word[0]):
                    column = node.column + word.start()
                    raise TextError(f"column {column}: {word[0]!r} cannot be said; leave it out")
    return phrase


@lru_cache(maxsize=10_000)
def speakable_words(text: str) -> tuple[str, ...]:
    """Return the words, in small letters, in which `text` is said. Raises TextError if it has none."""
    words = letters_of(spell(text).labels).split()
    if not words:
        raise TextError(f"{text!r} holds no letter that could be said; write it as it is spoken")
    return tuple(words)

"""Heteronyms: words that are written alike and pronounced differently; their context decides.

hibari's reader chooses by the part of speech that its tagger finds. The model of `homographs` knows better,
and heteronyms.txt has cues that are certain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

from voice.text.english.homographs import open_model
from voice.text.phones import from_arpabet


class ReaderToken(Protocol):
    """What is used of a token of hibari's reader: a word or a mark, its part of speech and its phonemes."""

    text: str
    tag: str
    whitespace: str  # after it
    phonemes: str | None
    rating: int | None


_DECLINED = ("NN", "VB", "JJ")  # tags of words that can be a noun, a verb or an adjective


class ContextCue(NamedTuple):
    """A pronunciation and the context that decides for it.

    It holds where the words before end with `before`, the words after begin with `after`, and `near` is found
    somewhere in the sentence. All are patterns over small letters; an empty one always fits.
    """

    says: str
    before: str = ""
    after: str = ""
    near: str = ""


@lru_cache(maxsize=1)
def _context_cues() -> dict[str, tuple[ContextCue, ...]]:
    """Return {word: its cues}, as heteronyms.txt has them."""
    sets: dict[str, str] = {}
    found: dict[str, tuple[ContextCue, ...]] = {}
    for line in (Path(__file__).parent / "heteronyms.txt").read_text(encoding="utf-8").splitlines():
        word, *fields = line.split("\t")
        if word.startswith("{"):
            sets[word] = fields[0]
        elif fields:
            patterns = dict(field.split(" ", 1) for field in fields[1:])
            for name, pattern in patterns.items():
                patterns[name] = re.sub(r"\{[a-z]+\}", lambda m: sets[m[0]], pattern)
            found[word] = (*found.get(word, ()), ContextCue(from_arpabet(fields[0]), **patterns))
    return found


def read_homographs(tokens: Sequence[ReaderToken], entries: Mapping[str, object]) -> dict[int, str]:
    """Return {index of a token: its phonemes} for homographs, and mend the tags of verbs and nouns.

    A cue that fits decides, then the model, which knows the readings of some words and tells a verb from a
    noun for all others. `entries` is the reader's lexicon, whose pronunciations of those go by their tags.
    """
    model = open_model()
    words, tags = [token.text for token in tokens], [token.tag for token in tokens]
    found = {}
    for i, token in enumerate(tokens):
        if reading := model.choose(words, tags, i):
            found[i] = reading.phonemes
        elif _is_noun_and_verb(token.text.lower(), entries) and tags[i].startswith(_DECLINED):
            is_verb = model.is_verb(words, tags, i)
            if is_verb != tags[i].startswith("VB"):
                token.tag = "VB" if is_verb else "NN"
    return found | pronounce_in_context(tokens)


def _is_noun_and_verb(word: str, entries: Mapping[str, object]) -> bool:
    """Tell whether the lexicon pronounces a word as a verb otherwise than as a noun."""
    entry = entries.get(word)
    if not isinstance(entry, dict) or word.endswith(("ed", "ing")):
        return False
    return "VBD" not in entry and bool({"VERB", "NOUN"} & set(entry))


def pronounce_in_context(tokens: Sequence[ReaderToken]) -> dict[int, str]:
    """Return {index of a token: its phonemes} for the tokens whose word has a cue that fits."""
    known = _context_cues()
    places = [i for i, token in enumerate(tokens) if token.text in known or token.text.lower() in known]
    if not places:
        return {}
    starts, text = [], ""
    for token in tokens:
        starts.append(len(text))
        text += token.text.lower().replace("’", "'") + token.whitespace
    found = {}
    for i in places:
        cues = known.get(tokens[i].text) or known[tokens[i].text.lower()]
        before = text[: starts[i]].rstrip()
        after = text[starts[i] + len(tokens[i].text) :].lstrip()
        phonemes = next((cue.says for cue in cues if _fits(cue, before, after, text)), None)
        if phonemes:
            found[i] = phonemes
    return found


def _fits(cue: ContextCue, before: str, after: str, text: str) -> bool:
    return (
        (not cue.before or bool(_pattern(f"(?:{cue.before})$").search(before[-60:])))
        and (not cue.after or bool(_pattern(cue.after).match(after)))
        and (not cue.near or bool(_pattern(cue.near).search(text)))
    )


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)

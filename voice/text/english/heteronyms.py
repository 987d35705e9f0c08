"""Heteronyms: words that are written alike and pronounced differently; their context decides.

hibari's reader chooses by the part of speech that its tagger finds. `retag` mends that where the
words beside it say otherwise; heteronyms.txt has words that the part of speech does not tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

from voice.text.phones import from_arpabet


class ReaderToken(Protocol):
    """What is used of a token of hibari's reader: a word or a mark, its part of speech and its phonemes."""

    text: str
    tag: str
    whitespace: str  # after it
    phonemes: str | None
    rating: int | None


class ContextCue(NamedTuple):
    """A pronunciation and the context that decides for it.

    It holds where the words before end with `before`, the words after begin with `after`, and `near` is found
    somewhere in the sentence. All are patterns over small letters; an empty one always fits.
    """

    says: str
    before: str = ""
    after: str = ""
    near: str = ""


_VERB_BEFORE = frozenset(
    "i you we they who will would can could shall should may might must 'll let's please n't".split()
)
_NOUN_BEFORE = frozenset("a an the this my your his our their its another every each whose no".split())
_COUNTLESS = frozenset("sales sports arms goods savings systems news series women's men's".split())
_NOUN = ("NN", "NNS", "NNP", "NNPS")
_AFTER_A_VERB = ("DT", "PRP", "PRP$", "IN", "RB", "RBR", "TO", ".", ",", "WRB", "WP")


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


def retag(tokens: Sequence[ReaderToken], entries: Mapping[str, object]) -> None:
    """Mend the tags of verbs and nouns that are written alike; `entries` is the reader's lexicon of words."""
    for i, token in enumerate(tokens):
        word = token.text.lower()
        entry = entries.get(word)
        if not isinstance(entry, dict) or "VBD" in entry or not ({"VERB", "NOUN", "ADJ"} & set(entry)):
            continue
        before = tokens[i - 1].text.lower() if i else ""
        if before in _NOUN_BEFORE and token.tag.startswith("VB") and token.tag not in ("VBG", "VBN"):
            token.tag = "NN"
        elif (
            token.tag.startswith(("NN", "JJ")) and before not in _NOUN_BEFORE and _is_verb(tokens, i, before)
        ):
            token.tag = "VB"


def _is_verb(tokens: Sequence[ReaderToken], i: int, before: str) -> bool:
    """Tell whether a verb fits better than the noun or adjective that the tagger found."""
    after = tokens[i + 1].tag if i + 1 < len(tokens) else "."
    if before in _VERB_BEFORE:
        return after not in _NOUN
    opening = i == 1 and before.endswith("s") and not before.endswith("ss")  # "Muscles", taken for a name
    subject = opening or (i > 0 and tokens[i - 1].tag in ("NNS", "NNPS"))
    verbs = (token.tag.startswith(("VB", "MD")) for token in tokens[max(0, i - 8) : i])
    return subject and before not in _COUNTLESS and after in _AFTER_A_VERB and not any(verbs)


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

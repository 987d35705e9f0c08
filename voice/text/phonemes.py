"""Spoken text → phonemes, one for one with its words, by hibari's lexicons, tagger and letter-to-sound net.

The alphabet is misaki's American set: one character a phoneme or stress mark, with `PUNCTUATION`
and the space standing for themselves.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

PUNCTUATION = frozenset(';:,.!?—…"()“” ')
LONGEST_WORD = 24  # letters that the letter-to-sound net reads; longer ones are read in pieces


@lru_cache(maxsize=1)
def _reader():
    from hibari.g2p import G2P

    return G2P()


def prepare() -> None:
    """Load what reading needs (a third of a second) before the first sentence asks for it."""
    _reader().oov("ready")
    alphabet()


@lru_cache(maxsize=1)
def alphabet() -> dict[str, int]:
    """Every phoneme character → its id in the models that share this alphabet; 0 is the pad."""
    import hibari

    path = Path(hibari.__file__).parent / "assets" / "vocab.json"
    return json.loads(path.read_text(encoding="utf-8"))


def pronounce(spoken: str) -> list[str]:
    """The phonemes of each space-separated chunk of a sentence, read in the context of all of it.

    `spoken` holds letters, apostrophes, hyphens and punctuation only (see `normalize.spell_out`).
    A chunk without sound gives an empty string.
    """
    chunks = spoken.split()
    if not chunks:
        return []
    read = _grouped(_reader(), " ".join(chunks))
    if len(read) != len(chunks):  # a token swallowed a space: give up the context
        read = ["".join(_grouped(_reader(), chunk)) for chunk in chunks]
    known = alphabet()
    return ["".join(c for c in phonemes.strip() if c in known) for phonemes in read]


def _grouped(reader, text: str) -> list[str]:
    """Phonemes of each space-separated chunk, as the reader's tokens give them."""
    groups, current = [], ""
    for token in reader.phonemize_tokens(reader.tokenize(text)):
        current += token.phonemes or ""
        if token.whitespace:
            groups.append(current)
            current = ""
    return [*groups, current]


_LONG = re.compile(rf"[^\W\d_]{{{LONGEST_WORD + 1},}}")


def broken(word: str) -> str:
    """`word` with runs of letters too long for the reader cut into pieces (spaces between)."""
    return _LONG.sub(lambda m: " ".join(re.findall(rf".{{1,{LONGEST_WORD // 2}}}", m[0])), word)

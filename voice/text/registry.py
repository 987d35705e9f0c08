"""The languages whose text can be read aloud: each is a folder here with a `language.toml`.

The folder's name in capitals is the `Language` in its module `language`: `voice/text/spanish/language.py` has
SPANISH. Nothing of a language is imported before it is asked for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from voice.errors import TextError
from voice.text.language import Language
from voice.text.languages import name_of, parse_language

CARD = "language.toml"


@dataclass(frozen=True)
class LanguageCard:
    """What a language's folder says of itself.

    - `code`: ISO 639-1; `accent`: BCP 47, the way of speaking that its phonemes are those of.
    - `written`: the kinds of written tokens that it puts into words ("dates", "money", …).
    - `phonemes`: where its pronunciations come from.
    - `voice`: the voice that speaks it where none is named, "" as long as there is none.
    - `folder`: the name of its folder.
    - `accents`: further ways of speaking it, {the accent of a voice: the constant in its module `language`}.
    """

    code: str
    name: str
    accent: str
    written: tuple[str, ...]
    phonemes: str
    voice: str
    folder: str
    accents: Mapping[str, str]


@cache
def language_cards() -> Mapping[str, LanguageCard]:
    """Return the cards of all languages that can be read aloud, by code, in the order of their names."""
    paths = sorted(Path(__file__).parent.glob(f"*/{CARD}"))
    cards = (_read_card(path) for path in paths)
    return {card.code: card for card in cards}


def _read_card(path: Path) -> LanguageCard:
    row = tomllib.loads(path.read_text("utf-8"))
    return LanguageCard(
        row["code"], row["name"], row["accent"], tuple(row["written"]), row["phonemes"], row["voice"],
        path.parent.name, row.get("accents", {}),
    )  # fmt: skip


def can_read(code: str) -> bool:
    """Tell whether texts in the language `code` (ISO 639-1) can be read aloud."""
    return code in language_cards()


@cache
def find_language(code: str, accent: str = "") -> Language:
    """Return the language `code` (ISO 639-1) for `voice.text.frontend`, as voices of an `accent` speak it.

    An accent that its folder does not tell apart is that of the card. Raises TextError for another language.
    """
    card = language_cards().get(code)
    if card is None:
        known = ", ".join(f"{card.name} ({card.code})" for card in language_cards().values())
        raise TextError(f"no text can be read aloud in {name_of(code)} here; languages are {known}")
    constant = card.accents.get(accent, card.folder.upper())
    language: Language = getattr(import_module(f"voice.text.{card.folder}.language"), constant)
    return language


def parse_spoken_language(given: str) -> str:
    """Return the code of a language to speak, from a code, tag or name ("es", "pt-BR", "Spanish").

    Raises VoiceError for what is no language and for one that cannot be read aloud.
    """
    code = parse_language(given)
    if code is None:
        raise TextError("a language to speak is wanted, such as es or Spanish")
    find_language(code)
    return code

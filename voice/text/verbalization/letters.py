"""Single characters, and words of capitals: what is left when no other rule reads it."""

from __future__ import annotations

import re
import unicodedata

from voice.text.verbalization.normalizing import SayCharacter
from voice.text.verbalization.rule import Rule, rule
from voice.text.verbalization.wording import Wording

_MARKS_AS_READ = {
    "–": " — ", "—": " — ", "―": " — ", "…": "…", "¡": "", "¿": "", "«": '"', "»": '"', "“": '"', "”": '"',
    "„": '"', "[": "(", "]": ")", "{": "(", "}": ")", "·": " ",
}  # fmt: skip
_CONSONANT_LETTERS = "bcdfghjklmnpqrstvwxz"
_QUIET = frozenset("*_`´'’‘•‣▪●■□†‡^~|\\")


def character_reader(words: Wording, alphabet: str) -> SayCharacter:
    """Return the function that reads characters; letters outside of `alphabet` lose their accents."""

    def say(text: str, at: int) -> str | None:
        char = text[at]
        if char.isspace():
            return " "
        if char in _MARKS_AS_READ:
            return _MARKS_AS_READ[char]
        if char in ';:,.!?()"':
            return char
        if char in "'’" and text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha():
            return "'"
        if char in "-‐‑":
            return _hyphen(text, at)
        if char.lower() in alphabet:
            return char
        if char in words.signs:
            return f" {words.signs[char]} "
        return "" if char in _QUIET else _other(char)

    return say


def _hyphen(text: str, at: int) -> str:
    """Read a hyphen between letters as a space, one between spaces as a dash."""
    spaced = text[at - 1 : at].isspace() and text[at + 1 : at + 2].isspace()
    return " — " if spaced and text[:at].strip() else " "


def _other(char: str) -> str | None:
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if c.isascii() and c.isalnum())
    if plain:
        return plain
    return "" if unicodedata.category(char)[0] in "MPCS" else None


def acronym_rules(words: Wording, spoken: frozenset[str]) -> tuple[Rule, ...]:
    """Return the rules for words of capitals: spelled if they are short or have no vowel.

    `spoken` are those that are read as words all the same.
    """

    def say(match: re.Match[str]) -> str | None:
        text = match["token"]
        if text in spoken or (len(text) > 3 and re.search("[AEIOUÁÉÍÓÚÂÊÔÃÕ]", text[1:])):
            return text.lower()
        return words.spell(text) if _among_small_letters(match) else None

    def letters_and_figures(match: re.Match[str]) -> str:
        return " ".join(
            words.spell(part) if not part.isdigit() else words.cardinal(int(part), "")
            for part in re.findall(r"\d{1,4}|\D", match["token"].replace("-", ""))
        )

    return (
        rule(r"(?<![\w.])(?P<token>(?:[A-Z]\.){2,})",
             lambda match: words.spell(match["token"].replace(".", ""))),
        rule(r"(?<![\w])(?P<token>[A-Z]{1,3}-?\d{1,4}|\d{1,2}[A-Z]{1,2})(?![\w])", letters_and_figures),
        rule(r"(?<![\w])(?P<token>[A-ZÑÇ]{2,6})(?![\w])", say),
        rule(r"(?<![\w'’])(?P<token>[A-Z]\.)(?=\s[A-Z])", lambda match: words.spell(match["token"][0])),
        rule(r"(?<=[a-zà-ÿ] )(?P<token>[A-ZÑ])(?![\w'’])", lambda match: words.spell(match["token"])),
        rule(rf"(?<![\w'’-])(?P<token>[{_CONSONANT_LETTERS}{_CONSONANT_LETTERS.upper()}]|(?!(.)\2)[{_CONSONANT_LETTERS}]{{2,5}})(?![\w'’-])",
             lambda match: words.spell(match["token"])),
    )  # fmt: skip


def _among_small_letters(match: re.Match[str]) -> bool:
    """Tell whether capitals stand out: the sentence has small letters, or is nothing but this word."""
    rest = match.string[: match.start()] + match.string[match.end() :]
    return not any(char.isalpha() for char in rest) or any(char.islower() for char in rest)

"""How single characters that belong to no larger token are read: letters, punctuation, symbols."""

from __future__ import annotations

import re
import unicodedata

from voice.text.english.numbers import cardinal

SYMBOL_NAMES = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "/": "slash", "\\": "backslash",
    "<": "less than", ">": "greater than", "|": "bar", "~": "tilde", "^": "caret", "#": "hash", "$": "dollar",
    "£": "pound", "€": "euro", "¥": "yen", "₹": "rupee", "₩": "won", "₽": "ruble", "₿": "bitcoin",
    "¢": "cent",
    "°": "degrees", "§": "section", "¶": "paragraph", "†": "dagger", "±": "plus or minus", "×": "times",
    "÷": "divided by", "−": "minus", "≈": "about", "≠": "is not equal to", "≤": "at most", "≥": "at least",
    "∞": "infinity", "√": "square root of", "∑": "sum of", "∫": "integral of", "∂": "partial", "∆": "delta",
    "→": "to", "←": "from", "⇒": "implies", "↔": "to and from", "©": "copyright", "®": "registered",
    "™": "trademark", "²": "squared", "³": "cubed", "½": "one half", "¼": "one quarter",
    "¾": "three quarters",
    "‰": "per mille", "№": "number", "✓": "check", "✔": "check", "♥": "heart", "❤": "heart", "∈": "in",
    "∀": "for all", "∃": "there exists", "∅": "empty set", "µ": "micro", "Ω": "ohm", "ª": "a", "º": "o",
}  # fmt: skip
SILENT_CHARACTERS = frozenset("*_`•‣◦▪●○■□►¨´ˆ¯¸")
PUNCTUATION_AS_READ = {
    "–": "—", "‒": "—", "―": "—", "—": "—", "…": "…", "。": ".", "！": "!", "？": "?", "，": ",", "、": ",",
    "；": ";",
    "：": ":", "¡": "", "¿": "", "[": "(", "]": ")", "{": "(", "}": ")", "（": "(", "）": ")",
    "«": '"', "»": '"',
    "„": '"', "「": '"', "」": '"', "‹": "", "›": "", "·": " ", "“": '"', "”": '"',
}  # fmt: skip
_APOSTROPHES = frozenset("'’‘ʼ‛`´′")
_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў",
        "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i yi ye g w".split(),
        strict=True,
    )
)
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρστυφχψως",
        "a v g d e z i th i k l m n x o p r s t i f ch ps o s".split(),
        strict=True,
    )
)


_RESPELLED = re.compile("[\u0370-\u03ff\u0400-\u04ff]{2,}")  # Greek and Cyrillic; a letter alone is named
_FORMS = (("①", "⑨"), ("Ⓐ", "ⓩ"), ("！", "～"), ("\U0001d400", "\U0001d7ff"))


def say_character(text: str, at: int) -> str | None:
    """Return the reading of `text[at]` in its place: '' if it is silent, None if it has none."""
    char = text[at]
    if char.isspace():
        return " "
    if char in _APOSTROPHES and _inside_word(text, at):
        return "'"
    if char in "-‐‑":
        return "-" if _inside_word(text, at) else _dash(text, at)
    if char in PUNCTUATION_AS_READ:
        return (
            f" {PUNCTUATION_AS_READ[char]} "
            if PUNCTUATION_AS_READ[char] == "—"
            else PUNCTUATION_AS_READ[char]
        )
    if char in ';:,.!?()"':
        return char
    if char in SILENT_CHARACTERS or char in _APOSTROPHES:
        return ""
    if char in SYMBOL_NAMES:
        return f" {SYMBOL_NAMES[char]} "
    return _letter(text, at)


def _inside_word(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return (before.isalnum() or before == "\ue000") and (after.isalnum() or after == "\ue000")


def _dash(text: str, at: int) -> str:
    """Read a hyphen beside a space as a dash; one that opens a line or an ending ('-er') is silent."""
    spaced = text[at - 1 : at].isspace() and text[at + 1 : at + 2].isspace()
    doubled = text[at + 1 : at + 2] == "-" and text[at - 1 : at] != "-"
    return " — " if (spaced or doubled) and text[:at].strip() else " "


def _letter(text: str, at: int) -> str | None:
    char = text[at]
    category = unicodedata.category(char)
    if char.isascii():
        return char if char.isalpha() else ""  # what is left of ASCII are control characters
    if category in ("Mn", "Me", "Mc", "Sk", "Cc", "Cf") or "\u2500" <= char <= "\u259f":
        return ""  # accents on their own, joiners, variation selectors, skin tones, controls, drawn boxes
    if category[0] in "LN":
        return _foreign(text, at)
    if category in ("So", "Sm", "Sc") and (name := unicodedata.name(char, "")):
        return f" {name.lower().replace('-', ' ')} " if all(c.isalpha() or c in " -" for c in name) else None
    return "" if category[0] == "P" else None


def _foreign(text: str, at: int) -> str | None:
    """Return a letter outside ASCII in letters that English readers pronounce, or None."""
    char = text[at]
    lower = char.lower()
    if lower in _CYRILLIC:
        return _with_case(char, _CYRILLIC[lower].replace("_", ""))
    if lower in _GREEK or "\u0370" <= lower <= "\u03ff":
        return _greek(text, at)
    if lower in "ßæœøłđðþ":
        return _with_case(
            char, {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "w", "đ": "d", "ð": "th", "þ": "th"}[lower]
        )
    if char.isalpha() and lower <= "ÿ":
        return char  # the reader knows Latin-1's accents
    value = unicodedata.numeric(char, None) if unicodedata.category(char)[0] == "N" else None
    if value is not None and value == int(value):
        return f" {cardinal(int(value))} "
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if c.isascii() and c.isalpha())
    return plain or None


def transliterated_words(text: str) -> list[str]:
    """List the words of other alphabets that are read in Latin letters, sound for sound as far as it goes."""
    words = (match[0] for match in _RESPELLED.finditer(text))
    return [word for word in words if all(_foreign(word, at) is not None for at in range(len(word)))]


def plain_forms(text: str) -> str:
    """Replace full-width, circled and mathematical forms of ASCII characters by plain ones, one for one."""
    if text.isascii():
        return text
    return "".join(_plain(c) if c >= "\u2460" else c for c in text)


def _plain(char: str) -> str:
    if not any(first <= char <= last for first, last in _FORMS):
        return char
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 and plain.isascii() else char


def _greek(text: str, at: int) -> str | None:
    plain = unicodedata.normalize("NFD", text[at])[0].lower()
    if not (text[at - 1 : at].isalpha() or text[at + 1 : at + 2].isalpha()) or text[at - 1 : at].isascii():
        return f" {unicodedata.name(plain).split()[-1].lower().replace('lamda', 'lambda')} "
    return _with_case(text[at], _GREEK.get(plain, "")) or None


def _with_case(char: str, reading: str) -> str:
    return reading.capitalize() if char.isupper() else reading

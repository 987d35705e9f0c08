"""Words that are written in a way of their own: contractions, sounds of people, notes, cut line ends."""

from __future__ import annotations

import re

from voice.text.english.numbers import is_one, number
from voice.text.language import LETTER
from voice.text.verbalization.rule import one_of, rule

_CONTRACTIONS = {
    "youre": "you're", "theyre": "they're", "weve": "we've", "youve": "you've", "theyve": "they've",
    "youll": "you'll", "theyll": "they'll", "dont": "don't", "doesnt": "doesn't", "didnt": "didn't",
    "isnt": "isn't",
    "wasnt": "wasn't", "arent": "aren't", "werent": "weren't", "couldnt": "couldn't", "wouldnt": "wouldn't",
    "shouldnt": "shouldn't", "havent": "haven't", "hasnt": "hasn't", "hadnt": "hadn't", "im": "I'm",
    "ive": "I've",
    "thats": "that's", "whats": "what's", "theres": "there's", "heres": "here's", "howre": "how are",
    "whatre": "what are", "wherere": "where are", "whyre": "why are", "whenre": "when are", "yall": "y'all",
    "shouldve": "should've", "couldve": "could've", "wouldve": "would've", "itll": "it'll",
    "thatll": "that'll",
}  # fmt: skip
_KEYS = {"Ctrl": "control", "Cmd": "command", "Opt": "option", "Esc": "escape", "Del": "delete"}
_ARE = "how what where why when there that these those who".split()


def _say_contraction(match: re.Match[str]) -> str:
    words = _CONTRACTIONS[match[0].lower()]
    return words[0].upper() + words[1:] if match[0][0].isupper() else words


def _say_sound(match: re.Match[str]) -> str:
    """Write 'Shhhh', 'grrrr' and 'Hmmph' as the one form that has phonemes."""
    return re.sub(r"([a-z])\1{2,}", r"\1\1", match[0].lower()).replace("hmmph", "hmph").replace("tssk", "tsk")


def _say_slashed_letters(match: re.Match[str]) -> str:
    """Read 'N/A', 'AC/DC' and 'TCP/IP' letter by letter."""
    return spell(match[0])


def _say_joined_letters(match: re.Match[str]) -> str:
    """Read 'AT&T' and 'A&W'."""
    return " and ".join(map(spell, match[0].split("&")))


def spell(text: str) -> str:
    """Return the letters of a text, apart, so that 'A' is the letter's name and not the article."""
    return " ".join(c.upper() + (LETTER if c in "Aa" else "") for c in text if c.isalpha())


def _say_keys(match: re.Match[str]) -> str:
    """Read 'Ctrl+Shift+C'."""
    return " ".join(_KEYS.get(key, spell(key) if len(key) == 1 else key) for key in match[0].split("+"))


def _say_line_end(match: re.Match[str]) -> str | None:
    """Join a word that was cut at a line's end, unless its parts are words and the whole is none."""
    from voice.text.english.pronunciation import is_word

    first, second = match[1], match[2]
    if is_word((first + second).lower()) or not (is_word(first.lower()) and is_word(second.lower())):
        return first + second
    return f"{first}-{second}"


_LASTS = "wait waits waited for after within last lasts lasted take takes took every another under".split()


def _say_seconds(match: re.Match[str]) -> str:
    """Read 'Wait 30s', which is no decade."""
    return f"{number(match['n'])} second{'' if is_one(match['n']) else 's'}"


_LETTERED = (
    "vitamin hepatitis grade plan type group class section level point exhibit appendix option part team"
    " side block"
    " letter"
).split()

WORD_RULES = (
    rule(rf"\b(?i:{one_of(_LASTS)}) (?P<token>(?P<n>\d{{1,3}})s)\b", _say_seconds),
    rule(r"\b[Ii]n (?P<token>(?P<n>\d{1,3})s)(?=[.,;!?]|$| or )", _say_seconds),
    rule(r"(?<![\w-])([^\W\d_]+)[-\u2010\u00ad]\n\s*([a-z]+)", _say_line_end),
    rule("\u00ad", lambda m: ""),
    rule(rf"(?<![\w'’-])(?i:{one_of(_CONTRACTIONS)})(?![\w'’-])", _say_contraction),
    rule(rf"\b(?i:{one_of(_ARE)})(?P<token>['’]re)\b", lambda m: " are"),
    rule(r"(?<!\w)[Tt]h['’](?=\s[a-z])", lambda m: "the"),
    rule(r"\b(?i:sh{2,}|hm+ph|gr{2,}|z{3,}|br{2,}|ts{1,2}k|ngh+|ps+t|pf+t)\b(?<![A-Z]{3})", _say_sound),
    rule(r"(?<![\w&.])[A-Z]{1,3}&[A-Z]{1,3}(?![\w&])", _say_joined_letters),
    rule(r"(?<![\w/.-])(?:[A-Z]{1,2}/[A-Z]{1,2}|TCP/IP)(?![\w/]|\.\w)", _say_slashed_letters),
    rule(rf"(?<!\w)(?:{one_of([*_KEYS, 'Alt', 'Shift', 'Option'])})(?:\+\w+)+", _say_keys),
    rule(r"(?<=[.!?,;:\"”’)])(?<!\d[.,:])[¹²³⁰⁴-⁹]+|(?<=[.!?,;:\"”])(?<!\d[.,:])\[\d{1,3}\]", lambda m: ""),
    rule(r"(?<=\d\.)[¹²³⁰⁴-⁹]+(?=\s|$)|(?<=[.!?])[*†‡]+(?=\s|$)", lambda m: ""),
    rule(r"(?<![\w./-])[A-Za-z]{2,}[.!?](?P<token>\d{1,3})(?=\s*$)", lambda m: ""),
    rule(r"(?<=[a-z]{4})(?<!.[²³])(?P<token>[¹²³⁰⁴-⁹]+)(?!\w)", lambda m: ""),
    rule(rf"\b(?i:{one_of(_LETTERED)})s? (?P<token>A)\b(?!['’])", lambda m: "A" + LETTER),
    rule(r"^(?P<token>A)(?=[.):]\s)", lambda m: "A" + LETTER),
    rule(r"(?<![\w'’])a(?=\s?(?:[≤≥<>=×÷^≈≠∈]|[+*/]\s?[a-z]\b))|(?<=[≤≥<>=×÷≈≠+] )a\b(?! [a-z]{2,})",
         lambda m: "A" + LETTER),
)  # fmt: skip

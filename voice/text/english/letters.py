"""Names that mix letters and figures, emoticons, arrows and other signs of several characters."""

from __future__ import annotations

import re
import unicodedata

from voice.text.english.numbers import cardinal, digits, plural, say_in_name, split_last_word
from voice.text.english.words import spell
from voice.text.language import LETTER
from voice.text.verbalization.rule import one_of, rule

_COMPOUND_SIGNS = {
    "->": "to", "-->": "to", "=>": "to", "<-": "from", "<->": "to and from", ">=": "at least",
    "<=": "at most",
    "!=": "is not equal to", "==": "equals", "&&": "and", "||": "or", "+/-": "plus or minus", "C#": "C sharp",
    "F#": "F sharp", "J#": "J sharp", "<3": "heart", "1:1": "one to one",
}  # fmt: skip
_FACES = {
    ":)": "smile", ":-)": "smile", ":(": "frown", ":-(": "frown", ";)": "wink", ";-)": "wink", ":D": "grin",
    ":-D": "grin", ":P": "tongue out", ":-P": "tongue out", ":/": "grimace", ":'(": "tears", "xD": "laughter",
    ":O": "surprise", ":-O": "surprise", ":|": "blank face",
}  # fmt: skip
_VOWEL = re.compile("[aeiouyAEIOUYáéíóúäöü]")


def _say_mixed_name(match: re.Match[str]) -> str:
    """Read 'B2B' as 'B two B', 'GPT-4o' as 'G P T four O', '20-year-old' as 'twenty year old'."""
    text, possessive = match[1], match[2] or ""
    parts = [_part(part) for part in re.split("[-–_]", text) if part]
    return " ".join(parts) + possessive.replace("’", "'")


def _part(part: str) -> str:
    if part.isalpha():
        return _letters(part, alone=True)
    many = re.fullmatch(r"(.*\d)s", part)
    runs = re.findall(r"\d+|[^\W\d_]+", many[1] if many else part)
    words = [say_in_name(run) if run.isdecimal() else _letters(run, alone=False) for run in runs]
    if many:
        head, separator, last = split_last_word(words[-1])
        words[-1] = head + separator + plural(last)
    return " ".join(words)


def _letters(run: str, alone: bool) -> str:
    """Read letters within a mixed name as a word if they look like one, else letter by letter."""
    if alone and not run.isupper():
        return run
    if run == "A":
        return run + LETTER
    is_word = len(run) > 2 and _VOWEL.search(run) and not (run.isupper() and len(run) < 4)
    return run if is_word else spell(run)


def _say_code(match: re.Match[str]) -> str:
    """Spell a long identifier, hexadecimal for instance: letter by letter, figure by figure."""
    return " ".join(digits(c) if c.isdecimal() else c.upper() for c in match[0] if c.isalnum())


def _say_flag(match: re.Match[str]) -> str:
    return "flag of " + " ".join(chr(ord(c) - 0x1F1E6 + ord("A")) for c in match[0])


def _say_section(match: re.Match[str]) -> str:
    """Read '401(k)' and '501(c)(3)'."""
    return " ".join(
        filter(None, (say_in_name(match[1]), match[2].upper(), match[3] and say_in_name(match[3])))
    )


def _is_power(match: re.Match[str]) -> bool:
    """Tell whether '**' is a power, and not the end of bold type."""
    return match.string.count("**") % 2 == 1 or bool(re.match(r"\d", match.string[match.end() :]))


def _say_letter_span(match: re.Match[str]) -> str:
    """Read 'A–Z'."""
    return f"{match[0][0]} to {match[0][-1]}"


def _say_members(match: re.Match[str]) -> str:
    """Read 'the 49ers'."""
    return cardinal(int(match[1])).removesuffix("e") + "ers"


LETTER_RULES = (
    rule(r"(?<![\w.])(40[13]|501|529) ?\(([a-z])\)(?:\((\d)\))?", _say_section),
    rule(r"(?<![\w.,])(\d{1,3})ers\b", _say_members),
    rule(r"(?<![\w–-])(?:A[-–]Z|[A-Z]\s?–\s?[A-Z])(?![\w–-])", _say_letter_span),
    rule(rf"(?<![\w<>=!&|+/-])(?:{one_of(_COMPOUND_SIGNS)})(?![\w<>=&|/])", lambda m: _COMPOUND_SIGNS[m[0]]),
    rule(rf"(?<![<>=!&|+-])(?:{one_of(s for s in _COMPOUND_SIGNS if not s[0].isalnum())})(?![<>=&|])",
         lambda m: _COMPOUND_SIGNS[m[0]]),
    rule(rf"(?:(?<=\s)|^)(?:{one_of(_FACES)})(?=[\s.,!?)]|$)", lambda m: _FACES[m[0]]),
    rule(r"(?P<token>\]\((?:https?://|/|#|\ue000)[^)\s]*\))", lambda m: ""),
    rule(r"^#{1,6}(?=\s)|^>+(?=\s)", lambda m: ""),
    rule(r"(?<=[\w)\]])\*\*(?=[\w(])", lambda m: " to the power of " if _is_power(m) else None),
    rule(r"(?<=[\d\ue000])\*(?=\w)|(?<=\w)\*(?=\d)|(?<=\b[a-z])\*(?=[a-z]\b)", lambda m: " times "),
    rule(r"([=~#^|+<>\\/&%@$])\1{3,}", lambda m: " "),  # a line that is drawn
    rule(r"[\U0001f1e6-\U0001f1ff]{2}", _say_flag),
    rule(r"(?<=[^\W\d_])[₀-₉]+", lambda m: digits(unicodedata.normalize("NFKC", m[0]))),
    rule(r"(?<=[^\W\d])(?P<token>_+)(?=[^\W_])", lambda m: ""),
    rule(r"\b(?=[0-9a-f]*\d[0-9a-f]*[a-f][0-9a-f]*\d)[0-9a-f]{7,}\b", _say_code),
    rule(r"\b(?=\w*\d)(?=\w*[A-Za-z])[0-9A-Za-z]{16,}\b", _say_code),
    rule(r"(?<![\w.])(?=[\w-]*\d)(?=[\w–-]*[^\W\d_])([^\W_]+(?:[-–_][^\W_]+)*)(['’]s)?(?![\w])",
         _say_mixed_name),
    rule(r"(?<!\w)\.(?=NET\b)", lambda m: "dot"),
)  # fmt: skip

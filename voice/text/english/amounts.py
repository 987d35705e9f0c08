"""Fractions, ordinals, ranges, arithmetic, and plain figures."""

from __future__ import annotations

import re
import unicodedata

from voice.text.english.numbers import (
    NUMBER,
    NUMBER_END,
    SHORT_SCALES,
    cardinal,
    is_one,
    number,
    ordinal,
    plural,
    say_in_name,
    year,
)
from voice.text.verbalization.rule import TAKEN, one_of, rule

_PERIODS = {
    "yr": "year", "y": "year", "mo": "month", "hr": "hour", "h": "hour", "wk": "week", "min": "minute",
    "d": "day",
    "sec": "second", "kg": "kilogram", "g": "gram", "lb": "pound", "oz": "ounce", "gal": "gallon",
    "mi": "mile",
    "km": "kilometer", "ml": "milliliter", "GB": "gigabyte", "kWh": "kilowatt hour", "sqft": "square foot",
}  # fmt: skip
_DENOMINATORS = {2: "half", 4: "quarter"}
_COMMON_DENOMINATORS = frozenset((2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 32, 64, 100, 1000))
_AS_SAID = {
    "24/7": "twenty-four seven",
    "9/11": "nine eleven",
    "50/50": "fifty fifty",
    "20/20": "twenty twenty",
}


def _say_degrees(match: re.Match[str]) -> str:
    scale = {"C": " Celsius", "℃": " Celsius", "F": " Fahrenheit", "℉": " Fahrenheit", "K": " Kelvin"}
    return ("degree" if is_one(match[1]) else "degrees") + scale.get(match["scale"] or match["token"], "")


def _say_out_of(match: re.Match[str]) -> str:
    """Read '4.5/5 stars'."""
    return f"{number(match[1])} out of {number(match[2])}"


def _ratio_of(above: int, below: int, mixed: bool) -> str:
    if below == 2 and above == 1:
        return "a half" if mixed else "one half"
    name = _DENOMINATORS.get(below) or ordinal(below)
    many = "halves" if below == 2 else plural(name)
    if above == 1:
        return f"{'a' if mixed and below != 8 else 'an' if mixed else 'one'} {name}"
    return f"{cardinal(above)} {many}"


def _say_fraction(match: re.Match[str]) -> str | None:
    whole, above, below = match[1], int(match[3]), int(match[4])
    if not whole and (words := _AS_SAID.get(match[0])):
        return words
    small = whole and below in range(2, 11) and above < 10
    if 0 < above and (above < below or small) and below in _COMMON_DENOMINATORS:
        part = _ratio_of(above, below, mixed=bool(whole))
        return f"{number(whole)} and {part}" if whole else part
    if whole:
        return (
            f"{number(whole)} and {cardinal(above)} over {cardinal(below)}" if match["mixed"] == " " else None
        )
    return f"{number(match[3])} over {number(match[4])}"


def _say_fraction_sign(match: re.Match[str]) -> str:
    above, below = unicodedata.normalize("NFKC", match[2]).split("\u2044")
    part = _ratio_of(int(above), int(below), mixed=bool(match[1]))
    return f"{number(match[1])} and {part}" if match[1] else part


def _say_power(match: re.Match[str]) -> str:
    digits = unicodedata.normalize("NFKC", match["token"].lstrip("^")).replace("−", "-").strip("{}")
    letter = re.search(r"[a-z)]$", match.string[: match.start("token")])
    if (match["token"][0] != "^" or letter) and digits in ("2", "3"):
        return "squared" if digits == "2" else "cubed"
    return f"to the power of {number(digits)}"


def _say_scientific(match: re.Match[str]) -> str:
    return f"{number(match[1])} times ten to the power of {number(match[2].lstrip('+'))}"


def _say_cross(match: re.Match[str]) -> str:
    """Read the cross of '25 x 7 m' as by, that of '3 x 4 = 12' as times."""
    measure = re.match(rf" ?(?:\d+(?:\.\d+)? ?)?(?:{TAKEN}|[x×] )", match.string[match.end() :])
    return "by" if measure and "=" not in match.string else "times"


def _say_difference(match: re.Match[str]) -> str:
    """Read the dash of '5 - 3' as minus, that of the range '3 - 5' as to."""
    first, second = (float(match[i].replace(",", "")) for i in (1, 3))
    return "minus" if "=" in match.string[match.end() :][:3] or first > second else "to"


def _say_range(match: re.Match[str]) -> str | None:
    """Read the dash of a range; leave the dash of a name, as in 'A12-345'."""
    before, after = match.string[max(0, match.start() - 12) : match.start()], match.string[match.end() :]
    if re.search(r"[A-Za-z]\d+$", before):
        return None
    if re.match(r"\s?\d+(?:\.\d+)?(?:\s?[-+*/×÷]\s?\d+(?:\.\d+)?)*\s?=", after):
        return "minus"
    halves = re.search(r"\b(50)$", before) and re.match(r"50\b", after)
    return " " if halves else "to"


def _say_scale(match: re.Match[str]) -> str | None:
    """Read '30k users' and '1.2B people', but not a '10K' run, a '4K' screen or a flat '3B'."""
    if match["token"] in "kK":
        return "thousand" if float(match["n"]) >= 20 and match["n"] != "401" else None
    counts = "." in match["n"] or match["word"] is not None
    return SHORT_SCALES[match["token"].lower()] if counts else None


def say_figure(text: str) -> str:
    """Return a figure that stands alone in words; four digits without a comma may be a year."""
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", text):
        return year(int(text))
    return number(text)


_COUNTED_NOUNS = one_of(
    "people men women children votes dollars pounds euros points miles feet meters years days hours"
    " minutes seconds copies units calories words students employees members users soldiers troops acres"
    " tons steps times seats deaths cases others more".split()
)
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"

FRACTION_RULES = (
    rule(r"(?<![\w/.,])(\d+\.\d+)/(5|10|100)(?![\w/]|\.\d)", _say_out_of),
    rule(r"(?<![\w/.,])(\d+)/(5|10|100)(?= (?:stars|points|rating|score)\b)", _say_out_of),
    rule(r"(?<![\w/.,])(?:(\d+)(?P<mixed>[\s-]))?(\d{1,4}|\d{5}(?=/\d{5}))[/⁄](\d{1,5})(?i:ths|rds|nds|th|rd|nd)?(?![\w/]|\.\d)",
         _say_fraction),
    rule(rf"(?<![\w.,])(?:(\d+)\s?)?([{_VULGAR}])", _say_fraction_sign),
)  # fmt: skip

AMOUNT_RULES = (
    rule(r"(?<![\w.-])(7[0-8]7)-(\d00)(?!\w)", lambda m: f"{say_in_name(m[1])} {number(m[2])}"),  # airliners
    rule(r"(?<!\w)#(\d+)\s?[-–]\s?(\d+)(?![\w-])",
         lambda m: f"numbers {number(m[1])} through {number(m[2])}"),
    rule(r"\b(?:[Rr]oom|Route|Highway|Flight|Boeing|Airbus|Apartment|Suite|[Bb]us) (?P<token>\d{3})\b",
         lambda m: say_in_name(m["token"])),
    rule(rf"({NUMBER})\s?(?P<token>[°º˚]\s?(?P<scale>[CFK])?|℃|℉)(?!\w)", _say_degrees),
    rule(rf"(?<![\w.])(\d+(?:\.\d+)?)[eE]([-+]?\d+){NUMBER_END}", _say_scientific),
    rule(r"(?<![\w.,])(\d+|\d{1,3}(?:,\d{3})+)(?:st|nd|rd|th|ST|ND|RD|TH)\b", lambda m: ordinal(_int(m[1]))),
    rule(rf"(?<![\w.])(?:{NUMBER})(?P<token>[x×])(?=\d)", lambda m: "by"),
    rule(r"(?<=[\d\ue000] )(?P<token>[x×])(?= [\d\ue000])", _say_cross),
    rule(rf"(?<![\w.])(?:{NUMBER})(?P<token>[xX×])(?![\w^]|\s?[-+=] ?[\dA-Za-z]|\))", lambda m: "times"),
    rule(r"(?<![\w:])\d+(?P<token>:)(?=\d+(?![\w:]))", lambda m: "to"),
    rule(rf"(?<![\w.])({NUMBER}) (?P<token>[-–]) ({NUMBER}){NUMBER_END}", _say_difference),
    rule(rf"(?<=[\d{TAKEN}])\s?(?P<token>\*)\s?(?=[\d{TAKEN}])", lambda m: " times "),
    rule(r"(?<=[\w)\ue000])(?P<token>\^\{?-?\d+\}?|[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)", _say_power),
    rule(rf"(?<![\w)\].,%{TAKEN}])(?P<token>[-−–])(?=[\d{TAKEN}]|\.\d)", lambda m: "minus"),
    rule(r"(?<=[=<>(] )[-−](?=\w)", lambda m: "minus"),
    rule(rf"(?:(?<=\b[a-z] )|(?<=[\d²³){TAKEN}] ))[-−](?= (?:[a-z]\b|[\d({TAKEN}]))",
         lambda m: "minus" if "=" in m.string else None),
    rule(rf"(?<=[\d{TAKEN}%])\s?(?P<token>[-–])\s?(?=[\d{TAKEN}])", _say_range),
    rule(rf"(?<={TAKEN})/([A-Za-z]+)\b", lambda m: f"per {_PERIODS.get(m[1], m[1])}"),
    rule(rf"(?<=\d)/({one_of(_PERIODS)})\b(?!/)", lambda m: f"per {_PERIODS[m[1]]}"),
    rule(r"(?<=\d)(?P<token>!)(?=\s?[=+*/×÷)])", lambda m: " factorial"),
    rule(r"\b(?:Chapter|Lesson|Unit|Episode|Track|Part|Volume|Exercise|Step) (?P<token>0\d)\b(?![.:]\d)",
         lambda m: cardinal(int(m["token"]))),
    rule(r"(?<![\w.])(?P<n>\d+(?:\.\d+)?)(?P<token>[kKMB])\b(?P<word>(?=\s[a-z]{3,}))?", _say_scale),
    rule(rf"~(?=\s?[\d$£€{TAKEN}])", lambda m: "about"),
    rule(r"(?<![\w&])#(?=[A-Z]{0,3}\d)", lambda m: "number"),
)  # fmt: skip

FIGURE_RULES = (
    rule(rf"(?<!\b[Ii]n )(?<![Tt]he )(?<![\w.,])(?P<token>1[1-9]\d\d|20\d\d)(?= (?:{_COUNTED_NOUNS})\b)",
         lambda m: number(m["token"])),
    rule(r"(?<![\w.,])\d{1,3}(?:[\u00a0\u202f\u2009]\d{3})+(?!\w)|(?<![\w.,])\d{1,3}(?: \d{3}){2,}(?!\w)",
         lambda m: cardinal(int(re.sub(r"\s", "", m[0])))),
    rule(r"(?<![\w.,])\d{1,3}(?:[._]\d{3}){2,}(?![\w.])", lambda m: cardinal(int(re.sub(r"[._]", "", m[0])))),
    rule(r"(?<![\w.,])(\d+),(\d{1,2})(?![\w,])", lambda m: number(f"{m[1]}.{m[2]}")),
    rule(r"(?<![\w.,])(\d+)['’]?s\b", lambda m: plural(say_in_name(m[1]))),
    rule(NUMBER, lambda m: say_figure(m[0])),
    rule(r"\d+", lambda m: " ".join(number(str(int(c))) for c in m[0])),
)  # fmt: skip


def _int(text: str) -> int:
    return int(text.replace(",", ""))

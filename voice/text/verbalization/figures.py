"""Figures as most of Europe and the Americas write them, 1.234,5 or 1 234,5 or 1,234.5, as words."""

from __future__ import annotations

import re

from voice.text.verbalization.rule import Rule, rule
from voice.text.verbalization.wording import ALONE, Wording

# Groups of three behind points or spaces with decimals behind a comma; or the other way round; or plain.
FIGURE = (
    r"(?:\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:,\d+)?(?!\d)|\d{1,3}(?:,\d{3})+\.\d+"
    r"|\d{1,3}(?:,\d{3}){2,}|\d+(?:[.,]\d+)?)"
)
FIGURE_END = r"(?![\w]|[.,:/]\d)"
FIGURE_START = r"(?<![\w.,:/\ue000])"
RANGE_START = rf"(?:(?P<first>{FIGURE})\s?[-–]\s?(?=\d))?"  # the first of two figures that share a unit
LONGEST_NUMBER = 15  # digits; a longer one is read digit by digit


def parse_figure(text: str) -> tuple[str, str]:
    """Return the whole part and the decimals of a FIGURE, as digits."""
    text = re.sub(r"[ \u00a0\u202f]", "", text)
    grouped = re.fullmatch(r"\d{1,3}(\.\d{3})+(,\d+)?|\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,}", text)
    if not grouped:
        whole, _, decimals = text.replace(",", ".").partition(".")
        return whole, decimals
    mark = "." if grouped[1] else ","
    whole, _, decimals = text.replace(mark, "").replace(",", ".").partition(".")
    return whole, decimals


def say_figure(text: str, words: Wording, gender: str = ALONE) -> str:
    """Return the words of a FIGURE; one with leading zeros is read digit by digit."""
    whole, decimals = parse_figure(text)
    if len(whole) > LONGEST_NUMBER or (len(whole) > 1 and whole[0] == "0"):
        said = say_digits(whole, words)
    else:
        said = words.cardinal(int(whole), ALONE if decimals else gender)
    return f"{said} {words.comma} {say_decimals(decimals, words)}" if decimals else said


def say_digits(text: str, words: Wording) -> str:
    """Name each digit of `text`; everything else is left out."""
    return " ".join(words.digits[int(char)] for char in text if char.isdecimal() and char.isascii())


def say_decimals(digits: str, words: Wording) -> str:
    """Read up to two decimals as a number, after their zeros; more of them digit by digit."""
    zeros = len(digits) - len(digits.lstrip("0"))
    rest = digits[zeros:]
    if len(rest) > 2 or not rest:
        return say_digits(digits, words)
    return " ".join([words.digits[0]] * zeros + [words.cardinal(int(rest), ALONE)])


def say_range_start(match: re.Match[str], words: Wording, gender: str) -> str:
    """Return the words of RANGE_START where there is one: 'diez a '."""
    return f"{say_figure(match['first'], words, gender)} {words.until} " if match["first"] else ""


def is_one(text: str) -> bool:
    """Tell whether a FIGURE is one, before which a noun stands in the singular."""
    return parse_figure(text) == ("1", "")


def figure_rules(words: Wording) -> tuple[Rule, ...]:
    """Return the rules for figures that belong to nothing else: ranges, signs, numbers before a noun."""
    minus = words.signs["−"]

    def range_(match: re.Match[str]) -> str:
        gender = words.gender_of(match["noun"] or "")
        first, last = (say_figure(match[name], words, gender) for name in ("first", "last"))
        return f"{first} {words.until} {last}"

    def number(match: re.Match[str]) -> str:
        sign = {"-": minus, "−": minus, "+": words.signs["+"]}.get(match["sign"], "")
        return f"{sign} {say_figure(match['figure'], words, words.gender_of(match['noun'] or ''))}".strip()

    noun = r"(?=[ \u00a0](?P<noun>[^\W\d_]+)|)"
    return (
        rule(rf"{FIGURE_START}(?P<token>(?P<first>{FIGURE})\s?[-–]\s?(?P<last>{FIGURE})){FIGURE_END}{noun}",
             range_),
        rule(rf"{FIGURE_START}(?P<token>(?P<sign>(?<![\w\ue000])[-−+]|)(?P<figure>{FIGURE})){FIGURE_END}{noun}",
             number),
        rule(r"(?P<token>\d+)", lambda match: say_figure(match["token"], words)),
    )  # fmt: skip

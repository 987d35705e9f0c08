"""Sums of money and measures: a figure and what is counted by it."""

from __future__ import annotations

import re

from voice.text.verbalization.figures import (
    FIGURE,
    FIGURE_END,
    FIGURE_START,
    RANGE_START,
    is_one,
    parse_figure,
    say_figure,
    say_range_start,
)
from voice.text.verbalization.rule import Rule, one_of, rule
from voice.text.verbalization.wording import Noun, Wording


def money_rules(words: Wording) -> tuple[Rule, ...]:
    """Return the rules for sums: 5 €, $1,250.50, 3 millones de dólares written with signs."""
    sign = rf"(?P<currency>{one_of(words.currencies)})"
    scale = rf"(?:\s(?P<scale>{one_of(words.scales)})\b)?"
    amount = rf"{RANGE_START}(?P<sign>[-−]?)(?P<amount>{FIGURE})"

    def say(match: re.Match[str]) -> str:
        noun, _ = words.currencies[match["currency"]]
        return say_range_start(match, words, noun.gender) + _say_sum(match, words)

    return (
        rule(rf"(?<![\w.,])(?P<minus>[-−]?){sign}\s?{amount}{scale}{FIGURE_END}", say),
        rule(rf"{FIGURE_START}(?P<minus>){amount}{scale}\s?{sign}(?!\w)", say),
    )


def _say_sum(match: re.Match[str], words: Wording) -> str:
    noun, cent = words.currencies[match["currency"]]
    minus = f"{words.signs['−']} " if match["sign"] or match["minus"] else ""
    amount = match["amount"]
    if match["scale"]:
        return f"{minus}{say_figure(amount, words)} {match['scale']} {words.of} {noun.many}"
    whole, decimals = parse_figure(amount)
    if cent is None or len(decimals) not in (1, 2) or (len(decimals) == 1 and "." in amount):
        return f"{minus}{say_figure(amount, words, noun.gender)} {_noun_after(amount, noun, words)}"
    parts = []
    if int(whole) or not int(decimals):
        parts.append(f"{words.cardinal(int(whole), noun.gender)} {_noun_after(whole, noun, words)}")
    if hundredths := int(decimals.ljust(2, "0")):
        parts.append(f"{words.cardinal(hundredths, cent.gender)} {cent.after_number(hundredths == 1)}")
    return minus + f" {words.cents} ".join(parts)


def _noun_after(amount: str, noun: Noun, words: Wording) -> str:
    """Return the noun after a figure, with "de" between after whole millions."""
    whole, decimals = parse_figure(amount)
    is_round = not decimals and whole.endswith("000000") and int(whole) > 0
    return f"{words.of} {noun.many}" if is_round and words.of else noun.after_number(is_one(amount))


def unit_rules(words: Wording) -> tuple[Rule, ...]:
    """Return the rule for measures: 5 km, 90 km/h, 20 m², 37,5 °C."""
    units = one_of(words.units)

    def say(match: re.Match[str]) -> str:
        noun = words.units[match["unit"]]
        single = is_one(match["amount"])
        said = f"{say_figure(match['amount'], words, noun.gender)} {noun.after_number(single)}"
        if power := {"²": words.square, "2": words.square, "³": words.cubic, "3": words.cubic}.get(
            match["power"] or ""
        ):
            said += f" {power.after_number(single)}"
        if match["below"]:
            said += f" {words.per(words.units[match['below']])}"
        sign = f"{words.signs['−']} " if match["sign"] else ""
        return say_range_start(match, words, noun.gender) + sign + said

    return (
        rule(rf"{FIGURE_START}(?P<token>{RANGE_START}(?P<sign>(?<![\w\ue000])[-−]|)(?P<amount>{FIGURE})\s?(?P<unit>{units})"
             rf"(?P<power>(?<=m)[²³23])?(?:/(?P<below>{units}))?)(?![\w²³]|/\w)", say),
    )  # fmt: skip

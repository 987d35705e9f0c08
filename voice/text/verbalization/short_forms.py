"""Abbreviations, which a language gives as tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from voice.text.verbalization.rule import Rule, one_of, rule


def short_form_rules(
    short: Mapping[str, str], after_figure: Collection[str], before_figure: Mapping[str, str]
) -> tuple[Rule, ...]:
    """Return the rules for abbreviations, as they are written with their stops, and their words.

    Those in `after_figure` are read so only after a figure ("min."), those of `before_figure` before one or
    before a Roman numeral ("no. 5"). The stop of one that ends the sentence stays.
    """

    def say(match: re.Match[str]) -> str:
        token = match["token"]
        is_last = not match.string[match.end("token") :].strip(" \"'”’)»")
        return short[token] + ("." if is_last and token.endswith(".") else "")

    anywhere = one_of(each for each in short if each not in after_figure)
    return (
        rule(rf"(?<=[\d\ue000])\s?(?P<token>{one_of(after_figure)})(?!\w)", lambda match: f" {say(match)}"),
        rule(rf"(?<![\w.])(?P<token>{anywhere})(?![^\W\d_])", say),
        rule(rf"(?<![\w.])(?P<token>{one_of(before_figure)})\s?(?=[\dIVX])",
             lambda match: before_figure[match["token"]]),
    )  # fmt: skip

"""Dates and times of day, for languages that put the day before the month."""

from __future__ import annotations

import re

from voice.text.verbalization.rule import Rule, one_of, rule
from voice.text.verbalization.wording import Wording


def calendar_rules(words: Wording, link: str) -> tuple[Rule, ...]:
    """Return the rules for dates and times; `link` is the pattern between a day and a month ("de")."""
    months = {name: number for number, name in enumerate(words.months, 1)}
    month = rf"(?i:(?P<month>{one_of(months)}))"

    def month_name(match: re.Match[str]) -> str:
        year = int(match["year"]) if match["year"] else None
        return words.date(int(match["day"]), months[match["month"].lower()], year)

    def figures(match: re.Match[str]) -> str | None:
        day, number = int(match["day"]), int(match["month"])
        if not (1 <= day <= 31 and 1 <= number <= 12):
            return None
        return words.date(day, number, full_year(match["year"]))

    def time(match: re.Match[str]) -> str | None:
        hour, minute = int(match["hour"]), int(match["minute"])
        second = int(match["second"]) if match["second"] else None
        if hour > 24 or minute > 59:
            return None
        said, hours = words.time(hour, minute, second), words.units["h"].many
        return f"{said} {hours}" if match["hours"] and hours not in said else said

    return (
        rule(rf"(?<![\w.,/])(?P<token>(?P<day>\d{{1,2}})(?:\.?[º°]|er|\.)?\s+{link}{month}"
             rf"(?:\s+(?:{link}|del\s+)?(?P<year>\d{{4}}))?)\b", month_name),
        rule(r"(?<![\w-])(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?![\w-])", figures),
        rule(r"(?<![\w/.-])(?P<day>\d{1,2})(?P<sep>[/.-])(?P<month>\d{1,2})(?P=sep)(?P<year>\d{4}|\d{2})"
             r"(?![\w/-]|\.\d)", figures),
        rule(r"(?<![\w:.,])(?P<token>(?P<hour>\d{1,2})(?::|\.(?=\d\d\s?h\b)|\s?h\s?)(?P<minute>\d{2})"
             r"(?::(?P<second>\d{2}))?(?P<hours>\s?h\b)?)(?![\w:])",
             time),
    )  # fmt: skip


def full_year(text: str) -> int:
    """Return the year that two or four digits mean."""
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 50 else 1900)

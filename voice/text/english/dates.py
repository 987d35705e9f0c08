"""Dates, times of day, years and decades."""

from __future__ import annotations

import re
from functools import partial

from voice.text.english.numbers import TENS, cardinal, ordinal, plural, year
from voice.text.verbalization.rule import Rule, one_of, rule

MONTHS = ("January February March April May June July August September October November December").split()
_SHORT_MONTHS = [month[:3] for month in MONTHS if month != "May"] + ["Sept"]
_MONTH_NAMES = [*MONTHS, *_SHORT_MONTHS]
_WORDS_TOO = {"may", "march", "mar"}  # in small letters
_SHORT_CASED = [*_SHORT_MONTHS, *map(str.upper, _SHORT_MONTHS), *map(str.lower, _SHORT_MONTHS)]
_CASED = [
    *_MONTH_NAMES,
    *map(str.upper, _MONTH_NAMES),
    *({name.lower() for name in _MONTH_NAMES} - _WORDS_TOO),
]
_MONTH = rf"(?:{one_of(_CASED)})\b\.?"
_MERIDIEM = r"[AaPp]\.?[Mm]\b"


def full_name(month: str) -> str:
    """Return 'January' for 'jan', 'JAN.' and 'January'; other words as they are."""
    return _FULL.get(month.rstrip(".").title(), month)


def _date(text_year: str, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    full = (("19" if int(text_year) > 40 else "20") + text_year) if len(text_year) == 2 else text_year
    return f"{MONTHS[month - 1]} {ordinal(day)}, {year(int(full))}"


def _say_iso_date(match: re.Match[str]) -> str | None:
    date = _date(match[1], int(match[2]), int(match[3]))
    if date and match[4]:
        return f"{date}, {_clock(int(match[4]), int(match[5]))}"
    return date


def _in_order(first: str, second: str, day_first: bool) -> tuple[int, int]:
    """Return the month and the day of two figures in the usual order, or in the only one that is possible."""
    month, day = (int(second), int(first)) if day_first else (int(first), int(second))
    return (day, month) if month > 12 >= day else (month, day)


def _say_slashed_date(match: re.Match[str], day_first: bool) -> str | None:
    """Read '03/04/2025'; where the day is first, as 'the third of April'."""
    month, day = _in_order(match[1], match[2], day_first)
    said = _date(match[3], month, day)
    return (
        f"the {ordinal(day)} of {MONTHS[month - 1]},{said.partition(',')[2]}" if said and day_first else said
    )


def _say_year_first(match: re.Match[str]) -> str | None:
    """Read '2016/07/03' and '2012.01.05'."""
    return _date(match[1], int(match[3]), int(match[4]))


def _say_month_first(match: re.Match[str]) -> str | None:
    """Read 'Jan-15-2020'."""
    return _date(match[3], MONTHS.index(full_name(match[1])) + 1, int(match[2]))


def _say_quarter(match: re.Match[str]) -> str:
    """Read '2Q22' and 'Q3 2022' as quarters of a year."""
    quarter = match["before"] or match["after"]
    of = match["year"].strip(" '’-")
    words = year(int(of)) if len(of) == 4 else _short_year(of)
    return f"{'' if match['the'] else 'the '}{ordinal(int(quarter))} quarter of {words}"


def _say_dotted_date(match: re.Match[str]) -> str | None:
    return _date(match[3], int(match[2]), int(match[1]))


def _say_day(match: re.Match[str]) -> str | None:
    """Read the figures alone of 'March 5' and 'March 5–7'."""
    days = [int(n) for n in re.findall(r"\d+", match["token"])]
    return " to ".join(map(ordinal, days)) if all(1 <= day <= 31 for day in days) else None


def _say_day_before_month(match: re.Match[str]) -> str | None:
    """Read '5 March' as 'the fifth of March'; '5th of March' and 'the 5th March' keep their words."""
    if words := _say_day(match):
        return ("" if match["the"] else "the ") + words + ("" if match["of"] else " of")
    return None


def _say_short_date(match: re.Match[str], day_first: bool) -> str | None:
    """Read 'on 10/31', unless it may be a fraction."""
    month, day = _in_order(match[2], match[3], day_first)
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    alone = re.match(r"[,;:!?)]|\.?$", match.string[match.end() :])
    if day < 13 and not (alone and match[0].lower().startswith(("on", "due", "dated"))):
        return None
    return _say_day_of_year(month, day, day_first)


def _say_weekday_date(match: re.Match[str], day_first: bool) -> str | None:
    """Read the date of 'Wed 3/12'."""
    month, day = _in_order(match[2], match[3], day_first)
    return _say_day_of_year(month, day, day_first) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _say_day_of_year(month: int, day: int, day_first: bool) -> str:
    name, number = MONTHS[month - 1], ordinal(day)
    return f"the {number} of {name}" if day_first else f"{name} {number}"


def _say_span(match: re.Match[str]) -> str:
    """Read 'Mon-Fri', 'Jan–Mar' and 'May–June'."""
    return " to ".join(full_name(name) for name in match.groups())


def _say_military_time(match: re.Match[str]) -> str:
    hour = ("oh " if match["hour"][0] == "0" else "") + cardinal(int(match["hour"]))
    minute = ("oh " if match["minute"][0] == "0" else "") + cardinal(int(match["minute"]))
    return f"{hour} {'hundred' if match['minute'] == '00' else minute}"


def _say_duration(match: re.Match[str]) -> str:
    """Read '2h 15min'."""
    counts = zip(match.groups(), ("hour", "minute"), strict=True)
    return " ".join(f"{cardinal(int(n))} {unit}{'' if int(n) == 1 else 's'}" for n, unit in counts)


def _clock(hour: int, minute: int) -> str:
    if minute == 0:
        return f"{cardinal(hour)} hundred" if hour > 12 else f"{cardinal(hour)} o'clock"
    return f"{cardinal(hour)} {'oh ' if minute < 10 else ''}{cardinal(minute)}"


def _say_time(match: re.Match[str]) -> str | None:
    hour, minute = int(match[1]), int(match[2])
    if hour > 24 or minute > 59:
        return None
    words = cardinal(hour) if match["meridiem"] is not None and not minute else _clock(hour, minute)
    if match["second"] and not minute:
        parts = zip((hour, minute, int(match["second"])), ("hour", "minute", "second"), strict=True)
        first, middle, last = (f"{cardinal(n)} {unit}{'' if n == 1 else 's'}" for n, unit in parts)
        return f"{first} {middle} and {last}"
    if match["second"]:
        words += f" and {cardinal(int(match['second']))} second" + ("s" if int(match["second"]) != 1 else "")
    return words


def _say_elapsed_time(match: re.Match[str]) -> str:
    """Read '27:30' of a race."""
    return f"{cardinal(int(match[1]))} {'oh ' if match[2][0] == '0' else ''}{cardinal(int(match[2]))}"


def _say_short_month(match: re.Match[str]) -> str:
    """Read the month of 'jan. 5' and '25 SEPT.', whose stop may end the sentence."""
    ends = match["token"].endswith(".") and not match.string[match.end("token") :].strip("\"'”’) ")
    return full_name(match["token"]) + ("." if ends else "")


def _say_meridiem(match: re.Match[str]) -> str:
    words = match["token"]
    stop = "." if words.endswith(".") and match.end() == len(match.string.rstrip()) else ""
    return f"{words[0].upper()} M{stop}"


def _say_decade(match: re.Match[str]) -> str:
    century, ten = match["century"], int(match["ten"])
    if not century:
        return plural(TENS[ten]) if ten > 1 else "tens"
    if ten:
        return f"{cardinal(int(century))} {plural(TENS[ten]) if ten > 1 else 'tens'}"
    return "two thousands" if century == "20" else f"{cardinal(int(century))} hundreds"


def _say_years(match: re.Match[str]) -> str:
    until = match[3]
    end = year(int(until)) if len(until) == 4 else ("oh " if until[0] == "0" else "") + cardinal(int(until))
    return f"{year(int(match[1]))} {'' if match[2] == '/' else 'to '}{end}"


_END = r"(?![\w]|[.,:/]\d)"
_DAYS = r"(?P<token>\d{1,2}(?:st|nd|rd|th)?(?:\s?[-–]\s?\d{1,2}(?:st|nd|rd|th)?)?)"

_WEEKDAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_TWO_LETTER_DAYS = {
    "Mo": "Monday", "Tu": "Tuesday", "We": "Wednesday", "Th": "Thursday", "Fr": "Friday", "Sa": "Saturday",
    "Su": "Sunday",
}  # fmt: skip
_FULL = _WEEKDAYS | {month[:3]: month for month in MONTHS} | {"Sept": "September"}
_MONTH_OR_WEEKDAY = rf"(?:{one_of([*_FULL, *_WEEKDAYS.values(), *MONTHS])})\b"

_BOOKS = (
    "Genesis Exodus Leviticus Numbers Deuteronomy Joshua Judges Ruth Samuel Kings Chronicles Ezra"
    " Nehemiah Esther Job Psalm Psalms Proverbs Ecclesiastes Isaiah Jeremiah Ezekiel Daniel Hosea Joel"
    " Amos Jonah Micah Malachi Matthew Mark Luke John Acts Romans Corinthians Galatians Ephesians"
    " Philippians Colossians Thessalonians Timothy Titus Hebrews James Peter Jude Revelation Rev Gen Matt"
    " Cor"
).split()


def date_rules(day_first: bool) -> tuple[Rule, ...]:
    """Return the rules for dates and times; `day_first` decides where either order is possible."""
    slashed = partial(_say_slashed_date, day_first=day_first)
    short = partial(_say_short_date, day_first=day_first)
    weekday = partial(_say_weekday_date, day_first=day_first)
    open_dates = (
        rule(rf"(?<![\w/])(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}|\d{{2}}){_END}", slashed),
        rule(r"(?<![\w/.-])(\d{1,2})-(\d{1,2})-([12]\d{3})(?![\w-]|[.,:/]\d)", slashed),
        rule(rf"\b(?P<token>{one_of(_TWO_LETTER_DAYS)})(?= \(\d{{1,2}}/\d{{1,2}}\))",
             lambda m: _TWO_LETTER_DAYS[m["token"]]),
        rule(rf"(?:{_MONTH_OR_WEEKDAY}|\ue000)\.?,? \((?P<token>(\d{{1,2}})/(\d{{1,2}}))(?=\))",
             weekday),
        rule(r"\b(?i:on|due|by|until|before|after|dated|since) (?P<token>(\d{1,2})/(\d{1,2}))(?![\w/])",
             short),
        rule(rf"\b{_MONTH_OR_WEEKDAY}\.?,? (?P<token>(\d{{1,2}})/(\d{{1,2}}))(?![\w/])", weekday),
    )  # fmt: skip
    return (*_YEAR_RULES, *open_dates, *_DATE_RULES)


_YEAR_RULES = (
    rule(rf"\b(?:{one_of(_BOOKS)})\.? \d{{1,3}}(?P<token>:)(?=\d{{1,3}}\b)", lambda m: " "),
    rule(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2}(?:\.\d+)?)?Z?)?(?![\w-])",
         _say_iso_date),
    rule(r"(?<![\w./-])([12]\d{3})([/-])(\d{1,2})\2(\d{1,2})(?![\w/-]|\.\d)", _say_year_first),
    rule(r"(?<![\w./-])(19\d\d|20\d\d)(\.)(\d\d)\.(\d\d)(?![\w/-]|\.\d)", _say_year_first),
)  # fmt: skip
_DATE_RULES = (
    rule(rf"(?<![\w-])({one_of(_CASED)})-(\d{{1,2}})-(\d{{4}})(?![\w-])", _say_month_first),
    rule(r"(?P<the>\b[Tt]he )?(?<![\w.,])(?P<token>(?:(?P<before>[1-4])Q|Q(?P<after>[1-4]))"
         r"(?P<year>\s?['’]?\d\d|[ -]?20\d\d))(?!\w|[.,]\d)", _say_quarter),
    rule(rf"(?<![\w.])(\d{{1,2}})\.(\d{{1,2}})\.(\d{{4}}){_END}", _say_dotted_date),
    rule(rf"(?<![\w-])(\d{{1,2}})-({one_of(_CASED)})-(\d{{4}})(?![\w-])",
         lambda m: f"{full_name(m[2])} {ordinal(int(m[1]))}, {year(int(m[3]))}"),
    rule(r"(?<=\d)(?P<token>[-–])(?=['’]\d\d\b)", lambda m: " to "),
    rule(rf"(?<![\w.])({_MONTH_OR_WEEKDAY})\.?\s?[-–]\s?({_MONTH_OR_WEEKDAY})(?!\.?\s\d)", _say_span),
    rule(rf"(?<=[\d\ue000])\s?(?P<token>[-–])\s?(?={_MONTH}\s\d)", lambda m: "to"),
    rule(rf"\b(?P<token>{one_of(_WEEKDAYS)})\b(?=,\s(?:{_MONTH}|\d)|\s\ue000)",
         lambda m: _WEEKDAYS[m["token"]]),
    rule(rf"\b{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,? (?:and|or|to|through|until) {_DAYS}"
         r"(?![\w%]|[.,:/]\d|\s[a-z])", _say_day),
    rule(r"(?<![\w:.,])(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?= hours\b)", _say_military_time),
    rule(r"(?<![\w:.,])(\d{1,2})\s?h(?:rs?)?\s?(\d{1,2})\s?m(?:ins?)?\b", _say_duration),
    rule(r"\b(?i:in|since|until|by|year|circa|of) (?P<token>10\d\d)(?=[,;:!?)]|\.?$|\.?\s(?:[A-Z]|the\b"
         r"|when\b|and\b|he\b|she\b|they\b|at\b|after\b|by\b))", lambda m: year(int(m["token"]))),
    rule(rf"(?P<the>\bthe )?(?<![\w.,/]){_DAYS}(?P<of>\sof)?(?=\s{_MONTH})", _say_day_before_month),
    rule(rf"(?P<the>\bthe )?(?<![\w.,/]){_DAYS}(?P<of>\sof)?(?=\s(?:may|march|mar)\b"
         r"(?:,? \d{4}|[,;.!?)]|$))",
         _say_day_before_month),
    rule(rf"(?:\b(?:on|of|since|until|till|by|from|before|after|through|dated|due) |^)"
         rf"(?:may|march|mar\.?)\s{_DAYS}"
         r"(?![\w%]|[.,:/]\d|\s[a-z])", _say_day),
    rule(rf"\b(?:may|march|mar\.?)\s{_DAYS}(?=,? (?:19|20)\d\d\b)", _say_day),
    rule(rf"\b{_MONTH}\s(?:the\s)?{_DAYS}(?![\w%]|[.,:/]\d)", _say_day),
    rule(rf"\b(?P<token>(?:{one_of(_SHORT_CASED)})\b\.?)(?=\s[\d\ue000])", _say_short_month),
    rule(rf"\ue000\s(?P<token>(?:{one_of(_SHORT_CASED)})\b\.?)", _say_short_month),
    rule(rf"(?<![\w:.])(\d{{1,2}}):(\d{{2}})(?::(?P<second>\d{{2}}))?"
         rf"(?P<meridiem>(?=\s?{_MERIDIEM}))?(?![\d:])", _say_time),
    rule(r"(?<![\w:.])(\d{2,3}):([0-5]\d)(?![\d:])", _say_elapsed_time),
    rule(rf"(?<![\w.])(\d{{1,2}})\.(\d{{2}})(?P<second>)(?P<meridiem>(?=\s?{_MERIDIEM}))", _say_time),
    rule(r"(?<=[\d\ue000])\s?(?P<token>[AaPp](?:\.[Mm]\.|[Mm]))(?!\w)", _say_meridiem),
    rule(r"(?<![\w'’])(?P<century>1\d|20)(?P<ten>\d)0['’]?s\b", _say_decade),
    rule(r"(?<![\w.,$£€])['’‘]?(?P<century>)(?P<ten>[1-9])0['’]?s\b", _say_decade),
    rule(r"(?<![\w.,-])(1[1-9]\d\d|20\d\d)\s?([-–/])\s?(\d{4}|\d{2})(?![\w-]|[.,]\d)", _say_years),
    rule(r"(?<!\w)['’‘](?P<token>\d\d)(?!\w)", lambda m: _short_year(m["token"])),
)  # fmt: skip


def _short_year(two: str) -> str:
    return ("oh " if two[0] == "0" else "") + cardinal(int(two))

"""Measures: a figure and its unit."""

from __future__ import annotations

import re

from voice.text.english.numbers import NUMBER, cardinal, is_one, number, plural
from voice.text.verbalization.rule import TAKEN, one_of, rule

_UNITS = {
    "mm": "millimeter", "cm": "centimeter", "dm": "decimeter", "m": "meter", "km": "kilometer",
    "nm": "nanometer",
    "µm": "micrometer", "μm": "micrometer", "mi": "mile", "yd": "yard", "ft": "foot", "nmi": "nautical mile",
    "mg": "milligram", "µg": "microgram", "μg": "microgram", "mcg": "microgram", "g": "gram",
    "kg": "kilogram",
    "t": "ton", "oz": "ounce", "lb": "pound", "lbs": "pound", "ml": "milliliter", "mL": "milliliter",
    "cl": "centiliter", "dl": "deciliter", "l": "liter", "L": "liter", "gal": "gallon", "qt": "quart",
    "tsp": "teaspoon", "tbsp": "tablespoon", "ha": "hectare", "ac": "acre", "ms": "millisecond",
    "µs": "microsecond",
    "ns": "nanosecond", "s": "second", "sec": "second", "secs": "second", "min": "minute", "mins": "minute",
    "h": "hour", "hr": "hour", "hrs": "hour", "yr": "year", "yrs": "year", "wk": "week", "wks": "week",
    "mo": "month", "mos": "month", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz",
    "THz": "terahertz", "VDC": "volt D C", "VAC": "volt A C",
    "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte",
    "PB": "petabyte", "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte", "kbit": "kilobit",
    "Mbit": "megabit",
    "Gbit": "gigabit", "W": "watt", "kW": "kilowatt", "MW": "megawatt", "GW": "gigawatt", "TW": "terawatt",
    "Wh": "watt hour", "kWh": "kilowatt hour", "MWh": "megawatt hour", "GWh": "gigawatt hour", "V": "volt",
    "kV": "kilovolt", "mV": "millivolt", "mA": "milliamp", "mAh": "milliamp hour", "Pa": "pascal",
    "kPa": "kilopascal", "hPa": "hectopascal", "bar": "bar", "mbar": "millibar", "psi": "P S I",
    "N": "newton",
    "kN": "kilonewton", "J": "joule", "kJ": "kilojoule", "MJ": "megajoule", "cal": "calorie",
    "kcal": "kilocalorie",
    "dB": "decibel", "dpi": "D P I", "ppi": "P P I", "rpm": "R P M", "px": "pixel", "cc": "C C",
    "lm": "lumen",
    "Ω": "ohm", "N·m": "newton meter", "Nm": "newton meter", "kΩ": "kilohm", "mol": "mole",
    "ppm": "part per million", "ppb": "part per billion",
    "mph": "mile per hour", "kph": "kilometer per hour", "kmh": "kilometer per hour",
    "kbps": "kilobit per second",
    "Mbps": "megabit per second", "Gbps": "gigabit per second", "fps": "frame per second", "pct": "percent",
    "sq ft": "square foot", "sq mi": "square mile", "sq m": "square meter", "sq km": "square kilometer",
}  # fmt: skip
_SPACED_ONLY = frozenset("s t h N J W V L".split())  # "5s", "4h" and "40W" may be names; "5 s" is a measure
_UNCOUNTED = frozenset(
    ("hertz", "percent", "P S I", "D P I", "P P I", "R P M", "C C", "kilohertz", "megahertz")
)

_EVENT = re.compile(
    r" (?:dash|sprint|race|hurdles|freestyle|relay|backstroke|butterfly|marathon|swim|run|walk|drive)\b"
)


def _say_unit(match: re.Match[str]) -> str | None:
    unit, between, power = match["unit"], match["between"], match["power"] or ""
    amount = match["amount"] or ""  # none where another rule has read it, a fraction
    if unit in _SPACED_ONLY and not between.isspace() and not match["per"] and "." not in amount:
        return None
    words = _UNITS[unit]
    words = {"2": "square ", "²": "square ", "3": "cubic ", "³": "cubic "}.get(power, "") + words
    if (
        amount
        and not match["hyphen"]
        and not _EVENT.match(match.string, match.end())
        and not is_one(amount)
        and words not in _UNCOUNTED
    ):
        words = _many(words)
    if match["per"]:
        below = {"s": "second", "h": "hour", "d": "day"}.get(match["per"]) or _UNITS[match["per"]]
        timed = match["per"] in ("s", "h", "min")
        power = "" if timed else {"²": "square ", "³": "cubic "}.get(match["perpower"], "")
        words += f" per {power}{below}" + (" squared" if timed and match["perpower"] else "")
    return words


def _many(unit: str) -> str:
    head, separator, tail = unit.partition(" per ")
    if head.startswith("volt "):
        return head.replace("volt", "volts", 1)
    head = (
        head[:-4] + "feet" if head.endswith("foot") else plural(head) if not head.endswith("hertz") else head
    )
    return head + separator + tail


def _say_feet(match: re.Match[str]) -> str:
    return f"{cardinal(int(match[1]))} foot {number(match[2])}"


def _say_inches(match: re.Match[str]) -> str | None:
    if match.string[: match.start()].count('"') % 2:  # it closes a quotation
        return None
    return "inch" if is_one(match[1]) else "inches"


def _say_feet_and_inches(match: re.Match[str]) -> str:
    """Read '6 ft 2 in'."""
    feet, inches = match[1], match[2]
    words = f"{number(feet)} {'foot' if is_one(feet) else 'feet'} {number(inches)}"
    return f"{words} {'inch' if is_one(inches) else 'inches'}"


def _say_abbreviated_inches(match: re.Match[str]) -> str:
    """Read the unit of '1 in. of rain' and '1/4 in.'."""
    one = is_one(match[1]) or re.fullmatch(r"\d+[/⁄]\d+", match[1])
    return ("inch" if one else "inches") + ("" if match.string[match.end() :].strip() else ".")


_PER = one_of([*_UNITS, "d"])

LENGTH_RULES = (
    rule(r"(?<![\w.])(\d{1,2})['′’]\s?(\d{1,2}(?:\.\d)?)(?:[\"″”]|''|’’)", _say_feet),
    rule(rf"(?<![\w.])({NUMBER})(?P<token>[\"″])(?=[\s,.;:!?)x×]|$)", _say_inches),
    rule(rf"(?<![\w.,])({NUMBER})\s?(?:ft|feet|foot)\.?\s?({NUMBER})\s?in\b", _say_feet_and_inches),
    rule(rf"(?<![\w.,/])(\d+[/⁄]\d+|{NUMBER})\s(?P<token>in\.)(?!\s[A-Z])", _say_abbreviated_inches),
)  # fmt: skip

UNIT_RULES = (
    rule(rf"(?:(?<![\w.,])(?<![A-Za-z]-)(?P<amount>{NUMBER})|(?<={TAKEN}))(?P<between>\s?)(?P<token>(?P<hyphen>-?)(?P<unit>{one_of(_UNITS)})(?P<power>[²³]|(?<=m)[23])?"
         rf"(?:/(?P<per>{_PER})(?P<perpower>[²³])?)?(?:\.(?=\s[a-z\d(]))?)(?![\w²³]|/(?!\d)|'\w)", _say_unit),
)  # fmt: skip

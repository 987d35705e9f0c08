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
    "A": "amp", "fl oz": "fluid ounce", "fl. oz.": "fluid ounce", "kt": "karat", "ct": "carat",
    "mph": "mile per hour", "kph": "kilometer per hour", "kmh": "kilometer per hour",
    "kbps": "kilobit per second",
    "Mbps": "megabit per second", "Gbps": "gigabit per second", "fps": "frame per second", "pct": "percent",
    "sq ft": "square foot", "sq mi": "square mile", "sq m": "square meter", "sq km": "square kilometer",
}  # fmt: skip
_SPACED_ONLY = frozenset("s t h N J W V L".split())  # "5s", "4h" and "40W" may be names; "5 s" is a measure
_ELECTRIC = frozenset("A V W".split())
_ONE_CASE = frozenset(  # with other letters they are other words or units: "AC", "IN", "Mb"
    "MW mW MB Pa mA ac ha mi mo mos min mins sec secs bar cal ct lm ms ns wk wks".split()
)
_ANY_CASE = {name.lower(): name for name in _UNITS if len(name) > 1 and name not in _ONE_CASE}
_TIMED = (
    r"\b(?:[Ii]n|[Ff]or|[Aa]fter|[Ww]ithin|[Ww]ait(?:ed|s)?|last(?:s|ed)?|takes?|took|every|another|about|only"
    r"|just|under) $"
)
_UNCOUNTED = frozenset(
    ("hertz", "percent", "P S I", "D P I", "P P I", "R P M", "C C", "kilohertz", "megahertz")
)

_EVENT = re.compile(
    r" (?:dash|sprint|race|hurdles|freestyle|relay|backstroke|butterfly|marathon|swim|run|walk|drive)\b"
)


def _say_unit(match: re.Match[str]) -> str | None:
    unit, power = match["unit"], match["power"] or ""
    amount = match["amount"] or ""  # none where another rule has read it, a fraction
    if not _is_measure(match, amount):
        return None
    words = _UNITS[unit if unit in _UNITS else _ANY_CASE[unit.lower()]]
    words = {"2": "square ", "²": "square ", "3": "cubic ", "³": "cubic "}.get(power, "") + words
    if (
        amount
        and not (match["hyphen"] and re.match(r"\s\w", match.string[match.end() :]))
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


def _is_measure(match: re.Match[str], amount: str) -> bool:
    """Tell whether a letter behind a figure is a unit: "5 s" and "240V" are measures, "2A" may be a door."""
    unit, between, before = match["unit"], match["between"], match.string[: match.start()]
    if unit not in _UNITS:
        return unit.lower() in _ANY_CASE and (unit.islower() or unit.isupper())
    if unit in _ELECTRIC:
        others = {found[1] for found in re.finditer(r"\d\s?([AVW]|volt|amp|watt|ohm)s?\b", match.string)} - {
            unit
        }
        return bool(others) or (
            unit != "A" and (between.isspace() or (amount.isdecimal() and int(amount) >= 10))
        )
    if unit in ("s", "h") and not between:
        timed = re.search(_TIMED, before) or re.match(r" (?:ago|later|left)\b", match.string[match.end() :])
        return bool(timed or match["per"] or "." in amount)
    return not (unit in _SPACED_ONLY and not between.isspace() and not match["per"] and "." not in amount)


def _say_many_units(match: re.Match[str]) -> str:
    """Read the unit of '100 million kg' and '4 1/2 lbs', which are more than one."""
    return _many(_UNITS[match["token"]])


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
    before, after = match.string[: match.start()], match.string[match.end() :]
    if before.count('"') % 2 or re.match(_SPEAKER, after) or re.fullmatch(r"1\d{3}|20\d\d", match[1]):
        return None  # it closes a quotation, which may have begun in an earlier sentence
    adjective = re.search(r"\b(?:[Aa]n?|[Tt]he|[Mm]y|[Hh]is|[Hh]er|this) $", before) and re.match(
        r" [a-z]{3}", after
    )
    return "inch" if is_one(match[1]) or adjective else "inches"


def _say_foot(match: re.Match[str]) -> str:
    """Read "3'" before a word that tells of a length."""
    return f"{number(match[1])} {'foot' if is_one(match[1]) else 'feet'}"


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
_SPEAKER = (
    r",? (?:(?:he|she|they|we|it|I|[A-Z][a-z]+) (?:said|says|wrote|told|thought|cried|\w+ed)\b"
    r"|(?:said|says|asked|replied|added|wrote)\b)"
)
_COUNTED_AS = "hundred thousand million billion trillion dozen half".split()
_SAFE_UNITS = [
    name
    for name in _UNITS
    if len(name) > 1 and name not in ("min", "sec", "bar", "cal", "ms", "mi", "mo", "ac", "ha")
]

LENGTH_RULES = (
    rule(r"(?<![\w.,])(\d+(?:\.\d+)?)[\"″”]?\s?[x×]\s?(\d+(?:\.\d+)?)[\"″”](?!\w)",
         lambda m: f"{number(m[1])} by {number(m[2])} inches"),
    rule(rf"\b(?:{one_of(_COUNTED_AS)}) (?P<token>{one_of(_SAFE_UNITS)})\b(?!['/])", _say_many_units),
    rule(rf"(?<![\w/.,])\d+[\s-]\d+/\d+\s?(?P<token>{one_of(_SAFE_UNITS)})\b(?!['/])", _say_many_units),
    rule(r"(?<![\w.])(\d{1,3})['′](?= (?:long|wide|tall|high|deep|by|x|of)\b)", _say_foot),
    rule(r"(?<![\w.,])(\d+)\s?(?P<token>m)"
         r"(?= (?:people|users|votes|copies|viewers|followers|subscribers|members|customers)\b)",
         lambda m: "million"),
    rule(r"(?<![\w.,])(\d{1,3})(?P<token>\s?-?y/?o)\b(?!\.)", lambda m: " year old"),
    rule(r"(?<![\w.,])(\d{1,3})(?P<token>in)\b(?! (?:a|an|the|\d))",
         lambda m: " inch" if is_one(m[1]) else " inches"),
    rule(r"(?<![\w/])km/h\b", lambda m: "kilometers per hour"),
    rule(r"(?<![\w.])(\d{1,2})['′’]\s?(\d{1,2}(?:\.\d)?)(?:[\"″”]|''|’’)", _say_feet),
    rule(rf"(?<![\w.])({NUMBER})(?P<token>[\"″])(?=[\s,.;:!?)x×]|$)", _say_inches),
    rule(rf"(?<![\w.,])({NUMBER})\s?(?:ft|feet|foot)\.?\s?({NUMBER})\s?in\b", _say_feet_and_inches),
    rule(rf"(?<![\w.,/])(\d+[/⁄]\d+|{NUMBER})\s(?P<token>in\.)(?!\s[A-Z])", _say_abbreviated_inches),
)  # fmt: skip

UNIT_RULES = (
    rule(rf"(?:(?<![\w.,])(?<![A-Za-z]-)(?P<amount>\d+,\d{{1,2}}(?![\d,])|{NUMBER})|(?<={TAKEN}))(?P<between>\s?)(?P<token>(?P<hyphen>-?)(?P<unit>{one_of(_UNITS)}|(?i:{one_of(_ANY_CASE)}))(?P<power>[²³]|(?<=m)[23])?"
         rf"(?:/(?P<per>{_PER})(?P<perpower>[²³])?)?(?:\.(?=\s[a-z\d(]))?)(?![\w²³]|/(?!\d)|'\w)", _say_unit),
)  # fmt: skip

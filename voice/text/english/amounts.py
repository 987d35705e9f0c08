"""Money, measures, fractions, ordinals, ranges, arithmetic, and plain figures."""

from __future__ import annotations

import re
import unicodedata

from voice.text.english.numbers import cardinal, grouped, number, ordinal, plural, year
from voice.text.english.rule import one_of, rule

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
TAKEN = "\ue000"

_CURRENCIES = {
    "$": ("dollar", "dollars", "cent"), "US$": ("U S dollar", "U S dollars", "cent"),
    "C$": ("Canadian dollar", "Canadian dollars", "cent"), "CA$": ("Canadian dollar", "Canadian dollars",
    "cent"),
    "A$": ("Australian dollar", "Australian dollars", "cent"), "£": ("pound", "pounds", "penny"),
    "€": ("euro", "euros", "cent"), "¥": ("yen", "yen", ""), "₹": ("rupee", "rupees", "paisa"),
    "₩": ("won", "won", ""),
    "₽": ("ruble", "rubles", "kopeck"), "₺": ("lira", "lira", ""), "₪": ("shekel", "shekels", ""),
    "฿": ("baht", "baht", ""), "₿": ("bitcoin", "bitcoins", ""), "USD": ("U S dollar", "U S dollars", "cent"),
    "EUR": ("euro", "euros", "cent"), "GBP": ("pound", "pounds", "penny"), "JPY": ("yen", "yen", ""),
    "CHF": ("Swiss franc", "Swiss francs", "centime"), "CAD": ("Canadian dollar", "Canadian dollars", "cent"),
    "AUD": ("Australian dollar", "Australian dollars", "cent"), "INR": ("rupee", "rupees", "paisa"),
    "CNY": ("yuan", "yuan", ""), "Rs": ("rupee", "rupees", "paisa"),
}  # fmt: skip
_SMALL_PLURALS = {"penny": "pence", "paisa": "paise"}
_SCALES = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "b": "billion",
    "bn": "billion",
    "tn": "trillion",
}

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
_PERIODS = {"yr": "year", "mo": "month", "hr": "hour", "wk": "week", "min": "minute", "sec": "second"}
_DENOMINATORS = {2: "half", 4: "quarter"}
_COMMON_DENOMINATORS = frozenset((2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 32, 64, 100, 1000))
_AS_SAID = {
    "24/7": "twenty-four seven",
    "9/11": "nine eleven",
    "50/50": "fifty fifty",
    "20/20": "twenty twenty",
}


def _is_one(text: str) -> bool:
    return text.lstrip("-−+") in ("1", "1.0")


def _money(match: re.Match) -> str | None:
    many = _CURRENCIES[match["currency"].rstrip(".")][1]
    groups = match.groupdict()
    amount, until = groups["amount"], groups.get("until")
    scale = (groups.get("scale") or "").strip()
    scale = _SCALES.get(scale.lower(), scale)
    sign = "minus " if groups.get("sign") else ""
    if _counts_as_adjective(match):
        many = _CURRENCIES[match["currency"].rstrip(".")][0]
    elif not scale and not until:
        return sign + _cents_of(amount, match["currency"])
    figures = number(amount) + (f" to {number(until)}" if until else "")
    return f"{sign}{figures} {scale} {many}".replace("  ", " ")


def _counts_as_adjective(match: re.Match) -> bool:
    """'a $5 bill' is a five dollar bill."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    whole = "." not in match["amount"] or bool(match["scale"])
    return bool(
        whole
        and re.search(r"\b(?:[Aa]n?|[Aa]nother|[Ee]very|[Ee]ach) $", before)
        and re.match(r"[ -](?!and\b|or\b|to\b|for\b|in\b|on\b|is\b|was\b|per\b|each\b)[a-z]", after)
    )


def _cents_of(amount: str, currency: str) -> str:
    """'5.50' → 'five dollars and fifty cents'."""
    singular, many, small = _CURRENCIES[currency.rstrip(".")]
    whole, _, cents = amount.partition(".")
    if len(cents) != 2 or not small:
        return f"{number(amount)} {singular if _is_one(amount) else many}"
    parts = []
    if int(whole.replace(",", "") or 0) or not int(cents):
        parts.append(f"{number(whole or '0')} {singular if _is_one(whole) else many}")
    if int(cents):
        small_many = _SMALL_PLURALS.get(small, small + "s")
        parts.append(f"{cardinal(int(cents))} {small if int(cents) == 1 else small_many}")
    return " and ".join(parts)


def _pence(match: re.Match) -> str | None:
    if match["said"] == "¢":
        return "cent" if _is_one(match[1]) else "cents"
    return None if len(match[1]) > 2 else "penny" if _is_one(match[1]) else "pence"


_EVENT = re.compile(
    r" (?:dash|sprint|race|hurdles|freestyle|relay|backstroke|butterfly|marathon|swim|run|walk|drive)\b"
)


def _unit(match: re.Match) -> str | None:
    unit, between, power = match["unit"], match["between"], match["power"] or ""
    amount = match["amount"] or ""  # none where another rule has read it, a fraction
    if unit in _SPACED_ONLY and not between.isspace() and not match["per"] and "." not in amount:
        return None
    said = _UNITS[unit]
    said = {"2": "square ", "²": "square ", "3": "cubic ", "³": "cubic "}.get(power, "") + said
    if (
        amount
        and not match["hyphen"]
        and not _EVENT.match(match.string, match.end())
        and not _is_one(amount)
        and said not in _UNCOUNTED
    ):
        said = _many(said)
    if match["per"]:
        below = {"s": "second", "h": "hour", "d": "day"}.get(match["per"]) or _UNITS[match["per"]]
        timed = match["per"] in ("s", "h", "min")
        power = "" if timed else {"²": "square ", "³": "cubic "}.get(match["perpower"], "")
        said += f" per {power}{below}" + (" squared" if timed and match["perpower"] else "")
    return said


def _many(unit: str) -> str:
    head, separator, tail = unit.partition(" per ")
    if head.startswith("volt "):
        return head.replace("volt", "volts", 1)
    head = (
        head[:-4] + "feet" if head.endswith("foot") else plural(head) if not head.endswith("hertz") else head
    )
    return head + separator + tail


def _degrees(match: re.Match) -> str:
    scale = {"C": " Celsius", "℃": " Celsius", "F": " Fahrenheit", "℉": " Fahrenheit", "K": " Kelvin"}
    return ("degree" if _is_one(match[1]) else "degrees") + scale.get(match["scale"] or match["said"], "")


def _feet(match: re.Match) -> str:
    return f"{cardinal(int(match[1]))} foot {number(match[2])}"


def _inches(match: re.Match) -> str | None:
    if match.string[: match.start()].count('"') % 2:  # it closes a quotation
        return None
    return "inch" if _is_one(match[1]) else "inches"


def _feet_and_inches(match: re.Match) -> str:
    """'6 ft 2 in'."""
    feet, inches = match[1], match[2]
    said = f"{number(feet)} {'foot' if _is_one(feet) else 'feet'} {number(inches)}"
    return f"{said} {'inch' if _is_one(inches) else 'inches'}"


def _abbreviated_inches(match: re.Match) -> str:
    """'1 in. of rain', '1/4 in.'."""
    one = _is_one(match[1]) or re.fullmatch(r"\d+[/⁄]\d+", match[1])
    return ("inch" if one else "inches") + ("" if match.string[match.end() :].strip() else ".")


def _out_of(match: re.Match) -> str:
    """'4.5/5 stars'."""
    return f"{number(match[1])} out of {number(match[2])}"


def _ratio_of(above: int, below: int, mixed: bool) -> str:
    if below == 2 and above == 1:
        return "a half" if mixed else "one half"
    name = _DENOMINATORS.get(below) or ordinal(below)
    many = "halves" if below == 2 else plural(name)
    if above == 1:
        return f"{'a' if mixed and below != 8 else 'an' if mixed else 'one'} {name}"
    return f"{cardinal(above)} {many}"


def _fraction(match: re.Match) -> str | None:
    whole, above, below = match[1], int(match[2]), int(match[3])
    if not whole and (said := _AS_SAID.get(match[0])):
        return said
    if 0 < above < below and below in _COMMON_DENOMINATORS:
        part = _ratio_of(above, below, mixed=bool(whole))
        return f"{number(whole)} and {part}" if whole else part
    if whole:
        return None
    return f"{number(match[2])} over {number(match[3])}"


def _vulgar(match: re.Match) -> str:
    above, below = unicodedata.normalize("NFKC", match[2]).split("\u2044")
    part = _ratio_of(int(above), int(below), mixed=bool(match[1]))
    return f"{number(match[1])} and {part}" if match[1] else part


def _power(match: re.Match) -> str:
    digits = unicodedata.normalize("NFKC", match["said"].lstrip("^")).replace("−", "-").strip("{}")
    letter = re.search(r"[a-z)]$", match.string[: match.start("said")])
    if (match["said"][0] != "^" or letter) and digits in ("2", "3"):
        return "squared" if digits == "2" else "cubed"
    return f"to the power of {number(digits)}"


def _scientific(match: re.Match) -> str:
    return f"{number(match[1])} times ten to the power of {number(match[2].lstrip('+'))}"


def _difference(match: re.Match) -> str:
    """'5 - 3' takes away, '3 - 5' is a range."""
    first, second = (float(match[i].replace(",", "")) for i in (1, 3))
    return "minus" if "=" in match.string[match.end() :][:3] or first > second else "to"


def _until(match: re.Match) -> str | None:
    """The dash of a range; that of 'A12-345' is a name's."""
    return (
        None if re.search(r"[A-Za-z]\d+$", match.string[max(0, match.start() - 12) : match.start()]) else "to"
    )


def _scale(match: re.Match) -> str | None:
    """'30k users', '1.2B people'; but not a '10K' run, a '4K' screen or a flat '3B'."""
    if match["said"] in "kK":
        return "thousand" if float(match["n"]) >= 20 and match["n"] != "401" else None
    counts = "." in match["n"] or match["word"] is not None
    return _SCALES[match["said"].lower()] if counts else None


def _european(match: re.Match) -> str | None:
    return _cents_of(match["amount"].replace(".", "").replace(",", "."), match["currency"])


def plain(text: str) -> str:
    """A figure that stands alone; four digits without a comma are read as a year where they may be one."""
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", text):
        return year(int(text))
    return number(text)


_COUNTED = one_of(
    "people men women children votes dollars pounds euros points miles feet meters years days hours"
    " minutes seconds copies units calories words students employees members users soldiers troops acres"
    " tons steps times seats deaths cases others more".split()
)
_SYMBOL = one_of(name for name in _CURRENCIES if not name.isalpha())
_CODE = one_of(name for name in _CURRENCIES if name.isalpha())
_SCALE = r"\s?(?:hundred|thousand|million|billion|trillion)\b|\s?(?:mn|bn|tn)\b|[kKmMbB]\b"
_ENDS = r"(?![\w]|[.,]\d)"
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
_PER = one_of([*_UNITS, "d"])

RULES = (
    rule(r"(?P<currency>€)\s?(?P<amount>\d{1,3}(?:\.\d{3})+,\d\d|\d+,\d\d)(?!\d)", _european),
    rule(rf"(?<![\w.])(?P<sign>[-−]?)(?P<currency>{_SYMBOL})\s?(?P<amount>{NUMBER})"
         rf"(?:\s?[-–]\s?(?:{_SYMBOL})?(?P<until>{NUMBER}))?(?P<scale>{_SCALE})?{_ENDS}", _money),
    rule(r"(?<![\w.,])(?P<amount>\d{1,3}(?:\.\d{3})+,\d\d|\d+,\d\d)\s?(?P<currency>€)", _european),
    rule(rf"(?<![\w.,])(?P<amount>{NUMBER})(?P<scale>{_SCALE})?\s?"
         rf"(?P<currency>[€$£¥₹₽₩₺₪]|{_CODE})(?!\w)", _money),
    rule(rf"\b(?P<currency>(?:{_CODE})\.?)\s?(?P<amount>{NUMBER})(?P<scale>{_SCALE})?{_ENDS}", _money),
    rule(r"(?<![\w.,£])(\d+)\s?(?P<said>[¢p])(?!\w)", _pence),
    rule(r"(?<![\w.])(\d{1,2})['′’]\s?(\d{1,2}(?:\.\d)?)(?:[\"″”]|''|’’)", _feet),
    rule(rf"(?<![\w.])({NUMBER})(?P<said>[\"″])(?=[\s,.;:!?)x×]|$)", _inches),
    rule(rf"(?<![\w.,])({NUMBER})\s?(?:ft|feet|foot)\.?\s?({NUMBER})\s?in\b", _feet_and_inches),
    rule(rf"(?<![\w.,/])(\d+[/⁄]\d+|{NUMBER})\s(?P<said>in\.)(?!\s[A-Z])", _abbreviated_inches),
    rule(r"(?<![\w/.,])(\d+\.\d+)/(5|10|100)(?![\w/]|\.\d)", _out_of),
    rule(r"(?<![\w/.,])(\d+)/(5|10|100)(?= (?:stars|points|rating|score)\b)", _out_of),
    rule(r"(?<![\w/.,])(?:(\d+)[\s-])?(\d{1,4})[/⁄](\d{1,4})(?:ths|rds|nds|th)?(?![\w/]|\.\d)", _fraction),
    rule(rf"(?<![\w.,])(?:(\d+)\s?)?([{_VULGAR}])", _vulgar),
    rule(rf"(?:(?<![\w.,])(?<![A-Za-z]-)(?P<amount>{NUMBER})|(?<={TAKEN}))(?P<between>\s?)(?P<said>(?P<hyphen>-?)(?P<unit>{one_of(_UNITS)})(?P<power>[²³]|(?<=m)[23])?"
         rf"(?:/(?P<per>{_PER})(?P<perpower>[²³])?)?(?:\.(?=\s[a-z\d(]))?)(?![\w²³]|/(?!\d)|'\w)", _unit),
    rule(r"\b(?:[Rr]oom|Route|Highway|Flight|Boeing|Airbus|Apartment|Suite|[Bb]us) (?P<said>\d{3})\b",
         lambda m: grouped(m["said"])),
    rule(rf"({NUMBER})\s?(?P<said>[°º˚]\s?(?P<scale>[CFK])?|℃|℉)(?!\w)", _degrees),
    rule(rf"(?<![\w.])(\d+(?:\.\d+)?)[eE]([-+]?\d+){_ENDS}", _scientific),
    rule(r"(?<![\w.,])(\d+|\d{1,3}(?:,\d{3})+)(?:st|nd|rd|th|ST|ND|RD|TH)\b", lambda m: ordinal(_int(m[1]))),
    rule(rf"(?<![\w.])(?:{NUMBER})(?P<said>[x×])(?=\d)", lambda m: "by"),
    rule(r"(?<=[\d\ue000] )(?P<said>[x×])(?= \d)", lambda m: "times"),
    rule(rf"(?<![\w.])(?:{NUMBER})(?P<said>[xX×])(?![\w^]|\s?[-+=] ?[\dA-Za-z]|\))", lambda m: "times"),
    rule(r"(?<![\w:])\d+(?P<said>:)(?=\d+(?![\w:]))", lambda m: "to"),
    rule(rf"(?<![\w.])({NUMBER}) (?P<said>[-–]) ({NUMBER}){_ENDS}", _difference),
    rule(r"(?<=\d)\s?(?P<said>\*)\s?(?=\d)", lambda m: "times"),
    rule(r"(?<=[\w)\ue000])(?P<said>\^\{?-?\d+\}?|[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)", _power),
    rule(rf"(?<![\w)\].,{TAKEN}])(?P<said>[-−–])(?=[\d{TAKEN}]|\.\d)", lambda m: "minus"),
    rule(r"(?<=[=<>(] )[-−](?=\w)", lambda m: "minus"),
    rule(rf"(?:(?<=\b[a-z] )|(?<=[\d²³){TAKEN}] ))[-−](?= (?:[a-z]\b|[\d({TAKEN}]))",
         lambda m: "minus" if "=" in m.string else None),
    rule(rf"(?<=[\d{TAKEN}%])\s?(?P<said>[-–])\s?(?=[\d{TAKEN}])", _until),
    rule(rf"(?<={TAKEN})/([A-Za-z]+)\b", lambda m: f"per {_PERIODS.get(m[1], m[1])}"),
    rule(r"(?<![\w.])(?P<n>\d+(?:\.\d+)?)(?P<said>[kKMB])\b(?P<word>(?=\s[a-z]{3,}))?", _scale),
    rule(r"~(?=\s?[\d$£€])", lambda m: "about"),
    rule(r"(?<![\w&])#(?=[A-Z]{0,3}\d)", lambda m: "number"),
)  # fmt: skip

PLAIN = (
    rule(rf"(?<!\b[Ii]n )(?<![Tt]he )(?<![\w.,])(?P<said>1[1-9]\d\d|20\d\d)(?= (?:{_COUNTED})\b)",
         lambda m: number(m["said"])),
    rule(r"(?<![\w.,])\d{1,3}(?:[\u00a0\u202f\u2009]\d{3})+(?!\w)|(?<![\w.,])\d{1,3}(?: \d{3}){2,}(?!\w)",
         lambda m: cardinal(int(re.sub(r"\s", "", m[0])))),
    rule(r"(?<![\w.,])\d{1,3}(?:[._]\d{3}){2,}(?![\w.])", lambda m: cardinal(int(re.sub(r"[._]", "", m[0])))),
    rule(r"(?<![\w.,])(\d+),(\d{1,2})(?![\w,])", lambda m: number(f"{m[1]}.{m[2]}")),
    rule(r"(?<![\w.,])(\d+)['’]?s\b", lambda m: plural(grouped(m[1]))),
    rule(NUMBER, lambda m: plain(m[0])),
    rule(r"\d+", lambda m: " ".join(number(str(int(c))) for c in m[0])),
)  # fmt: skip


def _int(text: str) -> int:
    return int(text.replace(",", ""))

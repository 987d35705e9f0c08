"""The words of Italian that figures, dates, sums, measures and signs are read with."""

from __future__ import annotations

from voice.text.italian.numbers import ITALIAN_DIGITS, italian_cardinal, italian_ordinal
from voice.text.verbalization.wording import ALONE, FEMININE, MASCULINE, Noun, Wording

ITALIAN_MONTHS = tuple(
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()
)
_ITALIAN_NO_NOUNS = frozenset(
    "a ad al alla alle di del della da dal e ed o con per su in che non è era sono si su tra fra come"
    " più meno ma"
    " se quando dove anni".split()
) - {"anni"}
_ITALIAN_FEMININE = frozenset("volta casa notte parte mano stazione persona ora".split())


def italian_gender(word: str) -> str:
    """Return the gender of the noun after a one, by its ending; ALONE for a word that is none."""
    if not word or word in _ITALIAN_NO_NOUNS or not word.islower():
        return ALONE
    if word in _ITALIAN_FEMININE or word.endswith(("a", "zione", "sione", "gione", "tà", "tù", "trice")):
        return FEMININE
    return MASCULINE if word.endswith(("o", "e", "i")) else ALONE


def say_italian_date(day: int, month: int, year: int | None) -> str:
    """Return 'primo maggio duemilaventiquattro'."""
    said = f"{'primo' if day == 1 else italian_cardinal(day)} {ITALIAN_MONTHS[month - 1]}"
    return said if year is None else f"{said} {italian_cardinal(year)}"


def say_italian_time(hour: int, minute: int, second: int | None) -> str:
    """Return 'quattordici e trenta', 'otto in punto'."""
    said = "una" if hour == 1 else italian_cardinal(hour)
    said += f" e {italian_cardinal(minute)}" if minute or second else " in punto"
    return (
        said
        if second is None
        else f"{said} e {italian_cardinal(second, 'm')} second{'o' if second == 1 else 'i'}"
    )


def _o(stem: str) -> Noun:
    """Return a noun in -o: metro, metri."""
    return Noun(stem + "o", stem + "i")


def _per(noun: Noun) -> str:
    """Return 'all'ora', 'alla settimana', 'al secondo'."""
    if noun.one[0] in "aeiou":
        return f"all'{noun.one}"
    return f"{'alla' if noun.gender == FEMININE else 'al'} {noun.one}"


_CENTESIMO, _CENT = _o("centesim"), Noun("centesimo", "centesimi")
_ITALIAN_DOLLAR = (_o("dollar"), _CENT)
_STERLINE = (Noun("sterlina", "sterline", FEMININE), Noun("penny", "pence"))
_ITALIAN_EURO, _YEN = (Noun("euro", "euro"), _CENTESIMO), (Noun("yen", "yen"), None)
_ITALIAN_CURRENCIES = {
    "€": _ITALIAN_EURO, "EUR": _ITALIAN_EURO, "$": _ITALIAN_DOLLAR, "US$": _ITALIAN_DOLLAR,
    "USD": _ITALIAN_DOLLAR,
    "£": _STERLINE, "GBP": _STERLINE, "¥": _YEN, "JPY": _YEN, "₿": (Noun("bitcoin", "bitcoin"), None),
    "CHF": (Noun("franco svizzero", "franchi svizzeri"), _CENTESIMO),
}  # fmt: skip
_ITALIAN_UNITS = {
    "mm": _o("millimetr"), "cm": _o("centimetr"), "dm": _o("decimetr"), "m": _o("metr"),
    "km": _o("chilometr"),
    "nm": _o("nanometr"), "mg": _o("milligramm"), "g": Noun("grammo", "grammi"), "gr": Noun("grammo",
    "grammi"),
    "hg": Noun("ettogrammo", "ettogrammi"), "kg": Noun("chilo", "chili"), "q": Noun("quintale", "quintali"),
    "t": Noun("tonnellata", "tonnellate", FEMININE), "lb": Noun("libbra", "libbre", FEMININE),
    "oz": Noun("oncia", "once", FEMININE), "ml": _o("millilitr"), "cl": _o("centilitr"), "dl": _o("decilitr"),
    "l": _o("litr"), "L": _o("litr"), "hl": _o("ettolitr"), "ha": _o("ettar"),
    "ms": Noun("millisecondo", "millisecondi"), "s": _o("second"), "sec": _o("second"), "min": _o("minut"),
    "h": Noun("ora", "ore", FEMININE), "Hz": Noun("hertz", "hertz"), "kHz": Noun("chilohertz", "chilohertz"),
    "MHz": Noun("megahertz", "megahertz"), "GHz": Noun("gigahertz", "gigahertz"), "kB": Noun("kilobyte",
    "kilobyte"),
    "KB": Noun("kilobyte", "kilobyte"), "MB": Noun("megabyte", "megabyte"), "GB": Noun("gigabyte",
    "gigabyte"),
    "TB": Noun("terabyte", "terabyte"), "W": Noun("watt", "watt"), "kW": Noun("chilowatt", "chilowatt"),
    "MW": Noun("megawatt", "megawatt"), "kWh": Noun("chilowattora", "chilowattora"), "V": Noun("volt",
    "volt"),
    "A": Noun("ampere", "ampere"), "N": Noun("newton", "newton"), "J": Noun("joule", "joule"),
    "Pa": Noun("pascal", "pascal"), "hPa": Noun("ettopascal", "ettopascal"), "dB": Noun("decibel", "decibel"),
    "cal": Noun("caloria", "calorie", FEMININE), "kcal": Noun("chilocaloria", "chilocalorie", FEMININE),
    "%": Noun("per cento", "per cento", ALONE), "‰": Noun("per mille", "per mille", ALONE),
    "°C": Noun("grado Celsius", "gradi Celsius"), "°F": Noun("grado Fahrenheit", "gradi Fahrenheit"),
    "px": Noun("pixel", "pixel"), "Mbps": Noun("megabit al secondo", "megabit al secondo"),
    "mq": Noun("metro quadrato", "metri quadrati"), "mc": Noun("metro cubo", "metri cubi"),
    "kmq": Noun("chilometro quadrato", "chilometri quadrati"), "CV": Noun("cavallo", "cavalli"),
}  # fmt: skip
_ITALIAN_SIGNS = {
    "&": "e", "@": "chiocciola", "+": "più", "=": "uguale", "%": "per cento", "/": "barra", "<": "minore di",
    ">": "maggiore di", "#": "cancelletto", "$": "dollari", "€": "euro", "£": "sterline", "¥": "yen",
    "°": "gradi",
    "§": "paragrafo", "±": "più o meno", "×": "per", "÷": "diviso", "−": "meno", "≈": "circa",
    "≠": "diverso da",
    "≤": "minore o uguale a", "≥": "maggiore o uguale a", "∞": "infinito", "→": "a", "²": "al quadrato",
    "³": "al cubo", "½": "un mezzo", "¼": "un quarto", "¾": "tre quarti", "‰": "per mille", "№": "numero",
    "©": "copyright", "®": "marchio registrato", "™": "marchio registrato", "µ": "micro", "π": "pi greco",
    "Ω": "ohm", "√": "radice quadrata di",
}  # fmt: skip
_ITALIAN_ADDRESS_SIGNS = {
    "@": "chiocciola", ".": "punto", "/": "barra", "-": "trattino", "_": "trattino basso", ":": "due punti",
    "?": "punto interrogativo", "=": "uguale", "&": "e commerciale", "#": "cancelletto", "+": "più",
    "~": "tilde",
    "%": "per cento", ",": "virgola",
}  # fmt: skip
_ITALIAN_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyzàèéìòù",
        (
            "a|bi|ci|di|e|effe|gi|acca|i|i lunga|cappa|elle|emme|enne|o|pi|cu|erre|esse|ti|u|vu|doppia vu|ics"
            "|ipsilon|zeta|a|e|e|i|o|u"
        ).split("|"),
        strict=True,
    )
)
ITALIAN_WORDS = Wording(
    cardinal=italian_cardinal,
    ordinal=italian_ordinal,
    digits=ITALIAN_DIGITS,
    gender_of=italian_gender,
    comma="virgola",
    until="a",
    months=ITALIAN_MONTHS,
    date=say_italian_date,
    time=say_italian_time,
    currencies=_ITALIAN_CURRENCIES,
    cents="e",
    scales=("milioni", "milione", "miliardi", "miliardo", "bilioni"),
    of="di",
    units=_ITALIAN_UNITS,
    per=_per,
    square=Noun("quadrato", "quadrati"),
    cubic=Noun("cubo", "cubi"),
    signs=_ITALIAN_SIGNS,
    address_signs=_ITALIAN_ADDRESS_SIGNS,
    letters=_ITALIAN_LETTERS,
)

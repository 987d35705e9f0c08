"""The words of Spanish that figures, dates, sums, measures and signs are read with."""

from __future__ import annotations

from voice.text.spanish.numbers import DIGIT_NAMES, cardinal, ordinal
from voice.text.verbalization.wording import ALONE, FEMININE, MASCULINE, Noun, Wording

SPANISH_MONTHS = tuple(
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
)
_FEMININE_NOUNS = frozenset(
    "mujeres veces noches tardes clases partes calles leyes ciudades edades unidades gentes llaves nubes"
    " naciones opciones habitaciones canciones lecciones sesiones versiones ediciones regiones posiciones"
    " páginas mujer vez noche tarde clase parte calle ley ciudad edad unidad llave nube mano manos".split()
)
_MASCULINE_NOUNS = frozenset(
    "días día problemas problema programas programa sistemas sistema temas tema idiomas idioma mapas mapa"
    " planetas planeta dálmatas piratas"
    " poemas poema turistas atletas artistas gramas kilogramas milímetros".split()
)
_NO_NOUNS = frozenset(
    "a al ante bajo con contra de del desde durante e en entre hacia hasta más menos mediante para por según"
    " sin sobre tras y o u ni que como si se es son era eran fue fueron ha han había hay está están lo las"
    " los"
    " el la un una no ya cuando donde pero porque también veces después antes".split()
) - {"veces"}  # fmt: skip


def gender_of(word: str) -> str:
    """Return the gender of a noun after a number, by its ending; ALONE for a word that is no noun."""
    if not word or word in _NO_NOUNS or not word.islower():
        return ALONE
    if word in _MASCULINE_NOUNS:
        return MASCULINE
    if word in _FEMININE_NOUNS or word.endswith(("as", "a", "dades", "dad", "ción", "ciones", "siones")):
        return FEMININE
    return MASCULINE if word.endswith(("s", "o", "e", "l", "n", "r")) else ALONE


def say_date(day: int, month: int, year: int | None) -> str:
    """Return 'uno de mayo de dos mil veinticuatro'."""
    said = f"{cardinal(day)} de {SPANISH_MONTHS[month - 1]}"
    return said if year is None else f"{said} de {cardinal(year)}"


def say_time(hour: int, minute: int, second: int | None) -> str:
    """Return 'catorce treinta', 'ocho en punto'."""
    said = cardinal(hour, FEMININE)
    if minute or second:
        said += f" {'cero ' if 0 < minute < 10 else ''}{cardinal(minute)}"
    else:
        said += " en punto"
    return said if second is None else f"{said} y {cardinal(second, MASCULINE)} segundo{'s' * (second != 1)}"


def _plural(one: str, gender: str = MASCULINE) -> Noun:
    return Noun(one, one + ("s" if one[-1] in "aeiou" else "es"), gender)


_CENTAVO = Noun("centavo", "centavos")
_EURO, _POUND = (Noun("euro", "euros"), Noun("céntimo", "céntimos")), (
    Noun("libra", "libras", FEMININE), Noun("penique", "peniques"),
)  # fmt: skip
_DOLLAR = (Noun("dólar", "dólares"), _CENTAVO)
_PESO = (Noun("peso", "pesos"), _CENTAVO)
_SPANISH_CURRENCIES = {
    "€": _EURO, "EUR": _EURO, "$": _DOLLAR, "US$": _DOLLAR, "USD": _DOLLAR, "£": _POUND, "GBP": _POUND,
    "¥": (Noun("yen", "yenes"), None), "JPY": (Noun("yen", "yenes"), None), "MXN": _PESO, "MX$": _PESO,
    "ARS": _PESO, "COP": _PESO, "CLP": _PESO, "CHF": (Noun("franco suizo", "francos suizos"), None),
    "₿": (Noun("bitcoin", "bitcoins"), None), "S/": (Noun("sol", "soles"), Noun("céntimo", "céntimos")),
    "R$": (Noun("real", "reales"), _CENTAVO),
}  # fmt: skip
_SPANISH_UNITS = {
    "mm": _plural("milímetro"), "cm": _plural("centímetro"), "m": _plural("metro"),
    "km": _plural("kilómetro"),
    "dm": _plural("decímetro"), "nm": _plural("nanómetro"), "mg": _plural("miligramo"), "g": _plural("gramo"),
    "gr": _plural("gramo"), "kg": _plural("kilogramo"), "t": Noun("tonelada", "toneladas", FEMININE),
    "lb": Noun("libra", "libras", FEMININE), "oz": Noun("onza", "onzas", FEMININE),
    "ml": _plural("mililitro"), "cl": _plural("centilitro"), "dl": _plural("decilitro"),
    "l": _plural("litro"),
    "L": _plural("litro"), "ha": Noun("hectárea", "hectáreas", FEMININE), "ms": _plural("milisegundo"),
    "s": _plural("segundo"), "min": _plural("minuto"), "h": Noun("hora", "horas", FEMININE),
    "Hz": Noun("hercio", "hercios"), "kHz": Noun("kilohercio", "kilohercios"),
    "MHz": Noun("megahercio", "megahercios"), "GHz": Noun("gigahercio", "gigahercios"),
    "kB": Noun("kilobyte", "kilobytes"), "KB": Noun("kilobyte", "kilobytes"),
    "MB": Noun("megabyte", "megabytes"), "GB": Noun("gigabyte", "gigabytes"),
    "TB": Noun("terabyte", "terabytes"), "W": _plural("vatio"), "kW": _plural("kilovatio"),
    "MW": _plural("megavatio"), "kWh": Noun("kilovatio hora", "kilovatios hora"), "V": _plural("voltio"),
    "A": _plural("amperio"), "N": Noun("newton", "newtons"), "J": _plural("julio"),
    "Pa": Noun("pascal", "pascales"), "hPa": Noun("hectopascal", "hectopascales"),
    "dB": Noun("decibelio", "decibelios"), "cal": Noun("caloría", "calorías", FEMININE),
    "kcal": Noun("kilocaloría", "kilocalorías", FEMININE), "%": Noun("por ciento", "por ciento", ALONE),
    "‰": Noun("por mil", "por mil"), "°C": Noun("grado Celsius", "grados Celsius"),
    "ºC": Noun("grado Celsius", "grados Celsius"), "°F": Noun("grado Fahrenheit", "grados Fahrenheit"),
    "°": _plural("grado"), "px": Noun("píxel", "píxeles"), "Mbps": Noun("megabit por segundo",
    "megabits por segundo"),
}  # fmt: skip
_SPANISH_SIGNS = {
    "&": "y", "@": "arroba", "+": "más", "=": "igual a", "%": "por ciento", "/": "barra", "<": "menor que",
    ">": "mayor que", "#": "almohadilla", "$": "dólares", "€": "euros", "£": "libras", "¥": "yenes",
    "°": "grados", "§": "sección", "±": "más menos", "×": "por", "÷": "entre", "−": "menos",
    "≈": "aproximadamente",
    "≠": "distinto de", "≤": "menor o igual que", "≥": "mayor o igual que", "∞": "infinito", "→": "a",
    "²": "al cuadrado", "³": "al cubo", "½": "un medio", "¼": "un cuarto", "¾": "tres cuartos",
    "‰": "por mil",
    "№": "número", "©": "copyright", "®": "marca registrada", "™": "marca registrada", "µ": "micro",
    "π": "pi", "Ω": "ohmios", "√": "raíz cuadrada de",
}  # fmt: skip
_SPANISH_ADDRESS_SIGNS = {
    "@": "arroba", ".": "punto", "/": "barra", "-": "guion", "_": "guion bajo", ":": "dos puntos",
    "?": "interrogación", "=": "igual", "&": "y", "#": "almohadilla", "+": "más", "~": "tilde",
    "%": "por ciento", ",": "coma",
}  # fmt: skip
_SPANISH_LETTERS = dict(
    zip(
        "abcdefghijklmnñopqrstuvwxyzáéíóúüç",
        (
            "a|be|ce|de|e|efe|ge|hache|i|jota|ka|ele|eme|ene|eñe|o|pe|cu|erre|ese|te|u|uve|uve doble|equis|ye"
            "|zeta|a|e|i|o|u|u|cedilla"
        ).split("|"),
        strict=True,
    )
)
SPANISH_WORDS = Wording(
    cardinal=cardinal,
    ordinal=ordinal,
    digits=DIGIT_NAMES,
    gender_of=gender_of,
    comma="coma",
    until="a",
    months=SPANISH_MONTHS,
    date=say_date,
    time=say_time,
    currencies=_SPANISH_CURRENCIES,
    cents="con",
    scales=("millones", "millón", "billones", "mil millones"),
    of="de",
    units=_SPANISH_UNITS,
    per=lambda noun: f"por {noun.one}",
    square=Noun("cuadrado", "cuadrados"),
    cubic=Noun("cúbico", "cúbicos"),
    signs=_SPANISH_SIGNS,
    address_signs=_SPANISH_ADDRESS_SIGNS,
    letters=_SPANISH_LETTERS,
)

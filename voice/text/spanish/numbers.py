"""Number words of Spanish, in agreement with what is counted: veintiún libros, doscientas casas."""

from __future__ import annotations

from voice.text.verbalization.wording import ALONE, FEMININE

DIGIT_NAMES = tuple("cero uno dos tres cuatro cinco seis siete ocho nueve".split())
_BELOW_THIRTY = (
    *DIGIT_NAMES,
    *"diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno".split(),
    *"veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve".split(),
)
_TENS_NAMES = ("", "", "", *"treinta cuarenta cincuenta sesenta setenta ochenta noventa".split())
_HUNDREDS = (
    "", "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos",
    "ochocientos", "novecientos",
)  # fmt: skip
_MILLIONS = (("millón", "millones"), ("billón", "billones"), ("trillón", "trillones"))
_UNIT_ORDINALS = (
    "", "primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo", "noveno",
)  # fmt: skip
_TEN_ORDINALS = (
    "", "décimo", "vigésimo", "trigésimo", "cuadragésimo", "quincuagésimo", "sexagésimo", "septuagésimo",
    "octogésimo", "nonagésimo",
)  # fmt: skip
_HUNDRED_ORDINALS = (
    "", "centésimo", "ducentésimo", "tricentésimo", "cuadringentésimo", "quingentésimo", "sexcentésimo",
    "septingentésimo", "octingentésimo", "noningentésimo",
)  # fmt: skip


def cardinal(n: int, gender: str = ALONE) -> str:
    """Return 'mil doscientos treinta y cuatro'; before a noun 'veintiún', 'veintiuna', 'doscientas'."""
    if n == 0:
        return DIGIT_NAMES[0]
    parts, rest = [], n
    for power in (3, 2, 1):
        count, rest = divmod(rest, 10 ** (6 * power))
        if count:
            one, many = _MILLIONS[power - 1]
            parts.append(f"un {one}" if count == 1 else f"{_below_million(count, 'm')} {many}")
    if rest:
        parts.append(_below_million(rest, gender))
    return " ".join(parts)


def _below_million(n: int, gender: str) -> str:
    thousands, rest = divmod(n, 1000)
    parts = []
    if thousands:
        before = FEMININE if gender == FEMININE else "m"
        parts.append("mil" if thousands == 1 else f"{_below_thousand(thousands, before)} mil")
    if rest:
        parts.append(_below_thousand(rest, gender))
    return " ".join(parts)


def _below_thousand(n: int, gender: str) -> str:
    if n == 100:
        return "cien"
    hundreds, rest = divmod(n, 100)
    hundred = _HUNDREDS[hundreds]
    if gender == FEMININE and hundreds > 1:
        hundred = hundred[:-2] + "as"
    return f"{hundred} {_below_hundred(rest, gender) if rest else ''}".strip()


def _below_hundred(n: int, gender: str) -> str:
    if n < 30:
        words = _BELOW_THIRTY[n]
    else:
        ten, one = divmod(n, 10)
        words = _TENS_NAMES[ten] + (f" y {DIGIT_NAMES[one]}" if one else "")
    if n % 10 == 1 and n != 11 and gender != ALONE:
        return words[:-1] + "a" if gender == FEMININE else "veintiún" if n == 21 else words[:-1]
    return words


def ordinal(n: int, gender: str = ALONE) -> str:
    """Return 'vigésimo tercero', 'primera'; before a noun 'primer', 'tercer'. Past 999 cardinals."""
    if not 0 < n < 1000:
        return cardinal(n, gender)
    hundreds, rest = divmod(n, 100)
    tens, ones = divmod(rest, 10)
    if rest in (11, 12):
        parts = [_HUNDRED_ORDINALS[hundreds], "undécimo" if rest == 11 else "duodécimo"]
    elif tens == 1 and ones:
        parts = [_HUNDRED_ORDINALS[hundreds], "decimo" + _UNIT_ORDINALS[ones]]
    else:
        parts = [_HUNDRED_ORDINALS[hundreds], _TEN_ORDINALS[tens], _UNIT_ORDINALS[ones]]
    words = [part for part in parts if part]
    if gender == FEMININE:
        words = [word[:-1] + "a" for word in words]
    elif gender and words[-1] in ("primero", "tercero"):
        words[-1] = words[-1][:-1]
    return " ".join(words).replace("decimoseptimo", "decimoséptimo")


def fraction(numerator: int, denominator: int) -> str | None:
    """Return 'tres cuartos', 'un medio'; None where nobody says it so."""
    names = {2: "medio", 3: "tercio", 4: "cuarto", 5: "quinto", 6: "sexto", 7: "séptimo", 8: "octavo",
             9: "noveno", 10: "décimo"}  # fmt: skip
    if denominator not in names or not 0 < numerator < 20:
        return None
    return f"{cardinal(numerator, 'm')} {names[denominator]}{'s' if numerator > 1 else ''}"

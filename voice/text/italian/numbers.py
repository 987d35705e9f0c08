"""Number words of Italian: ventuno, ventotto, tremila; ordinals agree with what they count."""

from __future__ import annotations

from voice.text.verbalization.wording import ALONE, FEMININE

ITALIAN_DIGITS = tuple("zero uno due tre quattro cinque sei sette otto nove".split())
_BELOW_TWENTY = (
    *ITALIAN_DIGITS,
    *"dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove".split(),
)
_ITALIAN_TENS = ("", "", *"venti trenta quaranta cinquanta sessanta settanta ottanta novanta".split())
_ITALIAN_SCALES = (
    (10**12, "bilione", "bilioni"),
    (10**9, "miliardo", "miliardi"),
    (10**6, "milione", "milioni"),
)
_TEN_FIRST_ORDINALS = (
    "", "primo", "secondo", "terzo", "quarto", "quinto", "sesto", "settimo", "ottavo", "nono", "decimo",
)  # fmt: skip


def italian_cardinal(n: int, gender: str = ALONE) -> str:
    """Return 'mille duecentotrentaquattro'; before a noun one is 'un' or 'una'."""
    if n == 1 and gender:
        return "una" if gender == FEMININE else "un"
    parts, rest = [], n
    for power, one, many in _ITALIAN_SCALES:
        count, rest = divmod(rest, power)
        if count:
            parts.append(f"un {one}" if count == 1 else f"{_small(count)} {many}")
    if rest or not parts:
        parts.append(_small(rest))
    return " ".join(parts)


def _small(n: int) -> str:
    """Return a number below a million; the thousands stand apart, words being short enough to be spoken."""
    if n < 20:
        return _BELOW_TWENTY[n]
    word = _as_one_word(n)
    return word[:-3] + "tré" if word.endswith("tre") else word


def _as_one_word(n: int) -> str:
    if n < 20:
        return _BELOW_TWENTY[n]
    if n < 100:
        ten, one = divmod(n, 10)
        stem = _ITALIAN_TENS[ten]
        return (
            stem[:-1] + ITALIAN_DIGITS[one] if one in (1, 8) else stem + (ITALIAN_DIGITS[one] if one else "")
        )
    if n < 1000:
        hundreds, rest = divmod(n, 100)
        head = ("" if hundreds == 1 else ITALIAN_DIGITS[hundreds]) + "cento"
        return head + (_as_one_word(rest) if rest else "")
    thousands, rest = divmod(n, 1000)
    head = "mille" if thousands == 1 else _as_one_word(thousands) + "mila"
    return f"{head} {_as_one_word(rest)}" if rest else head


def italian_ordinal(n: int, gender: str = ALONE) -> str:
    """Return 'terzo', 'ventunesimo', 'prima'; past 999,999 cardinals."""
    if not 0 < n < 1_000_000:
        return italian_cardinal(n, gender)
    if n <= 10:
        word = _TEN_FIRST_ORDINALS[n]
    else:
        stem = _as_one_word(n)
        if n % 10 not in (3, 6) or n % 100 in (13, 16):
            stem = stem[:-1]
        if stem.endswith("mil"):
            stem += "l"
        word = stem + "esimo"
    return word[:-1] + "a" if gender == FEMININE else word


def italian_fraction(numerator: int, denominator: int) -> str | None:
    """Return 'tre quarti', 'un mezzo'; None where nobody says it so."""
    if not (0 < numerator < 20 and 1 < denominator <= 20):
        return None
    under = "mezzo" if denominator == 2 else italian_ordinal(denominator)
    return f"{italian_cardinal(numerator, 'm')} {under if numerator == 1 else under[:-1] + 'i'}"

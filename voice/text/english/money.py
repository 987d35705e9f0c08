"""Sums of money."""

from __future__ import annotations

import re

from voice.text.english.numbers import NUMBER, NUMBER_END, SHORT_SCALES, cardinal, is_one, number
from voice.text.verbalization.rule import one_of, rule

_CURRENCIES = {
    "$": ("dollar", "dollars", "cent"), "US$": ("U S dollar", "U S dollars", "cent"),
    "C$": ("Canadian dollar", "Canadian dollars", "cent"), "CA$": ("Canadian dollar", "Canadian dollars",
    "cent"),
    "NZ$": ("New Zealand dollar", "New Zealand dollars", "cent"),
    "HK$": ("Hong Kong dollar", "Hong Kong dollars", "cent"),
    "S$": ("Singapore dollar", "Singapore dollars", "cent"),
    "AU$": ("Australian dollar", "Australian dollars", "cent"), "R$": ("real", "reais", "centavo"),
    "MX$": ("Mexican peso", "Mexican pesos", "centavo"),
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


def _say_sum(match: re.Match[str]) -> str | None:
    many = _CURRENCIES[match["currency"].rstrip(".")][1]
    groups = match.groupdict()
    amount, until = groups["amount"], groups.get("until")
    scale = (groups.get("scale") or "").strip()
    scale = SHORT_SCALES.get(scale.lower(), scale)
    sign = "minus " if groups.get("sign") else ""
    if _counts_as_adjective(match):
        many = _CURRENCIES[match["currency"].rstrip(".")][0]
    elif not scale and not until:
        return sign + _say_cents(amount, match["currency"])
    if until and not scale and "." in amount + until:
        return f"{sign}{_say_cents(amount, match['currency'])} to {_say_cents(until, match['currency'])}"
    figures = number(amount) + (f" to {number(until)}" if until else "")
    return f"{sign}{figures} {scale} {many}".replace("  ", " ")


def _counts_as_adjective(match: re.Match[str]) -> bool:
    """Tell whether a sum stands before its noun: 'a $5 bill' is a five dollar bill."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    whole = "." not in match["amount"] or bool(match["scale"])
    return bool(
        whole
        and re.search(r"\b(?:[Aa]n?|[Aa]nother|[Ee]very|[Ee]ach) $", before)
        and re.match(r"[ -](?!and\b|or\b|to\b|for\b|in\b|on\b|is\b|was\b|per\b|each\b)[a-z]", after)
    )


def _say_cents(amount: str, currency: str) -> str:
    """Read '5.50' as 'five dollars and fifty cents'."""
    singular, many, small = _CURRENCIES[currency.rstrip(".")]
    whole, _, cents = amount.partition(".")
    cents = cents[:2] if len(cents) == 3 and cents.endswith("0") else cents
    if len(cents) != 2 or not small:
        return f"{number(amount)} {singular if is_one(amount) else many}"
    parts = []
    if int(whole.replace(",", "") or 0) or not int(cents):
        parts.append(f"{number(whole or '0')} {singular if is_one(whole) else many}")
    if int(cents):
        small_many = _SMALL_PLURALS.get(small, small + "s")
        parts.append(f"{cardinal(int(cents))} {small if int(cents) == 1 else small_many}")
    return " and ".join(parts)


def _say_pence(match: re.Match[str]) -> str | None:
    if match["token"] == "¢":
        return "cent" if is_one(match[1]) else "cents"
    return None if len(match[1]) > 2 else "penny" if is_one(match[1]) else "pence"


def _say_european_sum(match: re.Match[str]) -> str | None:
    return _say_cents(match["amount"].replace(".", "").replace(",", "."), match["currency"])


_SYMBOL = one_of(name for name in _CURRENCIES if not name.isalpha())
_CODE = one_of(name for name in _CURRENCIES if name.isalpha())
_SCALE = (
    r"\s?(?i:hundred|thousand|million|billion|trillion|quadrillion|[bgz]a?j?illion)s?\b|\s?(?:mn|bn|tn)\b"
    r"|\s?[kmbt]\b|[KMB]\b"
)

MONEY_RULES = (
    rule(r"(?P<currency>€)\s?(?P<amount>\d{1,3}(?:\.\d{3})+,\d\d|\d+,\d\d)(?!\d)", _say_european_sum),
    rule(rf"(?<![\w.])(?P<sign>[-−]?)(?P<currency>{_SYMBOL})\s?(?P<amount>{NUMBER})"
         rf"(?:\s?[-–]\s?(?:{_SYMBOL})?(?P<until>{NUMBER}))?(?P<scale>{_SCALE})?{NUMBER_END}", _say_sum),
    rule(r"(?<![\w.,])(?P<amount>\d{1,3}(?:\.\d{3})+,\d\d|\d+,\d\d)\s?(?P<currency>€)", _say_european_sum),
    rule(rf"(?<![\w.,])(?P<amount>{NUMBER})(?P<scale>{_SCALE})?\s?"
         rf"(?P<currency>[€$£¥₹₽₩₺₪]|{_CODE})(?!\w)", _say_sum),
    rule(rf"\b(?P<currency>(?:{_CODE})\.?)\s?(?P<amount>{NUMBER})(?P<scale>{_SCALE})?{NUMBER_END}", _say_sum),
    rule(r"(?<![\w.,£])(\d+)\s?(?P<token>[¢p])(?!\w)", _say_pence),
)  # fmt: skip

"""Streets: house numbers, compass points, and "St." and "Dr." where they end a street's name.

"St." and "Dr." are Saint and Doctor before a name, Street and Drive after one.
"""

from __future__ import annotations

import re

from voice.text.english.numbers import say_in_name
from voice.text.verbalization.rule import one_of, rule

STREETS = {
    "St": "Street", "Ave": "Avenue", "Av": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Dr": "Drive",
    "Ln": "Lane",
    "Ct": "Court", "Pl": "Place", "Cir": "Circle", "Ter": "Terrace", "Terr": "Terrace", "Trl": "Trail",
    "Sq": "Square",
    "Pkwy": "Parkway", "Hwy": "Highway", "Expy": "Expressway", "Fwy": "Freeway", "Aly": "Alley",
    "Plz": "Plaza",
}  # fmt: skip
_WHOLE = (
    "Street Avenue Boulevard Road Drive Lane Court Place Circle Terrace Trail Square Parkway Highway Way"
).split()
COMPASS = {
    "N": "North", "S": "South", "E": "East", "W": "West",
    "NE": "Northeast", "NW": "Northwest", "SE": "Southeast", "SW": "Southwest",
}  # fmt: skip
# Words that begin a sentence after an abbreviation, and no name of a saint or a doctor.
OPENING_WORDS = (
    "The A An It He She They We I You This That These Those There In On At But And So If When While As"
    " For After"
    " Before His Her Their Our My Your Its What Who Why Where How However Then Now Not No Yes From With By To"
    " Later Today Yesterday Tomorrow Next Nobody Everyone Someone Turn Go Take"
).split()
_PREPOSITIONS = (
    "In On At From To Of By Near For And The Or With Is Was Are Were Dear Our My His Her When If But".split()
)

_SMALL_KINDS = frozenset("st ave blvd rd dr ln ct pkwy hwy street avenue road".split())
_NO_STREET = frozenset("on in at of the a an and or to from people men women for with by is are".split())
_COMPASS_POINT = rf"(?:{one_of(COMPASS)})"
_KIND = rf"(?i:{one_of([*STREETS, *_WHOLE])})"
_NAME_PART = r"(?:\d{1,3}(?:st|nd|rd|th)|[A-Z][\w'’]*|[a-z]{3,}|[A-Z])"
_HOUSE = r"(?<![\w.,$£€:/-])"
# "708 N 1st St": a number, a compass point, up to three words, a kind of street. All of it has capitals, or
# nothing has ("324 south st").
_STREET_NAME = rf"(?:(?:{_NAME_PART}\s){{1,3}}?)"
_ADDRESS = rf"(?:{_COMPASS_POINT}\.?\s)?{_STREET_NAME}{_KIND}\b"
_NAMED = rf"\b(?!(?:{one_of(_PREPOSITIONS)})\s)(?:[A-Z][\w'’]+|\d{{1,3}}(?:st|nd|rd|th))"


def _say_house(match: re.Match[str]) -> str | None:
    """Read the number of a house, unless what it counts is written in small letters ('3 men in a road')."""
    return say_in_name(match["token"]) if _is_address(match["rest"]) else None


def _is_address(rest: str) -> bool:
    """Tell whether words name a street: 'N 1st St', 'Elm Street', 'south st', but not 'men on Main St'."""
    *names, kind = rest.split()
    if all(not name[0].islower() for name in names):
        return kind[0].isupper() or kind.title() in STREETS
    return kind in _SMALL_KINDS and len(names) < 3 and not _NO_STREET & set(names)


def _say_point(match: re.Match[str]) -> str | None:
    return COMPASS[match["token"].rstrip(".")] if _is_address(match["rest"]) else None


def _say_kind(match: re.Match[str]) -> str | None:
    """Read 'St' and 'Ave.'; a stop before a word that opens a sentence ends one.

    Before another name it is no street: 'Mary St. Clair'.
    """
    word, after = match["token"].rstrip("."), match.string[match.end("token") :]
    ends = match["token"].endswith(".") and bool(_AFTER_STREET.match(after))
    if not ends and word in ("St", "Dr") and re.match(r"\s[A-Z][a-z]", after):
        return None
    kind = STREETS[word.title()]
    return (kind if word[0].isupper() else kind.lower()) + ("." if ends else "")


def _say_numbered_kind(match: re.Match[str]) -> str | None:
    return _say_kind(match) if _is_address(match["rest"] + match["token"].rstrip(".")) else None


_AFTER_STREET = re.compile(rf"\s+(?:{one_of(OPENING_WORDS)})\b|[\"'”’)]*\s*$")
_SHORT = rf"(?i:{one_of(STREETS)})"

STREET_RULES = (
    rule(rf"{_HOUSE}(?P<token>\d{{1,5}})(?=\s(?P<rest>{_ADDRESS}))", _say_house),
    rule(rf"(?:\d|\ue000)\s(?P<token>{_COMPASS_POINT}\.?)(?=\s(?P<rest>{_STREET_NAME}{_KIND}\b))",
         _say_point),
    rule(rf"\ue000\s(?P<rest>(?:[A-Z]\w*\s|\ue000+\s)?{_STREET_NAME})(?P<token>{_SHORT}\b\.?)(?!\w)",
         _say_numbered_kind),
    rule(rf"{_NAMED}\s(?P<token>(?:St|Dr|Ct|Pl|Ln|Cir|Ter)\b\.?)(?=\s(?:{one_of(OPENING_WORDS)})\b)",
         _say_kind),
    rule(rf"{_NAMED}\s(?P<token>(?:St|Dr|Ct|Ln|Cir)\b)(?=,|"
         r"\s(?:in|at|and|near|to|by|is|was|off|between|from)\b|[;:!?]|\.?$)", _say_kind),
    rule(rf"(?:\b(?:{one_of([*STREETS, *_WHOLE])})\.?,?|\ue000)\s(?P<token>N[EW]|S[EW])\b(?!\.\w)",
         lambda m: COMPASS[m["token"]]),
    rule(rf"\b(?P<token>{_COMPASS_POINT})\b(?= of\b)(?<!\w[ -]\b[NSEW])",
         lambda m: COMPASS[m["token"]].lower()),
    rule(r"(?:miles?|mi|km|kilometers?|blocks?|yards|head(?:ed|ing)?|went|facing|winds?) "
         r"(?P<token>N[EW]|S[EW])\b",
         lambda m: COMPASS[m["token"]].lower()),
)  # fmt: skip

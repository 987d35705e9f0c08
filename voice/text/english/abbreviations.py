"""Titles, abbreviations, initials and Roman numerals."""

from __future__ import annotations

import re

from voice.text.english.numbers import ROMAN_NUMERAL, cardinal, ordinal, roman_value, year
from voice.text.verbalization.rule import one_of, rule

_TITLES = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Messrs": "Messers", "Dr": "Doctor", "Prof": "Professor",
    "St": "Saint", "Ste": "Saint", "Mt": "Mount", "Ft": "Fort", "Gen": "General", "Gov": "Governor",
    "Sen": "Senator",
    "Rep": "Representative", "Capt": "Captain", "Lt": "Lieutenant", "Col": "Colonel", "Sgt": "Sergeant",
    "Cmdr": "Commander", "Rev": "Reverend", "Hon": "Honorable", "Pres": "President", "Supt": "Superintendent",
    "Cpl": "Corporal", "Maj": "Major", "Adm": "Admiral", "Fr": "Father", "Msgr": "Monsignor", "Mme": "Madame",
}  # fmt: skip
_BARE_TITLES = ("Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Mt", "Capt", "Lt", "Sgt", "Gov", "Sen", "Col")
_ABBREVIATIONS = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Prof": "Professor", "Jr": "Junior", "Sr": "Senior",
    "St": "Street", "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Dr": "Drive",
    "Ln": "Lane", "Hwy": "Highway", "Pkwy": "Parkway", "Sq": "Square", "Apt": "Apartment", "Bldg": "Building",
    "Ltd": "Limited", "Inc": "Incorporated", "Corp": "Corporation", "Co": "Company", "Bros": "Brothers",
    "Dept": "Department", "dept": "department", "Univ": "University", "Assn": "Association",
    "Govt": "Government",
    "govt": "government", "approx": "approximately", "est": "established", "vs": "versus", "etc": "et cetera",
    "cf": "compare", "ca": "circa", "viz": "namely", "al": "al", "max": "maximum", "min": "minimum",
    "misc": "miscellaneous",
    "tel": "telephone", "Tel": "Telephone", "ext": "extension", "Ext": "Extension", "incl": "including",
    "ft": "feet",
    "in": "inches", "lb": "pounds", "lbs": "pounds", "oz": "ounces", "yd": "yards", "hr": "hour",
    "hrs": "hours",
    "mins": "minutes", "sec": "seconds", "secs": "seconds", "Atty": "Attorney", "temp": "temperature",
    "avg": "average",
    "Jan": "January", "Feb": "February", "Mar": "March", "Apr": "April", "Jun": "June", "Jul": "July",
    "Aug": "August",
    "Sep": "September", "Sept": "September", "Oct": "October", "Nov": "November", "Dec": "December",
    "Mon": "Monday",
    "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday",
    "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday", "Calif": "California", "Mass": "Massachusetts",
    "Conn": "Connecticut", "Penn": "Pennsylvania", "Fla": "Florida", "Tenn": "Tennessee", "ed": "edition",
    "doz": "dozen", "Rm": "Room", "Rte": "Route", "pts": "points", "pt": "point", "Sts": "Streets",
    "Aves": "Avenues", "msg": "message", "Lv": "level", "Lvl": "level",
}  # fmt: skip
_NEEDS_FIGURE = frozenset("in min sec temp est ca ed Sun Sat Mar Co Mass".split())
_PHRASES = {
    "e.g.": "for example", "i.e.": "that is", "eg.": "for example", "ie.": "that is", "w/": "with",
    "w/o": "without",
    "w/in": "within", "b/c": "because", "(c)": "copyright", "Ph.D.s": "P H D's", "Ph.D.'s": "P H D's",
    "PhDs": "P H D's", "a.k.a.": "also known as", "aka": "also known as", "vs": "versus", "and/or": "and or",
    "c/o": "care of",
    "o'clock": "o'clock", "P.S.": "P S", "N.B.": "N B", "n.b.": "N B", "Ph.D.": "P H D", "Ph.D": "P H D",
    "PhD": "P H D",
    "approx": "approximately", "BTW": "by the way",
    "et al.": "et al", "a.s.a.p.": "as soon as possible",
}  # fmt: skip
_BEFORE_FIGURE = {
    "No": "number", "no": "number", "Nos": "numbers", "nos": "numbers", "Nr": "number", "p": "page",
    "sc": "scene",
    "pp": "pages",
    "Vol": "volume", "vol": "volume", "Vols": "volumes", "Ch": "chapter", "ch": "chapter", "Chap": "chapter",
    "chap": "chapter", "Fig": "figure", "fig": "figure", "Figs": "figures", "figs": "figures",
    "Sec": "section",
    "sec": "section", "Art": "article", "art": "article", "Eq": "equation", "eq": "equation",
    "Ver": "version",
    "ver": "version", "ext": "extension", "Ext": "extension", "l": "line", "ll": "lines", "Bk": "book",
    "Pt": "part",
    "ca": "circa", "c": "circa", "b": "born", "d": "died",
}  # fmt: skip
_NUMBERED_THINGS = (
    "Chapter Part Act Scene Section Volume Book Phase Article Mark Type Level Stage Class Grade Bowl Apollo"
    " Gemini Fantasy Episode Round Rocky War Canto Sonnet Symphony Figure Table Title Appendix Division Psalm"
    " Tier Group Category Schedule Unit Vatican Saturn"
).split()
_RULERS = (
    "Pope King Queen Emperor Tsar Sultan Henry Louis Edward George William Charles James Richard Elizabeth"
    " Napoleon"
    " Pius Benedict Leo Paul Ramses Ramesses Frederick Philip Alexander Nicholas Peter Catherine Ivan"
    " Umberto Emmanuel"
    " Gustav Christian Ferdinand Mary Francis Leopold Otto Wilhelm Innocent Gregory Clement Urban Boniface"
    " John"
    " Constantine Thutmose Amenhotep Ptolemy Cleopatra Olaf Harald Haakon Margrethe Juan Alfonso Pedro"
).split()
_PAGED = (
    "page scene chapter act part section volume book verse stanza canto item clause paragraph note footnote"
    " appendix figure table line step"
).split()
_GIVEN = (
    "Aaron Adam Albert Alfred Andrew Anthony Arthur Benjamin Bill Bob Carl Daniel David Donald Douglas Earl"
    " Edgar Ernest Eugene Frank Franklin Fred Gerald Harold Harry Harvey Herbert Howard Hugh Jack Jacob Jeff"
    " Jim Joe Joseph Joshua Kenneth Lawrence Mark Martin Matthew Michael Oliver Oscar Patrick Ralph Raymond"
    " Robert Roger Ronald Roy Russell Samuel Scott Stephen Steven Theodore Thomas Thurston Tom Victor Walter"
    " Warren"
).split()
_PERSON = rf"\b(?:{one_of([*_GIVEN, *_RULERS])}) (?:[A-Z]\.? )?[A-Z][a-z]+,? $"
_ROMAN_WORDS = frozenset(
    "I V X L C D M MIX DIM MILD VIM CIVIC LIVID VIVID MI DI LI MC CD DC MD DVD MM CC LL XX XXX".split()
)


_STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho",
    "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana",
    "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
    "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
    "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas",
    "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia",
    "WI": "Wisconsin", "WY": "Wyoming", "DC": "D C",
}  # fmt: skip
_STATE_WORDS = ("OK", "IN", "OR", "ME", "HI", "OH", "LA", "PA", "MA", "ID")  # words as well, in capitals
_SHORT_STATES = {
    "Ala": "Alabama", "Ariz": "Arizona", "Ark": "Arkansas", "Calif": "California", "Colo": "Colorado",
    "Conn": "Connecticut", "Del": "Delaware", "Fla": "Florida", "Ga": "Georgia", "Ill": "Illinois",
    "Ind": "Indiana", "Kan": "Kansas", "Ky": "Kentucky", "La": "Louisiana", "Md": "Maryland",
    "Mass": "Massachusetts", "Mich": "Michigan", "Minn": "Minnesota", "Miss": "Mississippi", "Mo": "Missouri",
    "Mont": "Montana", "Neb": "Nebraska", "Nev": "Nevada", "Okla": "Oklahoma", "Ore": "Oregon",
    "Pa": "Pennsylvania", "Tenn": "Tennessee", "Tex": "Texas", "Va": "Virginia", "Vt": "Vermont",
    "Wash": "Washington", "Wis": "Wisconsin", "Wyo": "Wyoming",
}  # fmt: skip


def _final_stop(match: re.Match[str]) -> str:
    """Return the full stop that an abbreviation at the end of a sentence also stands for."""
    rest = match.string[match.end("token") :].strip("\"'”’)] ")
    return "." if match["token"].endswith(".") and not rest else ""


def _say_abbreviation(match: re.Match[str]) -> str | None:
    word = match["token"].rstrip(".")
    if word == "ft" and not re.search(r"[\d\ue000] ?$", match.string[: match.start("token")]):
        return "featuring"
    if word == "temp" and re.search(
        r"\b(?:[Tt]he|[Hh]igh|[Ll]ow|[Rr]oom) $", match.string[: match.start("token")]
    ):
        return "temperature"
    if word in _NEEDS_FIGURE and not re.search(r"[\d\ue000,]\s?$", match.string[: match.start("token")]):
        following = re.match(r"\s[\d\ue000]", match.string[match.end("token") :])
        if not (following or word == "Co"):
            return None
    if word == "Dr" and not re.search(r"[A-Z\ue000]\w* $", match.string[: match.start()]):
        return "Doctor" + _final_stop(match)
    return _ABBREVIATIONS[word] + _final_stop(match)


def _say_phrase(match: re.Match[str]) -> str:
    return _PHRASES[match["token"]] + _final_stop(match)


def _say_dotted_letters(match: re.Match[str]) -> str:
    """Spell 'U.S.A.' as 'U S A'."""
    text = match["token"]
    many = text.endswith("s") and text[:-1].isupper()  # 'M.D.s'
    letters = re.findall("[A-Z]", (text[:-1] if many else text).upper())
    return " ".join(letters) + "'s" * many + _final_stop(match)


def _say_numbered_thing(match: re.Match[str]) -> str | None:
    text = match["token"]
    return None if text in ("C", "D", "L", "M") else cardinal(roman_value(text))  # "Group C" has a letter


def _say_small_numeral(match: re.Match[str]) -> str:
    """Read the numeral of 'page xiv'."""
    return cardinal(roman_value(match["token"].upper()))


def _say_ruler(match: re.Match[str]) -> str | None:
    return f"the {ordinal(roman_value(match['token']))}"


def _say_numeral(match: re.Match[str]) -> str | None:
    """Read a Roman numeral by itself, where it can be no word or initial."""
    text = match["token"]
    if text in _ROMAN_WORDS or len(text) < 2:
        return None
    if len(text) > 3 and 1500 <= roman_value(text) <= 2100:
        return year(roman_value(text))
    if text in ("II", "III", "IV") and re.search(_PERSON, match.string[: match.start()]):
        return f"the {ordinal(roman_value(text))}"
    if re.match(r"\s+[Cc]entur", match.string[match.end() :]):
        return ordinal(roman_value(text))
    after_name = re.search(r"\b[A-Z]\w+ $", match.string[: match.start()])
    listed = match.start() == 0 and match.string[match.end() :][:1] in (".", ")")
    return (
        cardinal(roman_value(text))
        if after_name or listed or (len(text) > 2 and not set(text) & set("LCDM"))
        else None
    )


ABBREVIATION_RULES = (
    rule(r"\b[A-Z][\w'’-]+,? (?P<token>[SJ]r)\b(?!\.)", lambda m: _ABBREVIATIONS[m["token"]]),
    rule(rf"\b(?:Vols?|Ch|Chap|Figs?|Sec|Art|Bk|Pt|Nos?)\.\s?(?P<token>(?=[IVXL]){ROMAN_NUMERAL})\b"
         r"(?!['’.]\w)",
         lambda m: cardinal(roman_value(m["token"]))),
    rule(r"^\(?(?P<token>[ivx]{1,4})(?=[).] )", lambda m: cardinal(roman_value(m["token"].upper()))),
    rule(rf"\b[A-Z][a-z]+, (?P<token>{one_of(_STATE_WORDS)})\b(?=[,;:!?)]|\.(?!\w)|$)(?!, (?:and|or)\b)",
         lambda m: _STATES[m["token"]]),
    rule(rf"^(?P<token>(?:{one_of(_TITLES)})\.)$", lambda m: _TITLES[m["token"][:-1]]),
    rule(rf"(?<=[a-z], )(?P<token>{one_of(_STATES)})(?= \d{{5}}\b)", lambda m: _STATES[m["token"]]),
    rule(rf"(?<=[a-z], )(?P<token>{one_of(set(_STATES) - set(_STATE_WORDS))})\b(?!['’.\w])",
         lambda m: _STATES[m["token"]]),
    rule(rf"(?:(?<=[a-z], )|(?<=\b[RD]-))(?P<token>(?:{one_of(_SHORT_STATES)})\.)(?!\w)",
         lambda m: _SHORT_STATES[m["token"][:-1]] + _final_stop(m)),
    rule(rf"\b(?P<token>(?:{one_of(_TITLES)})\.)(?=\s*[A-Z])", lambda m: _TITLES[m["token"][:-1]]),
    rule(r"\b(?:[Tt]he|[Mm]y|[Yy]our|[Oo]ur|[Hh]is|[Hh]er|[Aa]) (?P<token>Dr)\b(?!\.)", lambda m: "Doctor"),
    rule(rf"\b(?P<token>{one_of(_BARE_TITLES)})(?=\s[A-Z][a-z])(?<!\w\w\sSt)(?<!\w\w\sDr)",
         lambda m: _TITLES[m["token"]]),
    rule(rf"\b(?P<token>(?:{one_of(_BEFORE_FIGURE)})\.)\s?(?=\(?\d|[IVXL]+\b|\ue000)",
         lambda m: _BEFORE_FIGURE[m["token"][:-1]]),
    rule(r"\b(?P<token>No)\s(?=\d+\b)(?!\d+ (?:people|one))", lambda m: "number" if m.start() else None),
    rule(r"\b(?P<token>Ave)(?= of\b)", lambda m: "Avenue"),
    rule(r"\b(?P<token>Apt)(?= #?\d)", lambda m: "Apartment"),
    rule(r"(?<=\d )(?P<token>pts)\b(?!\.)", lambda m: "points"),
    rule(r"(?<=[\d\ue000] )(?P<token>c\.)(?= [a-z])", lambda m: "cups"),
    rule(r"\b(?P<token>Rev\.)(?= [\d\ue000])", lambda m: "Revelation"),
    rule(r"(?<=[\w\ue000] )(?P<token>St|Ave|Blvd|Rd|Hwy|Pkwy)\b(?!\.)", lambda m: _ABBREVIATIONS[m["token"]]),
    rule(rf"(?<![\w.])(?P<token>(?:{one_of(_ABBREVIATIONS)})\.)(?!\w)", _say_abbreviation),
    rule(rf"(?<![\w.])(?P<token>(?:{one_of(_PHRASES)}))(?![\w])", _say_phrase),
    rule(r"(?<![\w.])(?P<token>(?:[A-Za-z]\.){2,}(?:[A-Za-z]\b)?)(?!\w)", _say_dotted_letters),
    rule(r"(?<![\w.'’])(?P<token>[A-Z]\.)(?=\s+[A-Z]|\s*[A-Z]\.)", lambda m: m["token"][0]),
    rule(rf"\b(?:{one_of(_NUMBERED_THINGS)})\s(?P<token>{ROMAN_NUMERAL})\b(?![.'’]\w)", _say_numbered_thing),
    rule(rf"\b(?:{one_of(_NUMBERED_THINGS).lower()})\s(?P<token>{ROMAN_NUMERAL})\b(?![.'’]\w)",
         _say_numbered_thing),
    rule(rf"\b(?i:{one_of(_PAGED)})s?\s(?P<token>(?=[ivxl]{{2}}|[ivx][,.;:)])(?-i:{ROMAN_NUMERAL.lower()}))"
         r"\b(?!['’]\w)", _say_small_numeral),
    rule(r"\((?P<token>(?=[ivx]{2})(?:x{0,3})(?:ix|iv|v?i{0,3}))\)",
         _say_small_numeral),
    rule(rf"\b(?:{one_of(_RULERS)})\s(?P<token>(?=[IVX]{{2}}|V|X){ROMAN_NUMERAL})\b(?!\.\s?[A-Z])",
         _say_ruler),
    rule(rf"\b(?:{one_of(_RULERS)})\s(?P<token>I)(?=[,.;:)!?]|['’]s|$|\s(?:of|was|and|had|in|died|who|ruled|became)\b)",
         _say_ruler),
    rule(rf"\b(?P<token>{ROMAN_NUMERAL})\b(?!['’]\w)", _say_numeral),
)  # fmt: skip

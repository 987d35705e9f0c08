"""Abbreviations, ordinals, fractions and Roman numerals of Italian."""

from __future__ import annotations

import re

from voice.text.italian.numbers import italian_cardinal, italian_fraction, italian_ordinal
from voice.text.italian.wording import ITALIAN_WORDS
from voice.text.verbalization.roman import ROMAN, roman_after, roman_value
from voice.text.verbalization.rule import rule
from voice.text.verbalization.short_forms import short_form_rules
from voice.text.verbalization.wording import ALONE, FEMININE

_ITALIAN_SHORT = {
    "sig.": "signor", "Sig.": "signor", "sig.ra": "signora", "Sig.ra": "signora", "sig.na": "signorina",
    "Sig.na": "signorina", "sigg.": "signori", "Sigg.": "signori", "dott.": "dottor", "Dott.": "dottor",
    "dr.": "dottor", "Dr.": "dottor", "dott.ssa": "dottoressa", "Dott.ssa": "dottoressa",
    "prof.": "professor",
    "Prof.": "professor", "prof.ssa": "professoressa", "Prof.ssa": "professoressa", "ing.": "ingegner",
    "Ing.": "ingegner", "avv.": "avvocato", "Avv.": "avvocato", "arch.": "architetto", "Arch.": "architetto",
    "geom.": "geometra", "rag.": "ragioniere", "on.": "onorevole", "On.": "onorevole", "gen.": "generale",
    "Gen.": "generale", "cap.no": "capitano", "S.": "san", "ss.": "santi", "ecc.": "eccetera",
    "etc.": "eccetera",
    "es.": "esempio", "p.es.": "per esempio", "p. es.": "per esempio", "a.C.": "avanti Cristo",
    "d.C.": "dopo Cristo", "a. C.": "avanti Cristo", "d. C.": "dopo Cristo", "v.le": "viale", "V.le": "viale",
    "p.za": "piazza", "P.za": "piazza", "p.zza": "piazza", "P.zza": "piazza", "c.so": "corso",
    "C.so": "corso",
    "tel.": "telefono", "Tel.": "telefono", "cell.": "cellulare", "Cell.": "cellulare", "c.a.": "circa",
    "ca.": "circa", "max.": "massimo", "min.": "minuti", "S.p.A.": "società per azioni",
    "SpA": "società per azioni",
    "S.r.l.": "società a responsabilità limitata", "srl": "società a responsabilità limitata",
    "F.lli": "fratelli", "f.lli": "fratelli", "vs.": "contro", "P.S.": "post scriptum",
    "c.m.": "corrente mese",
    "u.s.": "ultimo scorso", "c.d.": "cosiddetto", "cfr.": "confronta", "Cfr.": "confronta",
    "ed.": "edizione",
    "gg.": "giorni", "sec.": "secondi", "n.d.r.": "nota del redattore", "prov.": "provincia",
    "Prov.": "provincia",
    "c/o": "presso", "a.m.": "antimeridiane", "p.m.": "pomeridiane", "int.": "interno",
    "Stefano S.": "Stefano S.",
    "Spett.le": "spettabile", "Gent.mo": "gentilissimo", "Gent.ma": "gentilissima", "Egr.": "egregio",
}  # fmt: skip
_ITALIAN_AFTER_FIGURE = frozenset("min. sec. gg. a.m. p.m.".split())
_ITALIAN_BEFORE_FIGURE = {
    "n.": "numero", "N.": "numero", "nr.": "numero", "n°": "numero", "N°": "numero", "nº": "numero",
    "pag.": "pagina", "pagg.": "pagine", "p.": "pagina", "pp.": "pagine", "cap.": "capitolo",
    "capp.": "capitoli",
    "vol.": "volume", "voll.": "volumi", "fig.": "figura", "art.": "articolo", "artt.": "articoli",
    "sec.": "secolo", "tab.": "tabella", "km.": "chilometro", "par.": "paragrafo",
}  # fmt: skip
_POPES_AND_KINGS = (
    "Luigi Carlo Vittorio Emanuele Umberto Federico Enrico Filippo Giovanni Paolo Pio Benedetto Leone"
    " Gregorio"
    " Clemente Innocenzo Urbano Sisto Giulio Alessandro Napoleone Elisabetta Giorgio Edoardo Guglielmo"
    " Ferdinando"
    " Francesco Caterina Maria Bonifacio Riccardo Amedeo Nicola Adriano Margherita".split()
)
_ITALIAN_NUMBERED = (
    "secolo capitolo volume atto scena libro parte titolo canto congresso concilio municipio grado".split()
)
_ITALIAN_WOMEN = frozenset("Elisabetta Caterina Maria Margherita scena parte".split())


def _say_numeral(before: str, number: int) -> str:
    """Read 'Luigi XIV', 'secolo XIX', 'capitolo III': ordinals all of them."""
    return italian_ordinal(number, FEMININE if before in _ITALIAN_WOMEN else ALONE)


def _say_ordinal_before(match: re.Match[str]) -> str | None:
    """Read 'il XX secolo', 'la II guerra mondiale'."""
    number = roman_value(match["token"])
    return italian_ordinal(
        number, FEMININE if match["article"].lower() in ("la", "della", "nella", "alla") else ALONE
    )


def _say_ordinal(match: re.Match[str]) -> str:
    """Read 1º, 2ª, 3°."""
    return italian_ordinal(int(match["number"]), FEMININE if match["mark"] == "ª" else ALONE)


def _say_fraction(match: re.Match[str]) -> str | None:
    return italian_fraction(int(match["over"]), int(match["under"]))


def _say_time(match: re.Match[str]) -> str | None:
    """Read 'alle 8.30', with the point that is usual in Italian."""
    return (
        ITALIAN_WORDS.time(int(match["hour"]), int(match["minute"]), None)
        if int(match["hour"]) < 25
        else None
    )


ITALIAN_SHORT_RULES = (
    rule(r"(?P<token>\bsec\.)(?=\s[IVX])", lambda match: "secolo"),
    *short_form_rules(_ITALIAN_SHORT, _ITALIAN_AFTER_FIGURE, _ITALIAN_BEFORE_FIGURE),
    roman_after([*_POPES_AND_KINGS, *_ITALIAN_NUMBERED, *map(str.title, _ITALIAN_NUMBERED)], _say_numeral),
    rule(
        rf"\b(?P<article>[Ii]l|[Dd]el|[Nn]el|[Aa]l|[Ll]a|[DdNn]ella|[Aa]lla)\s(?P<token>{ROMAN})\s(?=[A-Za-z])",
        _say_ordinal_before,
    ),
)  # fmt: skip
ITALIAN_TIME_RULE = rule(
    r"(?:(?<=\b[Oo]re )|(?<=lle )|(?<=\ble ))(?P<hour>\d{1,2})\.(?P<minute>[0-5]\d)(?![\d.]|\s?(?:euro|€))",
    _say_time,
)
ITALIAN_ORDINAL_RULES = (
    rule(r"(?<![\w.,])(?P<number>\d{1,3})\s?(?P<mark>[ºª]|°(?!\s?[CF\d]))(?![CF])", _say_ordinal),
    rule(r"(?<![\w/.,])(?P<over>\d{1,2})/(?P<under>\d{1,2})(?![\w/])", _say_fraction),
    rule(r"(?:(?<=\b[Aa]ll['’])|(?<=\bl['’]))(?P<token>1)(?![\w.,:/])", lambda match: "una"),
    rule(r"(?<=\banni )['’](?P<token>\d\d)\b", lambda match: italian_cardinal(int(match["token"]))),
)  # fmt: skip

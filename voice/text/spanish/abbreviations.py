"""Abbreviations, ordinals, fractions and Roman numerals of Spanish."""

from __future__ import annotations

import re

from voice.text.spanish.numbers import cardinal, fraction, ordinal
from voice.text.verbalization.roman import ROMAN, roman_after, roman_value
from voice.text.verbalization.rule import rule
from voice.text.verbalization.short_forms import short_form_rules
from voice.text.verbalization.wording import ALONE, FEMININE, MASCULINE

_SPANISH_SHORT = {
    "Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Sres.": "señores", "Sras.": "señoras",
    "Dr.": "doctor", "Dra.": "doctora", "Dres.": "doctores", "D.ª": "doña", "Dña.": "doña",
    "Prof.": "profesor",
    "Profa.": "profesora", "Lic.": "licenciado", "Ing.": "ingeniero", "Arq.": "arquitecto",
    "Gral.": "general",
    "Cap.": "capitán", "Cnel.": "coronel", "Tte.": "teniente", "Mons.": "monseñor", "Sto.": "santo",
    "Sta.": "santa", "Ud.": "usted", "Uds.": "ustedes", "Vd.": "usted", "Vds.": "ustedes", "etc.": "etcétera",
    "p. ej.": "por ejemplo", "p.ej.": "por ejemplo", "EE. UU.": "Estados Unidos", "EE.UU.": "Estados Unidos",
    "EEUU": "Estados Unidos", "EE UU": "Estados Unidos", "a. C.": "antes de Cristo",
    "d. C.": "después de Cristo",
    "a.C.": "antes de Cristo", "d.C.": "después de Cristo", "Avda.": "avenida", "Av.": "avenida",
    "Pza.": "plaza", "Plza.": "plaza", "Ctra.": "carretera", "C/": "calle", "c/": "calle", "Blvr.": "bulevar",
    "dpto.": "departamento", "Dpto.": "departamento", "depto.": "departamento", "aprox.": "aproximadamente",
    "máx.": "máximo", "mín.": "mínimo", "tel.": "teléfono", "Tel.": "teléfono", "tfno.": "teléfono",
    "izda.": "izquierda", "dcha.": "derecha", "S. A.": "sociedad anónima", "S.A.": "sociedad anónima",
    "S. L.": "sociedad limitada", "S.L.": "sociedad limitada", "Cía.": "compañía", "Hnos.": "hermanos",
    "vs.": "versus", "P. D.": "posdata", "P.D.": "posdata", "s/n": "sin número", "Bco.": "banco",
    "admón.": "administración", "Rte.": "remitente", "c. c.": "con copia", "JJ. OO.": "Juegos Olímpicos",
    "FF. AA.": "Fuerzas Armadas", "RR. HH.": "recursos humanos", "a. m.": "a eme", "p. m.": "pe eme",
    "a.m.": "a eme", "p.m.": "pe eme", "am": "a eme", "pm": "pe eme", "hrs.": "horas", "hrs": "horas",
    "seg.": "segundos", "min.": "minutos", "ej.": "ejemplo", "art.": "artículo", "ed.": "edición",
    "trad.": "traducción", "Fdo.": "firmado", "atte.": "atentamente", "Atte.": "atentamente",
}  # fmt: skip
_SPANISH_AFTER_FIGURE = frozenset("am pm a.m. p.m. min. seg. hrs hrs.".split()) | {"a. m.", "p. m."}
_SPANISH_BEFORE_FIGURE = {
    "núm.": "número", "Núm.": "número", "n.º": "número", "N.º": "número", "nº": "número", "Nº": "número",
    "no.": "número", "No.": "número", "pág.": "página", "págs.": "páginas", "p.": "página", "pp.": "páginas",
    "cap.": "capítulo", "vol.": "volumen", "fig.": "figura", "lib.": "libro",
    "km.": "kilómetro", "art.": "artículo", "arts.": "artículos",
}  # fmt: skip
_KINGS = (
    "Felipe Carlos Alfonso Fernando Luis Juan Pablo Pío Benedicto Isabel Jaime Enrique Sancho Ramiro Pedro"
    " Napoleón León Francisco Guillermo Jorge Eduardo Nicolás Alejandro Gregorio Clemente Inocencio Urbano"
    " María Catalina Cristina Ricardo Leopoldo Balduino Federico"
).split()
_NUMBERED_NOUNS = (
    "siglo siglos capítulo tomo volumen acto escena libro parte título artículo fase tipo guerra concilio"
    " edición congreso cumbre"
).split()
_WOMEN = frozenset("Isabel María Catalina Cristina parte escena fase guerra edición cumbre".split())


def _say_roman(before: str, number: int) -> str:
    """Read 'Felipe II', 'siglo XIX'."""
    if number <= 10 and (
        before in _KINGS or before.lower() in ("siglo", "acto", "capítulo", "libro", "tomo")
    ):
        return ordinal(number, FEMININE if before in _WOMEN else ALONE)
    return cardinal(number)


def _say_numbered_roman(match: re.Match[str]) -> str | None:
    """Read 'el XX congreso', 'la II Guerra Mundial'."""
    number = roman_value(match["token"])
    gender = FEMININE if match["article"].lower() == "la" else MASCULINE
    return ordinal(number, gender) if 0 < number < 21 else cardinal(number, gender) if number else None


def _say_ordinal(match: re.Match[str]) -> str:
    """Read 1.º, 2ª, 3er, 5to."""
    feminine = match["mark"] in ("ª", "ra", "da", "ta")
    gender = FEMININE if feminine else MASCULINE if match["mark"] == "er" else ALONE
    return ordinal(int(match["number"]), gender)


def _say_fraction(match: re.Match[str]) -> str | None:
    return fraction(int(match["over"]), int(match["under"]))


SHORT_RULES = (
    *short_form_rules(_SPANISH_SHORT, _SPANISH_AFTER_FIGURE, _SPANISH_BEFORE_FIGURE),
    rule(r"(?<![\w.])(?P<token>D\.)(?=\s[A-ZÁÉÍÓÚÑ])", lambda match: "don"),
    roman_after([*_KINGS, *_NUMBERED_NOUNS, *map(str.capitalize, _NUMBERED_NOUNS)], _say_roman),
    rule(rf"\b(?P<article>[Ee]l|[Ll]a)\s(?P<token>{ROMAN})\s(?=[A-ZÁÉa-z])", _say_numbered_roman),
)  # fmt: skip
ORDINAL_RULES = (
    rule(r"(?<=\b[Ll]a )(?P<token>\d{1,2})(?![\w.,:/%º°ª])", lambda m: cardinal(int(m["token"]), FEMININE)),
    rule(r"(?<=\b[Ll]as )(?P<token>\d{1,2})(?![\w.,:/%º°ª])", lambda m: cardinal(int(m["token"]), FEMININE)),
    rule(r"(?<![\w.,])(?P<number>\d{1,3})\.?(?P<mark>[ºª°](?!\s?[CF])|(?:er|ra|do|da|to|ta|mo|vo|no)\b)",
         _say_ordinal),
    rule(r"(?<![\w/.,])(?P<over>\d{1,2})/(?P<under>\d{1,2})(?![\w/])", _say_fraction),
)  # fmt: skip

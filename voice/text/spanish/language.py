"""Spanish as the front end asks for it (see `voice.text.language`)."""

from __future__ import annotations

from functools import partial

from voice.text.language import Language
from voice.text.sentences import SentenceRules
from voice.text.spanish.normalization import normalize
from voice.text.spanish.pronunciation import pronounce
from voice.text.spanish.questions import is_rising_question
from voice.text.spanish.wording import SPANISH_WORDS
from voice.text.verbalization.say_as import say_as

_TITLES_BEFORE_NAMES = (
    "sr sra srta sres sras dr dra dres d dña prof profa lic ing arq gral cap cnel tte mons sto sta ud uds vd"
    " vds avda av pza plza ctra p. ej p.ej fdo"
)
SPANISH_SENTENCES = SentenceRules(
    never_final=frozenset([*_TITLES_BEFORE_NAMES.split(), "p. ej", "ej", "cf", "vs", "aprox", "tel", "tfno"]),
    small=frozenset("sr sra srta dr dra ud uds p.ej ej cf vs aprox".split()),
    either=frozenset("etc ee.uu uu s.a s.l cía a.c d.c c dpto depto núm a.m p.m m oo".split()),
    numbered=frozenset("núm no n.º pág págs p pp cap vol fig art arts km lib ed".split()),
    starters=frozenset(
        "el la los las un una unos unas lo yo tú él ella ellos ellas nosotros usted ustedes esto eso este"
        " esta"
        " en a de con por para pero y si cuando como mientras aunque después antes su sus mi no sí ya hoy"
        " ayer"
        " qué quién cómo dónde entonces también así".split()
    ),
    joining=frozenset(
        "y e o u ni pero sino aunque porque como cuando mientras donde que quien cual si para por con sin"
        " desde hasta durante entonces según".split()
    ),
)


def _prepare() -> None:
    """Read a sentence, so that the rules are compiled before the first one is asked for."""
    pronounce([chunk.text for chunk in normalize("El 1 de mayo.").chunks])


def _stand_in(phonemes: str) -> str:
    """Return a word whose sound changes nothing around it."""
    return "eso"


SPANISH = Language(
    "es", _prepare, normalize, pronounce, is_rising_question, partial(say_as, SPANISH_WORDS), _stand_in,
    SPANISH_SENTENCES,
)  # fmt: skip

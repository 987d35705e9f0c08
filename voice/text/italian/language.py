"""Italian as the front end asks for it (see `voice.text.language`)."""

from __future__ import annotations

from functools import partial

from voice.text.italian.normalization import normalize
from voice.text.italian.pronunciation import pronounce
from voice.text.italian.questions import is_rising_question
from voice.text.italian.wording import ITALIAN_WORDS
from voice.text.language import Language
from voice.text.sentences import SentenceRules
from voice.text.verbalization.say_as import say_as

_ITALIAN_TITLES = (
    "sig sig.ra sig.na sigg dott dott.ssa dr prof prof.ssa ing avv arch geom rag on gen s ss p.es es"
    " tel cell cfr"
    " p.za p.zza v.le c.so egr spett.le gent.mo gent.ma f.lli vs"
)
ITALIAN_SENTENCES = SentenceRules(
    never_final=frozenset(_ITALIAN_TITLES.split()),
    small=frozenset("sig sig.ra dott dott.ssa dr prof prof.ssa ing avv arch p.es cfr vs tel".split()),
    either=frozenset("ecc etc a.c d.c s.p.a s.r.l ca n.d.r sec a.m p.m min".split()),
    numbered=frozenset("n nr pag pagg p pp cap capp vol voll fig art artt tab par km".split()),
    starters=frozenset(
        "il lo la i gli le un uno una io tu lui lei noi voi loro questo questa quello quella in a di da"
        " con per ma"
        " e se quando come mentre poi dopo prima allora non sì no oggi ieri chi che cosa dove perché"
        " anche".split()
    ),
    joining=frozenset(
        "e ed o oppure ma però perché poiché anche quando mentre dove che chi se per con senza da fino"
        " durante"
        " come quindi".split()
    ),
)


def _prepare() -> None:
    """Read a sentence, so that rules and lexicon are there before the first one is asked for."""
    pronounce([chunk.text for chunk in normalize("Il 1º maggio.").chunks])


def _stand_in(phonemes: str) -> str:
    """Return a word whose sound changes nothing around it."""
    return "cosa"


ITALIAN = Language(
    "it", _prepare, normalize, pronounce, is_rising_question, partial(say_as, ITALIAN_WORDS), _stand_in,
    ITALIAN_SENTENCES,
)  # fmt: skip

"""Where Italian words are stressed, and whether their e and o are open: what their spelling does not say.

What is not written ("perché") is in `lexicon.txt`, as a word with its mark, or follows from the ending; other
words are stressed on the last vowel but one. A lexicon's word speaks for its forms with another last vowel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_ITALIAN_MARKS = {"a": "à", "e": "é", "i": "ì", "o": "ó", "u": "ù"}
_UNMARKED = str.maketrans("àèéìòóùṡ", "aeeioouz")
_VOICED_ZZ = re.compile(r"(?<=..[lnrtdmv])([iì])zz(?=[aoieàòé])")  # "organizzare", not "pizza"
# Frequent words that the lexicon lacks.
_FREQUENT = """
nèl hò èd quésto quéllo quél avéva avévo réte pèna déllo délla délle dégli néllo nélla nélle èra èro lòro nò
sèi mòdo mòdi suòi
tuòi puòi vuòi dève dèvo dèvi nòstro vòstro allóra pósto pósti stò sò rè vèrso lèi pòsso còl mièi mèsi
òcchi èx pòchi pòche mésso mésse ésse potére òpera òpere nàpoli sóla sóli sólo lìnea àuto lavóri bèl
vógliono piédi
più dìcono fùrono fòssero bèh pròpri idèe polìtiche vuòl àbbiano tenére vóti mètri mètro stòrie vénne còi nòmi
raccòlta ṡòne ṡòna prègo èssi pèlle sicìlia complèsso pòssano frattèmpo sèrvono bèni interèssa sénte sénti
sénto
dèbba pàrlano madònna ricèrche piàcciono cróce pénsano pianéta vólto ragióne buòn dèi èrano hànno prìncipe
marìa
ènte cènto tèmpo tècnica dópo òggi óltre fórse sèmpre bène nòtte cuòre fuóri uòmo
"""
# Endings and how they are marked, the first that fits; "è" and "ò" are open.
_ITALIAN_ENDINGS = tuple(
    (re.compile(pattern + "$"), marked)
    for pattern, marked in (
        ("mente", "ménte"), ("ment([oi])", r"mént\1"), ("([^e])ent([ei])", r"\1ènt\2"),
        ("enz([aei])", r"ènz\1"),
        ("endo", "èndo"), ("ebber([o])", r"ébbero"), ("resti", "résti"), ("ev(o|a|i)", r"èv\1"), ("evano",
        "évano"), ("ebbe", "èbbe"), ("rei", "rèi"), ("erv([aei])", r"èrv\1"),
        ("iss(im)([oaei])", r"ìss\1\2"), ("([^aeiou])es(im)([oaei])", r"\1èsim\3"),
        ("evol([ei])", r"évol\1"),
        ("ell([oaei])", r"èll\1"), ("est([oaei])", r"èst\1"), ("ert([oaei])", r"èrt\1"),
        ("ers([oaei])", r"èrs\1"), ("end([aeio])", r"ènd\1"), ("err([aeio])", r"èrr\1"),
        ("ien([ei])", r"ièn\1"), ("ier([oaei])", r"ièr\1"), ("e([ao])", r"è\1"),
        ("uo([^aeiou]+)([oaei])", r"uò\1\2"),
        ("ort([oaei])", r"òrt\1"), ("ola", "òla"), ("orr([eai])", r"òrr\1"), ("ossa", "òssa"), ("osa", "òsa"),
        ("ot([oaei])", r"òt\1"), ("ori([oa])", r"òri\1"), ("edi([oae])", r"èdi\1"),
        ("em([aio])", r"èm\1"), ("etr([oaei])", r"ètr\1"), ("elo", "èlo"), ("erm([eo])", r"èrm\1"),
    )
)  # fmt: skip


def mark(word: str) -> str:
    """Return a word in small letters with its stressed vowel marked, and "ṡ" for a z that is voiced."""
    return find_marks(word, italian_lexicon())


def find_marks(word: str, lexicon: Mapping[str, str]) -> str:
    """Return what `mark` does, with a lexicon of marked words by the words without marks."""
    return _VOICED_ZZ.sub(r"\1ṡṡ", _mark_stress(word, lexicon))


def without_marks(word: str) -> str:
    """Return a marked word as it is written."""
    return word.translate(_UNMARKED)


def _mark_stress(word: str, lexicon: Mapping[str, str]) -> str:
    if re.search("[àèéìòóù]", word):
        return word
    if known := _look_up(word, lexicon):
        return known
    if cut := re.fullmatch(r"(.*[aeiou].*)([aeiou])([lnr])", word):
        return cut[1] + {"e": "è"}.get(cut[2], _ITALIAN_MARKS[cut[2]]) + cut[3]
    for pattern, marked in _ITALIAN_ENDINGS:
        if pattern.search(word):
            return pattern.sub(marked, word)
    return _mark_usual(word)


def _look_up(word: str, lexicon: Mapping[str, str]) -> str | None:
    """Return a word's marks by the lexicon, by another form of it if need be."""
    if word in lexicon:
        return lexicon[word]
    stem, others = word, ""
    if word.endswith(("che", "chi", "ghe", "ghi")):
        stem, others = word[:-2], "oa"
    if (found := _by_form(stem, others, lexicon)) or len(word) < 4 or word[-1] not in "oaei":
        return found + word[len(stem) :] if found else None
    found = _by_form(word[:-1], "oaei", lexicon)
    return found + word[-1] if found else None


def _by_form(stem: str, endings: str, lexicon: Mapping[str, str]) -> str:
    """Return the marked stem of a word of the lexicon with one of `endings`, "" if there is none."""
    for last in endings:
        if (found := lexicon.get(stem + last)) and found[-1] == last:
            return found[:-1]
    return ""


def _mark_usual(word: str) -> str:
    """Mark the last vowel but one, a diphthong being one: "bàlia", not "balìa"."""
    nuclei = [*re.finditer(r"(?:(?<=[qg])u|(?<=[cg])i)?[aeiou]", word)]
    if not nuclei:
        return word
    places = [match.end() - 1 for match in nuclei]
    chosen = places[-1] if len(places) == 1 else places[-2]
    return word[:chosen] + _ITALIAN_MARKS[word[chosen]] + word[chosen + 1 :]


def frequent_marks() -> Mapping[str, str]:
    """Return the frequent words with their marks, by the words without."""
    return {without_marks(word): word for word in _FREQUENT.split()}


@cache
def italian_lexicon() -> Mapping[str, str]:
    """Return words with their marks, by the words without."""
    words = Path(__file__).with_name("lexicon.txt").read_text("utf-8").split()
    return {**{without_marks(word): word for word in words}, **frequent_marks()}

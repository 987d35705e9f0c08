"""Italian spelling with its stress marked → phonemes of one word, by rules.

`marks` finds the stressed vowel. The phonemes are those of espeak-ng's `it`: weak "u" is ʊ, a weak final "i"
is ɪ, long stops have a length mark, "ss" is S.
"""

from __future__ import annotations

import re

OPEN, CLOSED = {"è": "ɛ", "ò": "ɔ"}, {"à": "a", "é": "e", "ì": "i", "ó": "o", "ù": "u"}
MARKED = {**OPEN, **CLOSED}
_ITALIAN_VOWELS = "aeiouàèéìòóù"
_ITALIAN_PLAIN = str.maketrans("àèéìòóù", "aeeioou")
# Consonants that stand together, the first that fits: pattern at this place, phonemes.
_ITALIAN_SPELLINGS = tuple(
    (re.compile(pattern), phonemes)
    for pattern, phonemes in (
        ("sch", "sk"), ("scc", "sk"), ("sci(?=[aeouàèéòóù])", "ʃ"), ("sc(?=[eièéì])", "ʃ"),
        ("cch", "kː"), ("cq", "kː"), ("cci(?=[aeouàòóù])", "ʧː"), ("cc(?=[eièéì])", "ʧː"), ("cc", "kː"),
        ("ch", "k"), ("ci(?=[aouàòóùeèé])", "ʧ"), ("c(?=[eièéì])", "ʧ"), ("ck", "k"), ("[cq]", "k"),
        ("ggh", "ɡː"), ("ggi(?=[aeouàòóù])", "ʤː"), ("gg(?=[eièéì])", "ʤː"), ("gg", "ɡː"),
        ("gh", "ɡ"), ("gi(?=[aouàòóùeèé])", "ʤ"), ("g(?=[eièéì])", "ʤ"),
        ("(?<=[àèéìòóù])gn(?=[aeiou])", "ɲɲ"), ("gn", "ɲ"), ("gli(?=[aeouàèòóùé])", "ʎ"),
        ("gl(?=i|ì)", "ʎ"), ("g", "ɡ"), ("ṡṡ", "ʣː"), ("ṡ", "ʣ"), ("zz", "ʦː"), ("z", "ʦ"), ("j", "j"),
        ("ss", "S"), ("(?<=[aeiouàèéìòóù])s(?=[aeiouàèéìòóù])", "z"), ("s(?=[bdglmnrv])", "z"), ("s", "s"),
        ("rr", "rɾ"), ("(?<=[aà])r(?=[aàò])|(?<=[aeiouàèìò])r(?=[àòùèìé]$)", "ɾ"), ("r", "r"),
        ("([bdkpt])\\1", r"\1ː"), ("([flmnv])\\1", r"\1\1"), ("ph", "f"), ("th", "t"), ("sh", "ʃ"), ("h", ""),
        ("x", "ks"), ("n(?=g(?!n|[eièéì]))", "ŋ"), ("[bdfklmnptvw]", r"\g<0>"), ("ñ", "ɲ"), ("ç", "s"),
    )
)  # fmt: skip


def phonemes_of(word: str) -> str:
    """Return the phonemes of a word in small letters whose stressed vowel is marked; none is without stress.

    A "ṡ" is a voiced z. A mark that is not that of the stress has no meaning in Italian.
    """
    said, at = "", 0
    while at < len(word):
        letter = word[at]
        if letter in _ITALIAN_VOWELS:
            phonemes, length = _vowel(word, at), 1
        elif letter == "y":
            phonemes, length = ("j" if word[at + 1 : at + 2] in tuple("aeiou") else "i"), 1
        else:
            phonemes, length = _italian_consonants(word, at)
        said, at = said + phonemes, at + length
    return said


def _italian_consonants(word: str, at: int) -> tuple[str, int]:
    for pattern, phonemes in _ITALIAN_SPELLINGS:
        if match := pattern.match(word, at):
            return match.expand(phonemes), len(match[0])
    return "", 1


def _vowel(word: str, at: int) -> str:
    letter, before, after = word[at], word[:at], word[at + 1 :]
    if letter in MARKED:
        return "ˈ" + MARKED[letter]
    if letter == "i":
        return _weak_i(before, after)
    if letter == "u":
        if after and after[0] in _ITALIAN_VOWELS and before[-1:] in ("q", "g"):
            return "w"
        return "w" if not before and after[:1] == "ò" else "ʊ"
    return letter


def _weak_i(before: str, after: str) -> str:
    if not after:
        if before[-1:] == "à" or before == "cù":
            return "j"
        return (
            "i"
            if before[-1:] in tuple("aeouèéòóù")
            else "ɪ"
            if re.search(f"[{_ITALIAN_VOWELS}]", before)
            else "i"
        )
    if after[0] not in _ITALIAN_VOWELS:
        return "i"
    return "j" if _glides(before, after) else "i"


def _glides(before: str, after: str) -> bool:
    """Tell whether a weak i before a vowel is a glide, as in "piano", "grazie", not in "azione", "storia"."""
    if before.endswith(("r", "l", "à")) or (before.endswith("ò") and after == "a"):
        return False
    if re.match(r"[òó]n[eiaoà]|on[aà]", after) and re.search(r"(?<![rnls])s$|z$", before):
        return False
    is_first = not re.search(f"[{_ITALIAN_VOWELS}]", before)
    if is_first or before[-1:] in _ITALIAN_VOWELS:
        return True
    if re.fullmatch("[ao]", after):
        return False
    if re.match("[èé](?:r[aeio]|nt[e])$", after):
        return False
    return not re.match("(?:con|in|av|ri)v?$", before)

"""Spanish spelling → phonemes of one word with its stress, by rules: Spanish is written as it is spoken.

Phonemes are those of espeak-ng's `es`: "c" before e and "z" are θ, "ll" is ʎ, falling diphthongs are one
symbol where the alphabet has it. `pronunciation` sees to what depends on the words around: b, d and g between
vowels, n before a labial.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ACCENTED = {"á": "a", "é": "e", "í": "i", "ó": "o", "ú": "u"}
_SPANISH_VOWEL_LETTERS = "aeiouáéíóúüàèìòùâêîôûäëïöãõåæø"
_STRONG = "aeoáéíóúàèòâêôäëöãõåæø"
_FOREIGN_VOWELS = dict(zip("àèìòùâêîôûäëïöãõåæø", "aeiouaeiouaeioaoaeo", strict=True))
# What letters that stand together sound like, the first that fits: pattern at this place, phonemes.
_SPANISH_SPELLINGS = tuple(
    (re.compile(pattern), phonemes)
    for pattern, phonemes in (
        ("ch", "ʧ"), ("ll(?=[aeiouáéíóúüy])", "ʎ"), ("ll", "l"), ("rr", "r"), ("qu(?=[eiéíy])", "k"),
        ("q", "k"),
        ("gu(?=[eiéí])", "ɡ"), ("gü", "ɡw"), ("g(?=[eiéíy])", "x"), ("g", "ɡ"),
        ("cc(?=[eiéí])", "kθ"), ("cc", "k"), ("c(?=[eiéíy])", "θ"), ("ck", "k"), ("c", "k"),
        ("z", "θ"), ("j", "x"), ("ph", "f"), ("th", "t"), ("sh", "ʃ"), ("h", ""), ("ñ", "ɲ"), ("ç", "s"),
        ("(?<![a-zñáéíóú])x", "s"), ("x", "ks"), ("(?<![a-zñáéíóúü])ps", "s"), ("v", "b"), ("w", "w"),
        ("(?<![a-zñáéíóúü])r|(?<=[nls])r", "r"), ("r", "ɾ"),
        (r"([bdfkmnpst])\1", r"\1"), ("[bdfklmnpst]", r"\g<0>"),
    )
)  # fmt: skip
_AFTER_CLUSTER = re.compile(r"(?:[bcdfgkpt][rl]|rr|[nls]r|^r|^l(?!l))$")  # where i and u are syllables
_FALLING = {
    "ai": "I", "au": "W", "ei": "A", "eu": "eʊ", "oi": "oɪ", "ou": "ow",
}  # fmt: skip


@dataclass(frozen=True)
class Syllable:
    """The consonants and glides before a vowel, and the vowel, which may be a diphthong."""

    onset: str
    vowel: str


@dataclass(frozen=True)
class Sounds:
    """A word as sounds: its syllables, the consonants after the last, and which syllable is stressed."""

    syllables: tuple[Syllable, ...]
    coda: str
    stress: int


def sounds_of(word: str) -> Sounds:
    """Return the sounds of a word in small letters, without hyphens or apostrophes."""
    syllables: list[Syllable] = []
    onset, at, stress = "", 0, -1
    while at < len(word):
        if _is_vowel(word, at):
            vowel, length, glide = _nucleus(word, at)
            if any(letter in _ACCENTED for letter in word[at : at + length]):
                stress = len(syllables)
            syllables.append(Syllable(onset + glide, vowel))
            onset, at = "", at + length
        else:
            phonemes, length = _consonant(word, at)
            onset, at = onset + phonemes, at + length
    if stress < 0:
        weak = re.search(r"(?:[bcdfgkpt][rl]|rr)[iu][aeo][ns]?$", word) is not None  # "industria", "barrio"
        stress = max(0, _usual_stress(word, len(syllables) - weak))
    return Sounds(tuple(syllables), onset, stress)


def _usual_stress(word: str, count: int) -> int:
    """Return the stressed syllable of a word without an accent: the last but one before a vowel, n or s."""
    if count < 2:
        return 0
    return count - 2 if re.search(r"(?:[aeiou]|[aeiou][ns])$", word) else count - 1


def _is_vowel(word: str, at: int) -> bool:
    if word[at] == "y":
        return not (word[at + 1 : at + 2] and word[at + 1] in _SPANISH_VOWEL_LETTERS)
    return word[at] in _SPANISH_VOWEL_LETTERS


def _nucleus(word: str, at: int) -> tuple[str, int, str]:
    """Return the phoneme of the vowel at a place, the letters that it takes, and the glide before it."""
    glide, start = "", at
    follows = word[at + 1 : at + 2]
    if word[at] in "iuü" and follows and follows in _SPANISH_VOWEL_LETTERS and follows not in "íú" + word[at]:
        if not _AFTER_CLUSTER.search(word[:at]):
            glide = "j" if word[at] == "i" else "w"
            at += 1
    vowel = _plain(word[at])
    after = _plain(word[at + 1]) if at + 1 < len(word) and word[at + 1] in "iuy" else ""
    after = (
        "i" if after == "y" and not (at + 2 < len(word) and word[at + 2] in _SPANISH_VOWEL_LETTERS) else after
    )
    closes = after and vowel in "aeo" and not (at + 2 < len(word) and word[at + 2] in _SPANISH_VOWEL_LETTERS)
    if closes and vowel + after in _FALLING:
        return _FALLING[vowel + after], at + 2 - start, glide
    if vowel == "u" and not glide and word[at + 1 :] == "y":
        return "uj", 2, glide
    return vowel, at + 1 - start, glide


def _plain(letter: str) -> str:
    letter = _ACCENTED.get(letter, _FOREIGN_VOWELS.get(letter, letter))
    return {"ü": "u"}.get(letter, letter)


def _consonant(word: str, at: int) -> tuple[str, int]:
    if word[at] == "y":
        return "ʝ", 1
    for pattern, phonemes in _SPANISH_SPELLINGS:
        if match := pattern.match(word, at):
            return match.expand(phonemes), len(match[0])
    return "", 1

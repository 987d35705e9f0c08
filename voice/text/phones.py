"""Phones given by hand, in ARPAbet or IPA → the phoneme alphabet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from voice.errors import TextError
from voice.text import alphabet

ARPABET_VOWELS = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "W", "AX": "ə", "AXR": "əɹ", "AY": "I", "EH": "ɛ",
    "ER": "ɜɹ", "EY": "A", "IH": "ɪ", "IX": "ᵻ", "IY": "i", "OW": "O", "OY": "Y", "UH": "ʊ", "UW": "u",
    "UX": "u",
}  # fmt: skip
ARPABET_CONSONANTS = {
    "B": "b", "CH": "ʧ", "D": "d", "DH": "ð", "DX": "T", "EL": "ᵊl", "EM": "ᵊm", "EN": "ᵊn", "F": "f",
    "G": "ɡ", "HH": "h", "HV": "h", "JH": "ʤ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "P": "p",
    "Q": "ʔ", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "V": "v", "W": "w", "WH": "w", "Y": "j",
    "Z": "z", "ZH": "ʒ",
}  # fmt: skip
MOST_PHONES = 150  # phones at once: a voice speaks them in one go
STRESS = {"0": "", "1": alphabet.PRIMARY_STRESS, "2": alphabet.SECONDARY_STRESS}
UNSTRESSED = {"AH": "ə", "ER": "əɹ"}
_ENDINGS = (
    (r"(?<=[^ɹjwAIOQWYæɑəɛɔɪiʊu])əl(?=z?$)", "ᵊl"), (r"(?<=[tdT])[ɪə](?=d$)", "ᵻ"),
    (r"(?<=[szʃʒʧʤ])[ɪə](?=z$)", "ᵻ"), (r"(?<=t)ən(?=\w?$)", "ᵊn"),
)  # fmt: skip
_PHONE = re.compile(r"([A-Z]+)([012])?")

_IPA = {  # longest first where one begins another
    "t͡ʃ": "ʧ", "d͡ʒ": "ʤ", "tʃ": "ʧ", "dʒ": "ʤ", "eɪ": "A", "eɪ̯": "A", "aɪ": "I", "oʊ": "O", "əʊ": "O",
    "aʊ": "W", "ɔɪ": "Y", "ɝ": "ɜɹ", "ɚ": "əɹ", "ɜ": "ɜ", "l̩": "ᵊl", "n̩": "ᵊn", "m̩": "ᵊm", "ɫ": "l",
    "g": "ɡ", "r": "ɹ", "ɾ": "T", "ɒ": "ɑ", "e": "ɛ", "a": "æ", "o": "O", "ɐ": "ə", "ʍ": "w", "'": "ˈ",
}  # fmt: skip
_UNSPOKEN_IPA = "ː.ˑ͡‿̯"  # length, syllables and ties say nothing that the alphabet can say
_OTHER_ACCENTS = frozenset("Qaeoɐɒɚrxɾ")  # in the alphabet, but not what American English is written with
_ACCEPTED = frozenset(alphabet.VOWELS + alphabet.CONSONANTS + alphabet.STRESSES + " ") - _OTHER_ACCENTS
_IPA_TOKEN = re.compile("|".join(sorted(map(re.escape, _IPA), key=len, reverse=True)) + "|.", re.DOTALL)


def is_arpabet(text: str) -> bool:
    """Tell whether `text` is nothing but phones of ARPAbet."""
    return bool(text.split()) and all(map(_is_phone, text.split()))


def looks_like_arpabet(text: str) -> bool:
    """Tell whether `text` was meant as phones: all capitals, with a stress or nearly all of them known."""
    tokens = text.split()
    if not tokens or not all(re.fullmatch(r"[A-Z]{1,3}\d?", token) for token in tokens):
        return False
    stressed = any(token[-1].isdigit() and token[:-1] in ARPABET_VOWELS for token in tokens)
    return stressed or sum(map(_is_phone, tokens)) * 4 > len(tokens) * 3


def _is_phone(token: str) -> bool:
    match = _PHONE.fullmatch(token)
    if match is None:
        return False
    return match[1] in ARPABET_VOWELS or (match[1] in ARPABET_CONSONANTS and not match[2])


def from_arpabet(text: str) -> str:
    """Turn 'HH AH0 L OW1' into 'həlˈO'. Raises TextError for what is no phone.

    A stress mark stands before its vowel; t between vowels becomes the American flap.
    """
    tokens = text.split()
    unknown = [token for token in tokens if not _is_phone(token)]
    if len(tokens) > MOST_PHONES:
        raise TextError(f"more than {MOST_PHONES} phones at once; divide them")
    if unknown or not tokens:
        names = " ".join(dict.fromkeys(unknown)) or "nothing"
        known = " ".join([*ARPABET_VOWELS, *ARPABET_CONSONANTS])
        raise TextError(f"{names}: no phone of ARPAbet; there are {known}, vowels with a stress 0, 1 or 2")
    phones = [(match[1], match[2]) for match in map(_PHONE.fullmatch, tokens) if match]
    joined = "".join(_phoneme_of(name, stress) for name, stress in _flap(phones))
    if not any(stress for _, stress in phones):
        joined = _stress_single_vowel(joined)
    for pattern, ending in _ENDINGS:  # written as the reader of text does
        joined = re.sub(pattern, ending, joined)
    return joined


def _phoneme_of(name: str, stress: str | None) -> str:
    if name in ARPABET_CONSONANTS:
        return ARPABET_CONSONANTS[name]
    stress = "0" if stress is None else stress
    return STRESS[stress] + (
        UNSTRESSED.get(name, ARPABET_VOWELS[name]) if stress == "0" else ARPABET_VOWELS[name]
    )


def _flap(phones: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """Make a flap of T after a vowel or R and before an unstressed vowel, but not in 'button'."""
    found = list(phones)
    for i in range(1, len(phones) - 1):
        before, (after, stress), last = phones[i - 1][0], phones[i + 1], phones[i + 2 : i + 3]
        opens = (
            (before in ARPABET_VOWELS or before == "R") and after in ARPABET_VOWELS and stress in (None, "0")
        )
        if phones[i][0] == "T" and opens and not (after == "AH" and last and last[0][0] == "N"):
            found[i] = ("DX", None)
    return found


def _stress_single_vowel(word: str) -> str:
    """Put the stress of a word with one full vowel there, which dictionaries do not write."""
    vowels = [i for i, phoneme in enumerate(word) if phoneme in alphabet.VOWELS]
    if len(vowels) != 1 or word[vowels[0]] in "əᵊᵻ" or set(word) & set(alphabet.STRESSES):
        return word
    return word[: vowels[0]] + alphabet.PRIMARY_STRESS + word[vowels[0] :]


def from_ipa(text: str) -> str:
    """Turn 'həˈloʊ' into 'həlˈO'; spaces may divide words. Raises TextError for what it cannot say."""
    if len(text) > 2 * MOST_PHONES:
        raise TextError(f"more than {2 * MOST_PHONES} characters of IPA at once; divide them")
    found = [_IPA.get(match[0], match[0]) for match in _IPA_TOKEN.finditer(" ".join(text.split()))]
    phonemes = "".join(part for part in found if part not in _UNSPOKEN_IPA)
    phonemes = re.sub("ɜ(?!ɹ)", "ɜɹ", phonemes)
    unknown = sorted(set(phonemes) - _ACCEPTED)
    if unknown or not set(phonemes) - {*alphabet.STRESSES, " "}:
        names = " ".join(unknown) or "nothing"
        raise TextError(f"{names} in {text!r} is no sound of American English in IPA")
    onset = f"([{alphabet.STRESSES}])([^{alphabet.VOWELS}{alphabet.STRESSES} ]*)(?=[{alphabet.VOWELS}])"
    phonemes = re.sub(onset, r"\2\1", phonemes)  # a stress mark before the syllable moves to its vowel
    return " ".join(map(_stress_single_vowel, phonemes.split()))


# The alphabets of phones that markup names.
ALPHABETS: Mapping[str, Callable[[str], str]] = {
    "ipa": from_ipa,
    **dict.fromkeys(("cmu", "x-cmu", "arpabet", "x-arpabet", "cmu-arpabet"), from_arpabet),
}

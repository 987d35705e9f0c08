"""Spanish words → phonemes, in the context of their sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice.text.spanish.sounds import Sounds, sounds_of
from voice.text.verbalization.marks import PHRASE_END, SPOKEN_PART, closing_marks, letters_of, opening_marks

# Words without stress inside a phrase; those in _SPANISH_SECONDARY keep a secondary one.
_SPANISH_WEAK = frozenset(
    "el la los las lo le les me te se nos os mi mis tu tus su sus de del a al en con por que si y e o u ni"
    " sin".split()
)
_SPANISH_SECONDARY = frozenset(
    "cuando donde pero para entre como porque aunque desde hasta sobre contra según hacia mientras pues"
    " cual".split()
)
_SPANISH_EXCEPTIONS = {
    "y": "ˈi", "méxico": "mˈexiko", "mexicano": "mˌexikˈano", "mexicana": "mˌexikˈana",
    "mexicanos": "mˌexikˈanos", "mexicanas": "mˌexikˈanas", "texas": "tˈexas", "oaxaca": "waxˈaka",
    "facebook": "fˈAsβuk", "google": "ɡˈuɣəl", "twitter": "twˈiteɾ", "software": "sˈoftweɾ",
    "luis": "lˈuis", "internet": "ˌinteɾnˈet", "online": "onlˈIn", "whatsapp": "wˈatsap",
    "youtube": "ʝˈutuβ", "email": "imˈeɪl", "marketing": "mˈaɾketin",
}  # fmt: skip
_SPANISH_VOWELS = "aeiouɛIAWOYɪʊ"
_WEAK = {"b": "β", "d": "ð", "ɡ": "ɣ"}


def pronounce(words: Sequence[str]) -> list[str]:
    """Return the phonemes of each word of a sentence with its punctuation, "" for a word without sound."""
    spoken = [_pronounce_word(word) for word in words]
    alone = sum(map(bool, spoken)) == 1
    result: list[str] = []
    before = ""  # the last sound of the phrase so far, "" at its beginning
    for index, (word, phonemes) in enumerate(zip(words, spoken, strict=True)):
        plain = letters_of(word)
        ends = index + 1 == len(words) or PHRASE_END.search(word) is not None
        if not alone and not (ends and not before):
            phonemes = _in_phrase(plain, phonemes)
        following = "" if ends else next((each for each in spoken[index + 1 :] if each), "")
        phonemes = _assimilate(_soften(phonemes, before, following), following)
        before = "" if ends else (phonemes[-1:] or before)
        result.append(opening_marks(word) + phonemes + closing_marks(word))
    return result


def _pronounce_word(word: str) -> str:
    """Return the phonemes of a word by itself, its parts joined."""
    parts = SPOKEN_PART.findall(word.lower())
    return "".join(_pronounce_part(part) for part in parts)


def _pronounce_part(word: str) -> str:
    if word in _SPANISH_EXCEPTIONS:
        return _SPANISH_EXCEPTIONS[word]
    stem = word.removesuffix("mente")
    if stem != word and len(stem) > 2 and re.search("[aeiouáéíóú]", stem):
        return _write(sounds_of(stem)) + "mˈente"
    return _write(sounds_of(word))


def _write(sounds: Sounds) -> str:
    """Write sounds down with their stresses: the primary one, and secondary ones on every other before it."""
    written = ""
    for index, syllable in enumerate(sounds.syllables):
        mark = "ˈ" if index == sounds.stress else ""
        if index < sounds.stress - 1 and index % 2 == 0:
            mark = "ˌ"
        written += syllable.onset + mark + syllable.vowel
    return _open_e(written + sounds.coda)


def _open_e(phonemes: str) -> str:
    return re.sub(r"ˈe(?=n[tdθsɡ])", "ˈɛ", phonemes)


def _in_phrase(word: str, phonemes: str) -> str:
    if word in _SPANISH_WEAK:
        return phonemes.replace("ˈ", "")
    if word in _SPANISH_SECONDARY:
        return phonemes.replace("ˈ", "ˌ")
    return phonemes


def _soften(phonemes: str, before: str, following: str) -> str:
    """Make fricatives of b, d and ɡ, but not after a pause or a nasal, and before few consonants."""
    written, last = "", before
    sounds = phonemes + following
    for index, phoneme in enumerate(phonemes):
        after = sounds[index + 1 :].lstrip("ˈˌ")[:1]
        if phoneme in _WEAK and last and last not in "nmɲŋ" and _weakens(phoneme, after):
            phoneme = _WEAK[phoneme]
        written += phoneme
        if phoneme not in "ˈˌ":
            last = phoneme
    return written


def _weakens(phoneme: str, after: str) -> bool:
    """Tell whether b, d or ɡ becomes a fricative before the sound `after`."""
    return bool(after) and (after in _SPANISH_VOWELS + "jwɾl" or (phoneme == "b" and after in "xsθ"))


def _assimilate(phonemes: str, following: str) -> str:
    """Let n take the place of the consonant after it, in the next word too."""
    joined = phonemes + "|" + following.lstrip("ˈˌ")[:1]
    joined = re.sub(r"n(?=\|?[bpβf])", "m", joined)
    joined = re.sub(r"n(?=\|?x|ɡ)", "ŋ", joined)
    return joined.rpartition("|")[0]

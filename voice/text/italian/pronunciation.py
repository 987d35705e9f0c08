"""Italian words → phonemes, in the context of their sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice.text.italian.marks import mark
from voice.text.italian.sounds import phonemes_of
from voice.text.verbalization.marks import PHRASE_END, closing_marks, opening_marks

# Words without stress inside a phrase; those in _ITALIAN_SECONDARY keep a secondary one.
_ITALIAN_WEAK = frozenset(
    "di che il la in non un per del le si con da ma al ha più se nel mi lo gli ho ci su ad dal ti ed"
    " tra ai sul"
    " ne me chi mai hai dai vi te tu de li quel fu col fra ce i è e o a".split()
)
_ITALIAN_SECONDARY = frozenset(
    "una della sono come dei alla anche delle questo era questa hanno suo loro perché sia sua dalla"
    " degli alle"
    " senza ogni mio mia sulla sei quella noi questi lui siamo contro mentre abbiamo suoi aveva dalle"
    " sarà tuo"
    " dello queste sarebbe nostro agli oltre alcuni nessuno tua verso lei sui nostra quelle sue sulle"
    " vuole allo"
    " miei pure alcune avrebbe nostri saranno buon dagli avevo vostri".split()
)
_ITALIAN_EXCEPTIONS = {
    "dei": "dˈA", "quei": "kwˈA", "gli": "ʎˈɪ", "sui": "sˈui", "insieme": "insɪˈɛme",
    "computer": "kompjˈuter",
    "ottobre": "ˌɔtːˈobre", "paura": "paˈʊra", "buon": "bwˈɔn", "online": "ˌonlˈIn", "facebook": "fˈAsbʊk",
    "google": "ɡˈuːɡəl", "twitter": "twˈitːer", "email": "ˈemIl", "social": "sˈoʧal", "link": "lˈiŋk",
    "club": "klˈaːb", "software": "sˈɔftwer", "leader": "lˈider", "youtube": "jʊːtjˈuːb", "team": "tˈiːm",
    "web": "wˈɛb", "ok": "okˈɛi", "stasera": "stˌasˈera", "news": "njˈuːz", "chat": "ʧˈat", "show": "ʃˈow",
}  # fmt: skip


def pronounce(words: Sequence[str]) -> list[str]:
    """Return the phonemes of each word of a sentence with its punctuation, "" for a word without sound."""
    spoken = [_pronounce_word(word) for word in words]
    alone = sum(map(bool, spoken)) == 1
    result: list[str] = []
    for index, (word, phonemes) in enumerate(zip(words, spoken, strict=True)):
        is_last = index + 1 == len(words) or PHRASE_END.search(word) is not None
        if not alone and not is_last:
            phonemes = _in_phrase(word, phonemes)
        result.append(opening_marks(word) + phonemes + closing_marks(word))
    return result


def _in_phrase(word: str, phonemes: str) -> str:
    """Return a small word as it sounds before others."""
    plain = word.lower().strip("\"'’(“")
    if plain in _ITALIAN_SECONDARY:
        return _weaken_u(phonemes.replace("ˈA", "ˈeɪ").replace("ˈ", "ˌ"))
    if plain not in _ITALIAN_WEAK:
        return phonemes
    weak = {"ɛ": "e", "ɔ": "o"}
    said = re.sub("ˈ([ɛɔ])", lambda match: weak[match[1]], phonemes).replace("ˈ", "").replace("u", "ʊ")
    return re.sub("(?<=.)i$", "ɪ", said)


def _weaken_u(phonemes: str) -> str:
    return phonemes.replace("ˌu", "ˌʊ")


def _pronounce_word(word: str) -> str:
    """Return the phonemes of a word by itself; an elided article is part of the word after it."""
    *elided, last = re.findall(r"[^\W\d_]+", word.lower()) or [""]
    if not last:
        return ""
    is_joined = re.search(r"[’']\w", word) is not None
    parts = [_without_vowel(part) if is_joined else _pronounce_part(part) for part in elided]
    return "".join([*parts, _pronounce_part(last)])


def _pronounce_part(word: str) -> str:
    return _ITALIAN_EXCEPTIONS.get(word) or phonemes_of(mark(word))


def _without_vowel(word: str) -> str:
    """Return 'l', 'un', 'dell' before an apostrophe: without stress, and with one l."""
    return re.sub(r"ll$", "l", _in_phrase("di", phonemes_of(word)))

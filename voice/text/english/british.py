"""American phonemes → British ones, for words that the British lexicon lacks: names, corrections, readings.

The lexicon of hibari's reader has some 170,000 words as Kokoro's British voices were trained on them; these
rules stand in for others. They know the vowels that both accents pronounce by rule (no r but before a vowel,
the vowels of "go", "nurse", "square", "tune"); of two American mergers, "lot" with "palm" and "cloth" with
"thought", the spelling tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from voice.text.english.numbers import ONES, SCALES, TENS, ordinal
from voice.text.language import Chunk, NormalizedText
from voice.text.verbalization.rule import one_of

_ORDINALS = [ordinal(n) for n in range(1, 100)]
_BELOW_HUNDRED = re.compile(
    rf"(?:(?:{one_of(filter(None, TENS))})-)?(?:{one_of(filter(None, [*ONES, *TENS]))})[^\w]*"
    rf"|(?:{one_of(_ORDINALS)})[^\w]*"
)
_ANY_VOWEL_SOUND = "AIOQWYaeiouæɑɐɒɔəɚɛɜɪʊʌᵻᵊ"
_STRESSED_OR_NOT = "[ˈˌ]?"
_SIMPLE = str.maketrans({"T": "t", "ɾ": "t", "O": "Q", "æ": "a", "ᵻ": "ɪ"})
# An r that is not before a vowel, and the vowel before it.
_WITHOUT_R = {
    "ɜ": "ɜː",
    "ə": "ə",
    "ɑ": "ɑː",
    "ɔ": "ɔː",
    "ɪ": "ɪə",
    "i": "ɪə",
    "ɛ": "ɛː",
    "ʊ": "ʊə",
    "u": "ʊə",
}
_BEFORE_VOWEL = {"ɜ": "ɜː", "ɑ": "ɑː", "ɔ": "ɒ", "i": "ɪə", "u": "ʊə", "ʊ": "ʊə"}
_BEFORE_R = re.compile(rf"([ɜəɑɔɪiɛʊu])ɹ(?={_STRESSED_OR_NOT}([{_ANY_VOWEL_SOUND}])|)")
_YOD = re.compile(r"(?<=[tdn])(?=[ˈˌ]?u)")
_LONG = re.compile(r"([ˈˌ]?)([iu])(?!ː)(?=(.?))")


def with_and(text: NormalizedText) -> NormalizedText:
    """Return the words of a sentence with "and" after the hundreds of figures: "two hundred and five"."""
    chunks: list[Chunk] = []
    for i, chunk in enumerate(text.chunks):
        if _takes_and(text.chunks, i):
            chunks.append(Chunk("and", chunk.start, chunk.end))
        chunks.append(chunk)
    return replace(text, chunks=tuple(chunks))


def _takes_and(chunks: Sequence[Chunk], at: int) -> bool:
    """Tell whether a word is what remains below a hundred in a figure that was written in digits."""
    last, this, after = chunks[at - 1] if at > 1 else None, chunks[at], chunks[at + 1 : at + 2]
    if last is None or (last.start, last.end) != (this.start, this.end):
        return False
    if last.text not in ("hundred", *SCALES[1:]) or not _BELOW_HUNDRED.fullmatch(this.text):
        return False
    if last.text == "hundred":
        return True
    return not after or after[0].start != this.start or not after[0].text.startswith(("hundred", *SCALES[1:]))


def to_british(phonemes: str, word: str) -> str:
    """Return the British phonemes of a `word` whose American ones are given."""
    word = word.lower()
    if re.search(r"(?:[tdn]|^)(?:u|ew|eu)", word) and not re.search("oo", word):
        phonemes = _YOD.sub("j", phonemes)
    phonemes = _BEFORE_R.sub(_without_r, phonemes)
    phonemes = "".join(
        _split(char, i, phonemes, word) if char in "ɑɔ" and phonemes[i + 1 : i + 2] != "ː" else char
        for i, char in enumerate(phonemes)
    )
    return _LONG.sub(_lengthen, phonemes).translate(_SIMPLE)


def _without_r(match: re.Match[str]) -> str:
    vowel = match[1]
    return f"{_BEFORE_VOWEL.get(vowel, vowel)}ɹ" if match[2] else _WITHOUT_R[vowel]


def _split(vowel: str, at: int, phonemes: str, word: str) -> str:
    """Tell "lot" from "palm" and "cloth" from "thought" by the letter that stands in the same place."""
    share = (at + 0.5) / len(phonemes)
    places = [(abs((i + 0.5) / len(word) - share), i) for i, letter in enumerate(word) if letter in "aou"]
    i = min(places)[1] if places else 0
    letters = word[i : i + 2]
    if vowel == "ɑ":
        return "ɒ" if letters[:1] == "o" or phonemes[:at].rstrip("ˈˌ").endswith("w") else "ɑː"
    return "ɒ" if letters[:1] == "o" and letters not in ("ou", "oa", "or") else "ɔː"


def _lengthen(match: re.Match[str]) -> str:
    """Lengthen the vowels of "fleece" and "goose", but not those of "happy" and "area"."""
    stress, vowel, after = match[1], match[2], match[3]
    if vowel == "i" and not stress and not after:
        return vowel
    return stress + ("ɪ" if vowel == "i" and not stress and after in _ANY_VOWEL_SOUND else vowel + "ː")

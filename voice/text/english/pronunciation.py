"""Normalized text → phonemes, word for word, by hibari's lexicons, tagger and letter-to-sound network."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

from voice.text.alphabet import has_sound
from voice.text.english.british import to_british
from voice.text.english.heteronyms import ReaderToken, read_homographs
from voice.text.english.homographs import open_model
from voice.text.language import LETTER
from voice.text.phones import from_arpabet


@lru_cache(maxsize=2)
def _reader(british: bool = False) -> Any:
    from hibari.g2p import G2P

    reader = G2P(british=british)
    if british:
        reader.lexicon.golds.d["Z"] = "zˈɛd"  # where the lexicon has the American name
    return reader


def prepare(british: bool = False) -> None:
    """Load what reading needs (a third of a second) before the first sentence asks for it."""
    _reader(british).oov("ready")
    _corrections()
    open_model()
    alphabet()


@lru_cache(maxsize=1)
def _corrections() -> dict[str, str]:
    """Return {word: phonemes} where the reader's entry or guess is wrong; small letters stand for both.

    `names.txt` is made by recipes/names, `corrections.txt` is kept by hand, in phones of CMUdict.
    """
    folder = Path(__file__).parent
    lines = (folder / "names.txt").read_text(encoding="utf-8").splitlines()
    found = dict(line.split(" ", 1) for line in lines)
    for line in (folder / "corrections.txt").read_text(encoding="utf-8").splitlines():
        word, _, phones = line.partition(" ")
        if phones and word != "#":
            found[word] = from_arpabet(phones)
    return found


def is_word(word: str) -> bool:
    """Tell whether `word`, in small letters, is known."""
    from hibari.g2p import Context

    lexicon = _reader().lexicon
    return (
        word in lexicon.golds
        or word in _corrections()
        or lexicon.get_word(word, "NN", None, Context())[0] is not None
    )


@lru_cache(maxsize=1)
def alphabet() -> dict[str, int]:
    """Return every phoneme character with its id in the models that share hibari's table; 0 is the pad."""
    import hibari

    path = Path(hibari.__file__).parent / "assets" / "vocab.json"
    ids: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return ids


def pronounce(chunks: Sequence[str], british: bool = False) -> list[str]:
    """Return the phonemes of each chunk (word) of a sentence, read in the context of all of it.

    They are American, or `british`. Chunks hold letters, apostrophes, hyphens and punctuation, no spaces (see
    `normalization`). A chunk without sound gives an empty string.
    """
    named = {at for at, chunk in enumerate(filter(None, chunks)) if LETTER in chunk}
    chunks = [chunk.replace(LETTER, "") for chunk in chunks]
    chunks = [_without_accents(chunk) for chunk in chunks]
    chunks = recase(chunks)
    words = [chunk for chunk in chunks if chunk]
    if not words:
        return [""] * len(chunks)
    read = _chunk_phonemes(" ".join(words), british)
    if len(read) != len(words):  # a token swallowed a space: give up the context
        read = ["".join(_chunk_phonemes(chunk, british)) for chunk in words]
    known = alphabet()
    clean = (
        "".join(c for c in phonemes.strip() if c in known)
        for phonemes in _spell_letters(words, read, named, british)
    )
    sound = iter(
        _pronounce_or_spell(chunk, phonemes, british) for chunk, phonemes in zip(words, clean, strict=True)
    )
    return [next(sound) if chunk else "" for chunk in chunks]


def _without_accents(chunk: str) -> str:
    """Return an accented word without its accents, where the lexicon knows it only so."""
    if chunk.isascii():
        return chunk
    plain = "".join(c for c in unicodedata.normalize("NFKD", chunk) if not unicodedata.combining(c))
    found, bare = _WORD.search(chunk), _WORD.search(plain)
    if not found or not bare or not plain.isascii():
        return chunk
    word, bare_word = found[0].lower(), bare[0].lower()
    if bare_word in _corrections() or (not _SPOKEN_END.search(word) and is_word(bare_word)):
        return plain
    return chunk


_SPOKEN_END = re.compile("é(?:es?|s)?$")  # "résumé" and "rosé" are other words than "resume" and "rose"
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def recase(chunks: Sequence[str]) -> list[str]:
    """Return chunks without quotes, which are not heard, and words in capitals in small letters."""
    return lower_words([chunk.replace('"', "") for chunk in chunks], is_word)


def tag_words(text: str, british: bool = False) -> list[ReaderToken]:
    """Return the tokens of spoken words, separated by spaces, with their parts of speech."""
    tokens: list[ReaderToken] = _reader(british).tokenize(text)
    return tokens


def _pronounce_or_spell(chunk: str, phonemes: str, british: bool) -> str:
    """Return `phonemes`, or the names of the letters, without accents, if the reader made none of a word."""
    if has_sound(phonemes) or not any(c.isalpha() for c in chunk):
        return phonemes
    plain = (c for c in unicodedata.normalize("NFKD", chunk).upper() if c.isascii() and c.isalpha())
    return " ".join(_reader(british).lexicon.golds.get(c) for c in plain) + phonemes


def _chunk_phonemes(text: str, british: bool) -> list[str]:
    """Return the phonemes of each space-separated chunk, as the reader's tokens give them."""
    reader = _reader(british)
    tokens = tag_words(text, british)
    _correct(tokens, reader.lexicon)
    groups, current = [], ""
    for token in reader.phonemize_tokens(tokens):
        current += token.phonemes or ""
        if token.whitespace:
            groups.append(current)
            current = ""
    return [*groups, current]


def _correct(tokens: Sequence[ReaderToken], lexicon: Any) -> None:
    """Give the tokens of known misreadings their phonemes, before a possessive too."""
    corrections, chosen = _corrections(), read_homographs(tokens, lexicon.golds)
    for i, token in enumerate(tokens):
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        phonemes = chosen.get(i) or corrections.get(token.text) or corrections.get(token.text.lower())
        if phonemes and lexicon.british:
            phonemes = _british(token.text, phonemes, i in chosen)
        if after is not None and token.text.lower() == "ai" and after.text.lower() in ("n't", "nt"):
            phonemes, after.phonemes, after.rating = corrections["ain't"], "", 5  # alike in both accents
        if not phonemes:
            continue
        before = tokens[i - 1] if i else None
        if after is not None and not token.whitespace and after.text == "'s":
            phonemes, after.phonemes, after.rating = lexicon._s(phonemes), "", 5
        apart = " " if before is not None and not before.whitespace and before.text == "-" else ""
        token.phonemes, token.rating = apart + phonemes, 5


@lru_cache(maxsize=4096)
def _british(word: str, american: str, is_chosen: bool) -> str | None:
    """Return the British phonemes of a word with American ones, None to leave it to the British lexicon.

    Of the readings of a homograph, the lexicon's most similar one is meant.
    """
    lexicon = _reader(british=True).lexicon
    entry = lexicon.golds.get(word) or lexicon.golds.get(word.lower()) or lexicon.silvers.get(word.lower())
    by_rule = to_british(american, word)
    if entry is None or not is_chosen:
        return by_rule if entry is None else None
    readings = dict.fromkeys(filter(None, entry.values())) if isinstance(entry, dict) else [entry]
    nearest: str = min(readings, key=lambda each: SequenceMatcher(None, each, by_rule).quick_ratio() * -1)
    return nearest if SequenceMatcher(None, nearest, by_rule).ratio() > _ALIKE else by_rule


_ALIKE = 0.75  # of two readings in phonemes: they mean the same
_LETTER_CHUNK = re.compile(r"(\(*)([A-Z])((?:'s)?[,.;:!?…)]*)")


def _spell_letters(chunks: list[str], read: list[str], named: set[int], british: bool) -> list[str]:
    """Give letters that are spelled one after the other their names, with stress on the last.

    'A' is among them, which the reader takes for the article; those `named` are letters for certain.
    """
    letters = [_LETTER_CHUNK.fullmatch(chunk) for chunk in chunks]
    spelled = list(read)
    for i, letter in enumerate(letters):
        if not letter:
            continue
        last = letters[i - 1] if i else None
        joins_last = last is not None and not last[3]
        joins_next = i + 1 < len(letters) and letters[i + 1] and not letter[3]
        if joins_last or joins_next or (letter[2] == "A" and (i in named or _names_letter(chunks, i))):
            name = _reader(british).lexicon.golds.get(letter[2])
            ending = letter[3].replace("'s", "z")
            spelled[i] = letter[1] + (name.replace("ˈ", "ˌ") if joins_next else name) + ending
    return spelled


def _names_letter(chunks: list[str], i: int) -> bool:
    """Tell whether a capital 'A' is a letter: before a stop, or among words in small letters."""
    following = "".join(chunks[i + 1 : i + 2])
    if chunks[i][-1] != "A" or not following:
        return True
    return i > 0 and chunks[i - 1][-1].isalpha() and following.islower()


# Words of two and three letters that are never meant as letters, where all around them is in capitals.
_SHORT_WORDS = frozenset(
    "ah am an as at be by do go ha he hi if in is it me my no of oh on or ox so to up us we ye add age ago"
    " aid air all and any are arm art ask ate bad bag ban bar bat bed bet big bit boy bus but buy can car cat"
    " cow cry cup cut dad day did die dig dog dry due ear eat egg end eye fan far fat few fit fix fly for fox"
    " fun"
    " gas get god got gun guy had has hat her hey him his hit hot how ice ill its jar job joy key kid law lay"
    " leg let lie lip lot low mad man map may men met mix mom mud net new nor not now nut odd off oil old one"
    " our out own pan pay pen pet pie pig pin pot put raw red rid row run sad sat saw say sea see set sex she"
    " shy sir sit six sky son sun tax tea ten the tie tin tip toe too top toy try two use van via war was way"
    " web wet who why win wit won yes yet you zoo".split()
)
# … and where the others are not: words that are stressed, never short for anything.
_STRESSED = frozenset(
    "at be but by can do for go had has he her him his how if is its may me my no not of off on out she so"
    " the this that to two up was we were what when who why will with would you your yes all and any are as"
    " an".split()
)
_WORD_IN_CHUNK = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def lower_words(chunks: Sequence[str], is_word: Callable[[str], bool]) -> list[str]:
    """Return `chunks`, those that are words in small letters; `is_word` knows a word in small letters."""
    bare = [match[0] if (match := _WORD_IN_CHUNK.search(chunk)) else "" for chunk in chunks]
    shouted = sum(len(word) > 1 for word in bare) > 1 and all(word.isupper() for word in bare if word)
    recased = []
    for i, (chunk, word) in enumerate(zip(chunks, bare, strict=True)):
        if shouted and word == "A" and chunk == "A" and len("".join(bare[i + 1 : i + 2])) > 1:
            chunk = "a"
        elif word.isupper() and len(word) > 1 and not (word == "US" and bare[i - 1 : i] == ["THE"]):
            chunk = chunk.replace(word, _recase(word, shouted, is_word), 1)
        recased.append(chunk)
    return recased


def _recase(word: str, shouted: bool, is_word: Callable[[str], bool]) -> str:
    stem, apostrophe, ending = word.lower().replace("’", "'").partition("'")
    if len(stem) < 4:
        sayable = stem in (_SHORT_WORDS if shouted else _STRESSED)
    else:
        sayable = stem in _STRESSED or is_word(stem) or (len(stem) > 4 and _looks_sayable(stem))
    if sayable or (shouted and apostrophe and is_word(word.lower().replace("’", "'"))):
        return word.lower()
    return word if not apostrophe else word[: len(stem)] + apostrophe + ending


def _looks_sayable(word: str) -> bool:
    """Tell whether the letters of an unknown word can be said as one, like the letters of a name."""
    vowels = sum(c in "aeiouy" for c in word)
    return vowels * 4 >= len(word) and not re.search(r"[^aeiouy]{4}|[^aeiouylrnsz]{3}|^[^aeiouy]{3}", word)

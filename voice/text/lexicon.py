"""A lexicon: the pronunciations of listed words, whatever the front end would make of them.

A text file with a word a line (`#` begins a comment):

    Nguyen = W IH1 N              # phones of ARPAbet, as in CMUdict
    Siobhan = /ʃɪˈvɔːn/           # the same in IPA
    sql = sequel                  # or other words

A word in lower case stands for all its spellings, one with capitals for itself alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from voice.errors import TextError
from voice.text.phones import MOST_PHONES, from_arpabet, from_ipa, is_arpabet, looks_like_arpabet
from voice.types import Pronunciation

LARGEST = 100_000  # words
LONGEST_NAME = 80  # characters of a word, or of several
LONGEST_WORDS = 400  # characters that one word is read as
_PHONES = re.compile(r"\[\[([^\[\]]+)\]\]")
# What a word can begin with: the letters up to its first other sign, or a sign.
_TOKEN = re.compile(r"\w+|[^\w\s]")


def read_lexicon(path: str | Path) -> dict[str, Pronunciation]:
    """Read the lexicon in a file of UTF-8. Raises TextError, with the number of the line that is wrong."""
    try:
        text = Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise TextError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextError(f"{path} is not text in UTF-8; save it as such") from error
    return parse_lexicon(text, str(path))


def parse_lexicon(text: str, name: str = "the lexicon") -> dict[str, Pronunciation]:
    """Parse the text of a lexicon; `name` is what errors call it."""
    found: dict[str, Pronunciation] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not line:
            continue
        try:
            word, pronunciation = _entry(line)
        except TextError as error:
            raise TextError(f"{name}, line {number}: {error}") from error
        if word in found:
            raise TextError(f"{name}, line {number}: {word} is already there; keep one of its lines")
        found[word] = pronunciation
    if len(found) > LARGEST:
        raise TextError(f"{name} has more than {LARGEST} words; keep those that are said wrongly")
    return found


def _entry(line: str) -> tuple[str, Pronunciation]:
    parts = re.fullmatch(r"(.+?)\s*(?:=|\t|\s{2})\s*(.+)", line)
    if not parts:
        raise TextError(f"{line!r} is not WORD = how it is said (phones, /IPA/ or other words)")
    return parse_entry(parts[1], parts[2])


def parse_entry(word: str, spoken: str) -> tuple[str, Pronunciation]:
    """Return a word, its spaces single, and its pronunciation. Raises TextError for no word or no phones."""
    word, spoken = " ".join(word.split()), spoken.strip()
    if not re.search(r"\w", word) or len(word) > LONGEST_NAME:
        raise TextError(f"{word[:20]!r} is no word, or has more than {LONGEST_NAME} characters")
    if not spoken:
        raise TextError(f"{word!r} has nothing that says how it is said")
    return word, parse_pronunciation(spoken)


def parse_pronunciation(spoken: str) -> Pronunciation:
    """Return what the right side of an entry means. Raises TextError for phones that are none."""
    if len(spoken) > LONGEST_WORDS:
        raise TextError(f"{spoken[:20]}… has more than {LONGEST_WORDS} characters; say it shorter")
    marked = _PHONES.fullmatch(spoken)
    if marked:
        return Pronunciation(phonemes=from_arpabet(marked[1]))
    if len(spoken) > 2 and spoken[0] == spoken[-1] == "/":
        return Pronunciation(phonemes=from_ipa(spoken[1:-1]))
    if any(c.isdigit() for c in spoken) and looks_like_arpabet(spoken):
        return Pronunciation(phonemes=from_arpabet(spoken))
    return Pronunciation(words=spoken)


def find_words(text: str, lexicon: Mapping[str, Pronunciation]) -> Iterator[tuple[int, int, Pronunciation]]:
    """Yield (start, end, pronunciation) of the words of `text` that are in `lexicon`, in order."""
    beginning, reached = _by_beginning(tuple(lexicon)), 0
    for token in _TOKEN.finditer(text):
        words = beginning.get(token[0].lower()) if token.start() >= reached else None
        match = _pattern(words).match(text, token.start()) if words else None
        if match is None:
            continue
        reached = match.end()
        word = " ".join(match[1].split())
        pronunciation = lexicon.get(word) or lexicon.get(word.lower())
        if pronunciation:
            yield match.start(), match.end(), _possessive(pronunciation) if match[2] else pronunciation


def _possessive(pronunciation: Pronunciation) -> Pronunciation:
    if pronunciation.words:
        return Pronunciation(words=pronunciation.words + "'s")
    last = pronunciation.phonemes[-1]
    return Pronunciation(
        pronunciation.phonemes + ("ᵻz" if last in "szʃʒʧʤ" else "s" if last in "ptkfθ" else "z")
    )


@lru_cache(maxsize=8)
def _by_beginning(words: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return words by their first token in small letters, so that a text is not compared with all of them."""
    found: dict[str, list[str]] = {}
    for word in words:
        token = _TOKEN.match(word)
        if token:
            found.setdefault(token[0].lower(), []).append(word)
    return {beginning: tuple(some) for beginning, some in found.items()}


@lru_cache(maxsize=1024)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern of any of `words`, the longest first, without a letter or figure beside it."""
    either = "|".join(
        f"(?i:{_with_any_spaces(word)})" if word == word.lower() else _with_any_spaces(word)
        for word in sorted(words, key=len, reverse=True)
    )
    return re.compile(rf"(?<!\w)({either})(?!\w)(['’]s(?!\w))?")


def _with_any_spaces(word: str) -> str:
    return r"\s+".join(re.escape(part) for part in word.split())


def find_phones(text: str) -> Iterator[tuple[int, int, Pronunciation | None]]:
    """Yield (start, end, pronunciation) of every `[[HH AH0 L OW1]]` in `text`, in order.

    The pronunciation is None for what was meant as phones and is not; other double brackets are left alone.
    """
    for match in _PHONES.finditer(text) if "[[" in text else ():
        if is_arpabet(match[1]) and len(match[1].split()) <= MOST_PHONES:
            yield match.start(), match.end(), Pronunciation(phonemes=from_arpabet(match[1]))
        elif looks_like_arpabet(match[1]):
            yield match.start(), match.end(), None

"""Written → spoken: figures, dates, money, addresses, abbreviations and symbols put into words.

Every rule sees the sentence as written and no rule sees another's output; the result keeps, for
each spoken chunk, the characters that it came from.
"""

from __future__ import annotations

import re
import unicodedata

from voice.text.english.characters import plain_forms, say_character
from voice.text.english.rule import TAKEN, Rule
from voice.text.language import Chunk, NormalizedText


def normalize(sentence: str) -> NormalizedText:
    """Return the words in which `sentence` is read aloud."""
    written, sentence = sentence, plain_forms(sentence)
    replaced = _replacements(sentence)
    pieces: list[tuple[str, int, int]] = []
    unread: list[tuple[int, str]] = []
    position, ends = 0, set()  # where replacements end: one that begins there is a word apart
    while position < len(sentence):
        if position in replaced:
            end, words = replaced[position]
            pieces += [(" ", position, end)] * (position in ends)
            pieces.append((_with_spaces(sentence, position, end, _as_readable(words)), position, end))
            ends.add(end)
        else:
            end = position + 1
            reading = say_character(sentence, position)
            if reading is None or (not reading and _marks_unread(sentence, position, unread)):
                unread.append((position, written[position]))
            pieces.append((" " if reading is None else reading, position, end))
        position = end
    return NormalizedText(_chunks(pieces), _runs(unread))


def _marks_unread(sentence: str, position: int, unread: list[tuple[int, str]]) -> bool:
    """Tell whether a character is an accent or a vowel sign on a letter that could not be read."""
    follows = bool(unread) and unread[-1][0] == position - 1
    return follows and unicodedata.category(sentence[position])[0] == "M"


def _as_readable(words: str) -> str:
    """Return the words of a rule; what they keep of the writing, accents or signs, becomes readable too."""
    return words if words.isascii() else "".join(say_character(words, i) or "" for i in range(len(words)))


def _with_spaces(sentence: str, start: int, end: int, words: str) -> str:
    """Return `words` with a space towards a letter or figure that they would otherwise run into."""
    before = " " if sentence[:start][-1:].isalnum() else ""
    return before + words + (" " if sentence[end : end + 1].isalnum() else "")


def _rules() -> tuple[Rule, ...]:
    from voice.text.english import abbreviations, addresses, amounts, dates, letters, measures, money

    return (
        *addresses.ADDRESS_RULES,
        *dates.DATE_RULES,
        *money.MONEY_RULES,
        *measures.LENGTH_RULES,
        *amounts.FRACTION_RULES,
        *measures.UNIT_RULES,
        *amounts.AMOUNT_RULES,
        *abbreviations.ABBREVIATION_RULES,
        *letters.LETTER_RULES,
        *amounts.FIGURE_RULES,
    )


def _replacements(sentence: str) -> dict[int, tuple[int, str]]:
    """Return {start: (end, spoken)} of every token that a rule reads; earlier rules go first."""
    found = {}
    rest = sentence.replace(TAKEN, " ")
    for pattern, say in _rules():
        for match in pattern.finditer(rest):
            start, end = match.span("token" if "token" in pattern.groupindex else 0)
            words = say(match) if end > start else None
            if words is not None:
                found[start] = (end, words)
                rest = rest[:start] + TAKEN * (end - start) + rest[end:]
    return found


def _chunks(pieces: list[tuple[str, int, int]]) -> tuple[Chunk, ...]:
    """Join characters and replacements into space-separated chunks, tidying their punctuation."""
    chunks: list[Chunk] = []
    text, start, end = "", 0, 0
    for reading, first, last in [*pieces, (" ", 0, 0)]:
        for char in reading:
            if char.isspace():
                for piece in _pieces(_tidy(text)):
                    _append(chunks, Chunk(piece, start, end))
                text = ""
                continue
            start = start if text else first
            text, end = text + char, last
    return tuple(chunks)


def _append(chunks: list[Chunk], chunk: Chunk) -> None:
    """Append a chunk; a stop or comma that stands alone joins the word before it."""
    if not chunk.text:
        return
    if chunks and chunk.text[0] in ",.;:!?…" and not any(c.isalpha() for c in chunk.text):
        before = chunks.pop()
        chunk = Chunk(_tidy(before.text + chunk.text), before.start, max(before.end, chunk.end))
    chunks.append(chunk)


_STOPS = re.compile(r"[,;:.!?…—]{2,}")
_PARENTHESES = re.compile(r"([()\"])\1+")
_STRAY = re.compile(r"^-+|-+$|(?<=-)-+")
_LONG_CHUNK = 40  # characters; the reader of phonemes takes its time over longer ones, or drops their end
_PIECE = re.compile(r"\W{0,2}[\w']{1,20}\W{0,2}")


def _tidy(chunk: str) -> str:
    chunk = _STOPS.sub(lambda m: "…" if ".." in m[0] else next(c for c in "?!….;:—," if c in m[0]), chunk)
    return _STRAY.sub("", _PARENTHESES.sub(r"\1", chunk))


def _pieces(chunk: str) -> list[str]:
    """Return the chunk itself, or its pieces if it is too long to be read at once."""
    return [chunk] if len(chunk) <= _LONG_CHUNK else _PIECE.findall(chunk)


def _runs(unread: list[tuple[int, str]]) -> tuple[str, ...]:
    """Join neighboring characters that could not be read."""
    runs: list[str] = []
    previous = -2
    for position, char in unread:
        if position == previous + 1:
            runs[-1] += char
        else:
            runs.append(char)
        previous = position
    return tuple(runs)

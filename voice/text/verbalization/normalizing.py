"""Written → spoken by rules: the one loop that every language's rules go through.

Every rule sees the sentence as written and no rule sees another's output; the result keeps, for
each spoken chunk, the characters that it came from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from voice.text.language import LETTER, Chunk, NormalizedText
from voice.text.verbalization.rule import TAKEN, Rule

SayCharacter = Callable[[str, int], str | None]  # text, position → reading, None where there is none
_Piece = tuple[str, int, int]  # what is said, and the characters [start, end) that say it


def normalize_by_rules(
    written: str, plain: str, rules: Iterable[Rule], say_character: SayCharacter
) -> NormalizedText:
    """Return the words in which a sentence is read aloud.

    `plain` is the sentence that rules see, `written` the same with its original characters, of the same
    length. `say_character(text, at)` reads what belongs to no larger token: '' if it is silent, None if it
    has no reading and counts as unread.
    """
    replaced = _replacements(plain, rules)
    pieces: list[_Piece] = []
    unread: list[tuple[int, str]] = []
    position, ends = 0, set()  # where replacements end: one that begins there is a word apart
    while position < len(plain):
        if position in replaced:
            end, words = replaced[position]
            pieces += [(" ", position, end)] * (position in ends)
            words = _as_readable(words, say_character)
            pieces.append((_with_spaces(plain, position, end, words), position, end))
            ends.add(end)
        else:
            end = position + 1
            reading = say_character(plain, position)
            if reading is None or (not reading and _marks_unread(plain, position, unread)):
                unread.append((position, written[position]))
            pieces.append((" " if reading is None else reading, position, end))
        position = end
    return NormalizedText(_chunks(pieces), _runs(unread))


def _marks_unread(sentence: str, position: int, unread: list[tuple[int, str]]) -> bool:
    """Tell whether a character is an accent or a vowel sign on a letter that could not be read."""
    follows = bool(unread) and unread[-1][0] == position - 1
    return follows and unicodedata.category(sentence[position])[0] == "M"


def _as_readable(words: str, say_character: SayCharacter) -> str:
    """Return the words of a rule; what they keep of the writing, accents or signs, becomes readable too."""
    readable = words.replace(LETTER, "").isascii()
    return words if readable else "".join(say_character(words, i) or "" for i in range(len(words)))


def _with_spaces(sentence: str, start: int, end: int, words: str) -> str:
    """Return `words` with a space towards a letter or figure that they would otherwise run into."""
    before = " " if sentence[:start][-1:].isalnum() else ""
    return before + words + (" " if sentence[end : end + 1].isalnum() else "")


def _replacements(sentence: str, rules: Iterable[Rule]) -> dict[int, tuple[int, str]]:
    """Return {start: (end, spoken)} of every token that a rule reads; earlier rules go first."""
    found = {}
    rest = sentence.replace(TAKEN, " ")
    for pattern, say in rules:
        for match in pattern.finditer(rest):
            start, end = match.span("token" if "token" in pattern.groupindex else 0)
            words = say(match) if end > start else None
            if words is not None:
                found[start] = (end, words)
                rest = rest[:start] + TAKEN * (end - start) + rest[end:]
    return found


def _chunks(pieces: list[_Piece]) -> tuple[Chunk, ...]:
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

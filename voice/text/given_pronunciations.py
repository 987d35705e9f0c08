"""Pronunciations that are given by hand, put into the normalized text around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from voice.text.language import Chunk, Language, NormalizedText
from voice.text.lexicon import find_phones, find_words
from voice.text.reading import PronouncedSpan
from voice.types import Pronunciation

_CLOSING_MARKS = frozenset(",.;:!?…)”")


def find_given(
    text: str, marked: Iterable[PronouncedSpan], lexicon: Mapping[str, Pronunciation] | None
) -> list[PronouncedSpan]:
    """Return the pronunciations that are given in a sentence, in order, without overlap.

    Markup goes before `[[phones]]`, these before the words of the lexicon. Brackets that hold no phones (see
    `find_unknown_phones`) are read as the text that they are.
    """
    spans = [span for span in marked if span.end > span.start]
    for start, end, pronunciation in find_phones(text):
        if pronunciation is not None:
            _add(spans, PronouncedSpan(start, end, pronunciation))
    for start, end, pronunciation in find_words(text, lexicon) if lexicon else ():
        _add(spans, PronouncedSpan(start, end, pronunciation))
    return sorted(spans, key=lambda span: span.start)


def find_unknown_phones(text: str) -> list[str]:
    """List each `[[…]]` of `text` that was meant as phones and holds some that ARPAbet does not have."""
    return [text[start:end] for start, end, pronunciation in find_phones(text) if pronunciation is None]


def _add(spans: list[PronouncedSpan], span: PronouncedSpan) -> None:
    if all(span.end <= other.start or other.end <= span.start for other in spans):
        spans.append(span)


def normalize_around(
    text: str, spans: Sequence[PronouncedSpan], language: Language
) -> tuple[NormalizedText, dict[int, str]]:
    """Normalize a sentence, with the pronunciations of `spans` in their places.

    The second result are phonemes that are given, by the index of their chunk, whose text is a stand-in.
    """
    if not spans:
        return language.normalize(text), {}
    chunks: list[Chunk] = []
    unread: list[str] = []
    given: dict[int, str] = {}
    position = 0
    for span in [*spans, None]:
        stop = span.start if span else len(text)
        between = language.normalize(text[position:stop])
        _append(chunks, (_shift(chunk, position) for chunk in between.chunks))
        unread += between.unread
        if span is None:
            break
        if span.pronunciation.phonemes:
            given[len(chunks)] = span.pronunciation.phonemes
            chunks.append(Chunk(language.stand_in(span.pronunciation.phonemes), span.start, span.end))
        else:
            _append(chunks, _words_of(span, language))
        position = span.end
    return NormalizedText(tuple(chunks), tuple(unread)), given


def _shift(chunk: Chunk, offset: int) -> Chunk:
    return replace(chunk, start=chunk.start + offset, end=chunk.end + offset)


def _words_of(span: PronouncedSpan, language: Language) -> Iterator[Chunk]:
    for chunk in language.normalize(span.pronunciation.words).chunks:
        yield Chunk(chunk.text, span.start, span.end)


def _append(chunks: list[Chunk], more: Iterable[Chunk]) -> None:
    """Append chunks; punctuation that stands alone joins the chunk before it."""
    for chunk in more:
        if chunks and chunk.text and set(chunk.text) <= _CLOSING_MARKS:
            before = chunks.pop()
            chunk = Chunk(before.text + chunk.text, before.start, max(before.end, chunk.end))
        chunks.append(chunk)

"""The words of any recognizer: times that rise, and segments that end with a sentence or at a pause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from voice.text.sentences import ends_sentence
from voice.text.timing import lengthen_spans
from voice.types import Segment, Word

SEGMENT_PAUSE = 0.8  # seconds of silence between two words that end a segment


def separate_times(words: Sequence[Word], since: float, until: float) -> list[Word]:
    """Move the times of words so that they rise within [since, until], do not overlap, and take some time."""
    spans = lengthen_spans([(word.start, word.end) for word in words], since, until)
    return [replace(word, start=start, end=end) for word, (start, end) in zip(words, spans, strict=True)]


def split_segments(texts: Iterable[str], words: Iterable[Word]) -> Iterator[Segment]:
    """Yield a segment per sentence or pause; `texts` are those of the words as decoded, spaces included."""
    held: list[tuple[str, Word]] = []
    for text, word in zip(texts, words, strict=True):
        if held:
            last_words = "".join(each for each, _ in held[-2:])
            pause = word.start - held[-1][1].end
            if ends_sentence(last_words, word.text) or pause >= SEGMENT_PAUSE:
                yield _segment(held)
                held = []
        held.append((text, word))
    if held:
        yield _segment(held)


def _segment(pairs: Sequence[tuple[str, Word]]) -> Segment:
    """Join words with their texts to one segment."""
    words = tuple(word for _, word in pairs)
    return Segment("".join(text for text, _ in pairs).strip(), words[0].start, words[-1].end, words)

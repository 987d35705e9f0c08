"""What the front end hands to a voice: readings, one after the other, and the parts that they are made of.

A text becomes a sequence of `Reading`: sentences with their phonemes, sentences that have no sound, silences
of exact length and bookmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from voice.types import Pronunciation


@dataclass(frozen=True)
class Style:
    """How a stretch of text is spoken: `pace` is a factor on speed, `pitch` in semitones, `energy` in dB."""

    pace: float = 1.0
    pitch: float = 0.0
    energy: float = 0.0

    def around(self, inner: Style) -> Style:
        """Return the style of a part that is `inner` within a stretch of this style."""
        return Style(self.pace * inner.pace, self.pitch + inner.pitch, self.energy + inner.energy)


PLAIN = Style()


class StyledSpan(NamedTuple):
    """Characters [start, end) of a text and their style."""

    start: int
    end: int
    style: Style


@dataclass(frozen=True)
class PronouncedSpan:
    """Characters [start, end) of a text and the pronunciation that was given for them."""

    start: int
    end: int
    pronunciation: Pronunciation


@dataclass(frozen=True)
class Annotations:
    """What markup says of the characters of a text: pronunciations, and styles in order without overlap."""

    pronunciations: tuple[PronouncedSpan, ...] = ()
    styles: tuple[StyledSpan, ...] = ()

    def within(self, start: int, end: int) -> Annotations:
        """Return the annotations of [start, end), counted from `start`.

        A span that began before `start` has been pronounced there: its rest is silent.
        """
        pronunciations = (
            PronouncedSpan(
                max(span.start, start) - start,
                min(span.end, end) - start,
                span.pronunciation if span.start >= start else Pronunciation(),
            )
            for span in self.pronunciations
            if span.start < end and span.end > start
        )
        styles = (
            StyledSpan(max(first, start) - start, min(last, end) - start, style)
            for first, last, style in self.styles
            if first < end and last > start
        )
        return Annotations(tuple(pronunciations), tuple(styles))


@dataclass(frozen=True)
class SpokenWord:
    """A word as written, `text`, from character `start` to `end` of the input, and as spoken."""

    text: str
    start: int
    end: int
    spoken: str


@dataclass(frozen=True)
class SpokenSentence:
    """A sentence, or a part of one, ready for an engine.

    `phonemes` has one character for each phoneme, stress mark, space or punctuation mark (see
    `voice.text.alphabet`), at least one of them with sound. `owners`, of the same length, is the index in
    `words` of the word that each belongs to, -1 for spaces and punctuation. The texts of `words`, joined by
    spaces, are the written text. `unread` are the characters that have no reading. `after` says what
    follows: the end of a "clause", "sentence" or "paragraph". `rises` tells whether it ends a question for
    yes or no.

    Markup adds the others: `styles`, one for each phoneme, () where all are plain; `pause`, the exact silence
    after it in seconds, None where `after` decides; `marks`, names with the index of the word before which
    each stands (the number of words for the end); `voice`, the name of another voice.
    """

    text: str
    phonemes: str
    owners: tuple[int, ...]
    words: tuple[SpokenWord, ...]
    unread: tuple[str, ...] = ()
    after: str = "sentence"
    styles: tuple[Style, ...] = ()
    pause: float | None = None
    marks: tuple[tuple[str, int], ...] = ()
    voice: str = ""
    rises: bool = False


@dataclass(frozen=True)
class SoundlessSentence:
    """A written sentence without sound: punctuation alone, or characters that are all in `unread`."""

    text: str
    unread: tuple[str, ...] = ()
    after: str = "sentence"


@dataclass(frozen=True)
class Break:
    """A silence of exactly `seconds` that follows no sentence."""

    seconds: float


@dataclass(frozen=True)
class Bookmarks:
    """Named marks between sentences: their time is the end of the silence so far."""

    names: tuple[str, ...]


Reading = SpokenSentence | SoundlessSentence | Break | Bookmarks


@dataclass(frozen=True)
class Passage:
    """A text and what follows it: `after` as in SpokenSentence, or an exact `pause` in seconds.

    `annotations` are those of its characters; `marks` are names with the character before which each stands;
    `voice` is the name of another voice, `language` the code of its language, "" where xml:lang gives
    none. A passage without text is a silence or a mark.
    """

    text: str
    annotations: Annotations = Annotations()
    marks: tuple[tuple[str, int], ...] = ()
    after: str = "paragraph"
    pause: float | None = None
    voice: str = ""
    language: str = ""

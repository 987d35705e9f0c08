"""Passages of marked-up text → readings, each with the styles, breaks and marks that fall to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from voice.text.frontend import read_aloud
from voice.text.language import Language
from voice.text.reading import PLAIN, Bookmarks, Break, Passage, Reading, SoundlessSentence, SpokenSentence
from voice.text.registry import find_language
from voice.types import Pronunciation

SENTENCE_END = re.compile(r"[.!?…][\"'”’)]*$")
_Marks = Sequence[tuple[str, int]]  # names, and the character of the passage before which each stands


def read_passages(
    passages: Iterable[Passage],
    language: Language,
    lexicon: Mapping[str, Pronunciation] | None = None,
    languages: Mapping[str, Language] = MappingProxyType({}),
) -> Iterator[Reading]:
    """Yield the readings of `passages`, each as soon as it is asked for.

    A passage is read in its own language, in that of its voice (`languages` by the names of voices), or in
    `language`.

    Marks of a passage that has no sound are passed on to the next one.
    """
    reader = _PassageReader(language, lexicon, languages)
    for passage in passages:
        yield from reader.read(passage)
    if reader.carried:
        yield Bookmarks(reader.carried)


class _PassageReader:
    """Reads passage after passage, and knows what one leaves to the next."""

    def __init__(
        self,
        language: Language,
        lexicon: Mapping[str, Pronunciation] | None,
        languages: Mapping[str, Language],
    ) -> None:
        self._language, self._lexicon, self._languages = language, lexicon, languages
        self.carried: tuple[str, ...] = ()  # names of marks that no passage has had a place for
        self._rises_at_end = language.is_rising_question  # in the language of the passage
        self._begun = ""  # the text so far of a sentence that goes on after a break

    def read(self, passage: Passage) -> Iterator[Reading]:
        """Yield the readings of one passage."""
        marks: _Marks = [*((name, 0) for name in self.carried), *passage.marks]
        self.carried = ()
        self._rises_at_end = self._language_of(passage).is_rising_question
        has_place = False  # whether the passage ends with a sentence that can bear marks and a pause
        for reading, is_last in _and_last(self._read(passage)):
            if is_last:
                reading = replace(reading, after=passage.after)
            rising = self._rises(reading)
            if isinstance(reading, SoundlessSentence):
                has_place = False
                yield reading
                continue
            has_place, (reading, marks) = True, _assign_marks(reading, marks)
            if is_last:
                reading = _end_passage(reading, passage, marks)
            yield replace(reading, voice=passage.voice, rises=rising)
        if has_place:
            return
        names = tuple(name for name, _ in marks)
        if passage.text:
            self.carried = names
        elif names:
            yield Bookmarks(names)
        if passage.pause is not None:
            yield Break(passage.pause)

    def _read(self, passage: Passage) -> Iterator[SpokenSentence | SoundlessSentence]:
        return read_aloud(passage.text, self._language_of(passage), self._lexicon, passage.annotations)

    def _language_of(self, passage: Passage) -> Language:
        if passage.language:
            return find_language(passage.language)
        return self._languages.get(passage.voice, self._language)

    def _rises(self, reading: SpokenSentence | SoundlessSentence) -> bool:
        """Tell whether the sentence that `reading` ends is a question that rises."""
        ends = reading.after != "clause" or bool(SENTENCE_END.search(reading.text))
        own = isinstance(reading, SpokenSentence) and reading.rises
        so_far = f"{self._begun} {reading.text}"
        rising = self._rises_at_end(so_far) if self._begun and ends else own
        self._begun = "" if ends else so_far
        return rising


_Sentence = TypeVar("_Sentence", bound=SpokenSentence | SoundlessSentence)


def _and_last(readings: Iterable[_Sentence]) -> Iterator[tuple[_Sentence, bool]]:
    """Yield each reading, and whether it is the last."""
    held = None
    for reading in readings:
        if held is not None:
            yield held, False
        held = reading
    if held is not None:
        yield held, True


def _assign_marks(reading: SpokenSentence, marks: _Marks) -> tuple[SpokenSentence, _Marks]:
    """Return `reading` with those of `marks` that lie before the end of its last word, and the others."""
    found, rest = [], []
    for name, place in marks:
        index = next((i for i, word in enumerate(reading.words) if word.end > place), None)
        if index is None:
            rest.append((name, place))
        else:
            found.append((name, index))
    return replace(reading, marks=tuple(found)), rest


def _end_passage(reading: SpokenSentence, passage: Passage, marks: _Marks) -> SpokenSentence:
    """Return the last reading of a passage with what follows that, and the `marks` at its end.

    One that goes on sounds as if it did.
    """
    at_end = tuple((name, len(reading.words)) for name, _ in marks)
    reading = replace(reading, pause=passage.pause, marks=reading.marks + at_end)
    if passage.after != "clause" or reading.phonemes[-1] in ",;:.!?…—":
        return reading
    return replace(
        reading,
        phonemes=reading.phonemes + ",",
        owners=(*reading.owners, -1),
        styles=reading.styles and (*reading.styles, PLAIN),
    )

"""Passages of marked-up text → readings, each with the styles, breaks and marks that fall to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from voice.text.delivery import PLAIN
from voice.text.english.questions import rises
from voice.text.frontend import Reading, read_aloud
from voice.text.markup import Passage
from voice.types import Pronunciation

ENDING = re.compile(r"[.!?…][\"'”’)]*$")


def read_passages(
    passages: Iterable[Passage], lexicon: Mapping[str, Pronunciation] | None = None
) -> Iterator[Reading]:
    """The readings of `passages`, each as soon as it is asked for.

    A silence or a mark of its own comes as a reading without phonemes; marks of a passage that has
    no sound are passed on to the next.
    """
    carried: tuple[tuple[str, int], ...] = ()
    begun = ""  # what has been said of a sentence that goes on after a break
    for passage in passages:
        passage = replace(passage, marks=tuple((name, 0) for name, _ in carried) + passage.marks)
        carried = ()
        if not passage.text:
            yield Reading("", "", (), (), after=passage.after, pause=passage.pause, marks=passage.marks)
            continue
        for reading in _readings(passage, lexicon):
            if not reading.phonemes:
                carried, reading = reading.marks, replace(reading, marks=())
            ends = reading.after != "clause" or bool(ENDING.search(reading.text))
            rising = rises(f"{begun} {reading.text}") if begun and ends else reading.rises
            begun = "" if ends else f"{begun} {reading.text}"
            yield replace(reading, voice=passage.voice, rises=rising)
    if carried:
        yield Reading("", "", (), (), marks=carried)


def _readings(passage: Passage, lexicon: Mapping[str, Pronunciation] | None) -> Iterator[Reading]:
    marks, held = list(passage.marks), None
    for reading in read_aloud(passage.text, lexicon, passage.wish):
        if held is not None:
            yield held
        held, marks = _marked(reading, marks)
    if held is not None:
        rest = tuple((name, len(held.words)) for name, _ in marks)
        yield _ended(replace(held, marks=held.marks + rest), passage)


def _marked(reading: Reading, marks: list[tuple[str, int]]) -> tuple[Reading, list[tuple[str, int]]]:
    """`reading` with those of `marks` that lie before the end of its last word, and the others."""
    found, rest = [], []
    for name, place in marks:
        index = next((i for i, word in enumerate(reading.words) if word.end > place), None)
        if index is None:
            rest.append((name, place))
        else:
            found.append((name, index))
    return replace(reading, marks=tuple(found)), rest


def _ended(reading: Reading, passage: Passage) -> Reading:
    """The last reading of a passage, followed by what follows that; one that goes on sounds so."""
    reading = replace(reading, after=passage.after, pause=passage.pause)
    if passage.after != "clause" or not reading.phonemes or reading.phonemes[-1] in ",;:.!?…—":
        return reading
    return replace(
        reading,
        phonemes=reading.phonemes + ",",
        owners=(*reading.owners, -1),
        styles=reading.styles and (*reading.styles, PLAIN),
    )

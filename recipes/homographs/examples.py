"""Labelled sentences → examples: words and parts of speech of a sentence as the English voice reads them."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voice.text.english.normalization import normalize
from voice.text.english.pronunciation import recase, tag_words


@dataclass(frozen=True)
class Example:
    """A tagged sentence: `words[at]` is the homograph `word`, and `reading` the name of its right reading.

    `start` is the character of the written `sentence` at which the word begins.
    """

    word: str
    reading: str
    sentence: str
    start: int
    words: tuple[str, ...]
    tags: tuple[str, ...]
    at: int


@dataclass(frozen=True)
class LabelledSentence:
    """A row of the data: characters [start, end) of `sentence` are the homograph."""

    word: str
    reading: str
    sentence: str
    start: int


def read_sentences(path: Path) -> list[LabelledSentence]:
    """Read a table of WikipediaHomographData."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return [
            LabelledSentence(row["homograph"], row["wordid"], row["sentence"], int(row["start"]))
            for row in rows
        ]


def read_everyday(path: Path = Path(__file__).with_name("everyday.txt")) -> list[LabelledSentence]:
    """Read sentences whose homograph stands in brackets, after the name of its reading."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        reading, _, marked = line.partition("\t")
        start, end = marked.index("["), marked.index("]") - 1
        sentence = marked.replace("[", "").replace("]", "")
        found.append(LabelledSentence(sentence[start:end].lower(), reading, sentence, start))
    return found


def split(
    rows: Iterable[LabelledSentence], parts: int = 10
) -> tuple[list[LabelledSentence], list[LabelledSentence]]:
    """Hold out one of `parts` of each word's sentences, by their hash, and return the rest first."""
    by_word: dict[str, list[LabelledSentence]] = defaultdict(list)
    for row in rows:
        by_word[row.word].append(row)
    kept, held = [], []
    for some in by_word.values():
        some.sort(key=lambda row: hashlib.sha1(row.sentence.encode()).hexdigest())
        count = round(len(some) / parts)
        held += some[:count]
        kept += some[count:]
    return kept, held


def tag_examples(rows: Iterable[LabelledSentence]) -> Iterator[Example]:
    """Yield the rows as the front end sees them; a few, whose word it joins to another, are left out."""
    for row in rows:
        example = _tag(row)
        if example:
            yield example


def _tag(row: LabelledSentence) -> Example | None:
    chunks = normalize(row.sentence).chunks
    texts = recase([chunk.text for chunk in chunks])
    joined, place = "", -1
    for chunk, text in zip(chunks, texts, strict=True):
        if not text:
            continue
        joined += " " * bool(joined)
        found = text.lower().find(row.word)
        if place < 0 and chunk.end > row.start and found >= 0:
            place = len(joined) + found
        joined += text
    tokens = tag_words(joined)
    reached = 0
    for at, token in enumerate(tokens):
        if reached == place and token.text.lower() == row.word:
            words = tuple(token.text for token in tokens)
            tags = tuple(token.tag for token in tokens)
            return Example(row.word, row.reading, row.sentence, row.start, words, tags, at)
        reached += len(token.text) + len(token.whitespace)
    return None

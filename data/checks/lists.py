"""What a list of recordings is like as a whole.

How its texts are written, what is listed twice, what leaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from data.checks.findings import Finding
from data.checks.scripts import scripts_of
from data.checks.texts import Surroundings
from data.splitting import sentence_key
from voice.errors import ManifestError
from voice.manifest import Clip, RowError, read_rows

MOST = 0.9  # share of the rows from which on something is usual in a list
_MARKS = ".,;:!?…。！？，、"


@dataclass(frozen=True)
class Style:
    """How the texts of a list are written: how many there are, and how many of them in which way."""

    texts: int = 0
    capitals: int = 0
    small: int = 0
    without_marks: int = 0
    with_figures: int = 0

    @property
    def remarks(self) -> list[str]:
        """Return sentences on what is unusual and matters for training."""
        if not self.texts:
            return []
        found = []
        if self.capitals > MOST * self.texts:
            found.append("its texts are in capitals")
        if self.small > MOST * self.texts:
            found.append("its texts have no capitals")
        if self.without_marks > MOST * self.texts:
            found.append("its texts have no punctuation")
        if self.with_figures:
            found.append(f"{self.with_figures} of {self.texts} texts hold figures")
        return found


def style_of(text: str) -> Style:
    """Return how one text is written."""
    upper, lower = (sum(map(test, text)) for test in (str.isupper, str.islower))
    has_figures = any(letter.isdigit() for letter in text)
    return Style(
        1, int(upper > 9 * lower), int(not upper), int(not set(text) & set(_MARKS)), int(has_figures)
    )


def add_styles(one: Style, other: Style) -> Style:
    """Return the style of two lists together."""
    return Style(
        one.texts + other.texts,
        one.capitals + other.capitals,
        one.small + other.small,
        one.without_marks + other.without_marks,
        one.with_figures + other.with_figures,
    )


@dataclass(frozen=True)
class Overview:
    """What one look at all rows tells, before a recording is opened."""

    rows: int
    around: Surroundings
    style: Style


def survey(manifest: Path) -> Overview:
    """Return an overview of a manifest. Raises ManifestError where it cannot be read, or is another file."""
    rows, bad, texts, style = 0, 0, 0, Style()
    scripts: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    for _, row in read_rows(manifest):
        rows += 1
        if isinstance(row, Clip):
            languages[row.language or ""] += 1
            if row.text is not None:
                texts += 1
                style = add_styles(style, style_of(row.text))
                scripts += scripts_of(row.text)
        else:
            bad += row.kind == "bad json"
    if bad == rows > 1:
        raise ManifestError(f"{manifest} is no list of JSON lines; make one of it with `voice data prepare`")
    (script, letters), (language, count) = _most(scripts), _most(languages)
    around = Surroundings(
        script if letters > MOST * sum(scripts.values()) else None,
        language or None if count > MOST * rows else None,
        has_texts=texts > rows / 2,
    )
    return Overview(rows, around, style)


def _most(counts: Counter[str]) -> tuple[str, int]:
    return (counts.most_common(1) or [("", 0)])[0]


class Repeats:
    """What was seen in a list before: ids and recordings."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._numbers: dict[str, int] = {}  # the last one that an id got: many rows may have the same
        self._recordings: set[int] = set()

    def findings(self, line: int, clip: Clip) -> Iterator[Finding]:
        """Yield whether the id or the recording of the next row was there before."""
        recording = hash(clip.audio)
        if clip.id in self._ids:
            fresh = self._fresh(clip.id)
            yield Finding(line, clip.id, "id occurs again", "the id occurs more than once", {"id": fresh})
            self._ids.add(fresh)
        elif recording in self._recordings:
            yield Finding(line, clip.id, "recording occurs again", f"{clip.audio.name} is in an earlier row")
        self._ids.add(clip.id)
        self._recordings.add(recording)

    def _fresh(self, name: str) -> str:
        number = self._numbers.get(name, 1) + 1
        while f"{name}-{number}" in self._ids:
            number += 1
        self._numbers[name] = number
        return f"{name}-{number}"


def row_finding(line: int, error: RowError) -> Finding:
    """Return the problem of a row that is none."""
    return Finding(line, "", error.kind, str(error))


def leaks(manifests: Mapping[str, Path]) -> Iterator[tuple[str, Finding]]:
    """Yield (split, problem) for what is in an earlier split too.

    Recordings, sentences, speakers (each once).
    """
    recordings, sentences, speakers = dict[int, str](), dict[int, str](), dict[str, str]()
    for split, path in manifests.items():
        told: set[str] = set()
        for line, row in read_rows(path):
            if not isinstance(row, Clip):
                continue
            key = sentence_key(row.text, row.id)
            if (other := recordings.setdefault(hash(row.audio.resolve()), split)) != split:
                yield (
                    split,
                    Finding(line, row.id, "recording in two splits", f"its recording is in {other} too"),
                )
            elif row.text and (other := sentences.setdefault(key, split)) != split:
                yield (
                    split,
                    Finding(line, row.id, "sentence in two splits", f"its sentence is in {other} too"),
                )
            who = row.speaker
            if who and who not in told and (other := speakers.setdefault(who, split)) != split:
                told.add(who)
                yield split, Finding(line, row.id, "speaker in two splits", f"{who} speaks in {other} too")

"""Which column of a table is which: by the names in its header, or by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from data.locating import Locator

SAME = {
    "audio": "audio file path filename file_name wav audio_file audio_path audio_filepath wav_path "
    "wav_filename wav_file clip recording sound",
    "text": "text transcript transcription sentence wrd words utterance caption raw_text content",
    "normalized": "text_normalized normalized normalized_text normalized_transcription",
    "speaker": "speaker speaker_id client_id spk_id spk speaker_name voice",
    "language": "language locale lang",
    "id": "id utt_id utterance_id key name clip_id segment_id",
    "split": "split subset partition",
    "start": "start start_time begin offset",
    "end": "end end_time stop",
}
_FOUND = 0.5  # share of a column's values that have to be recordings
_SPEAKERS = 0.5  # most different values a row that a column of speakers has
_FEW = 8  # rows, among which one name that occurs twice tells enough
_LONGEST_NAME = 30  # characters
_LANGUAGE = re.compile(
    r"^(ar|bg|ca|cs|da|de|el|en|es|et|fa|fi|fr|he|hi|hr|hu|id|it|ja|jp|ko|lt|lv|nl|no|pl|pt|ro|ru|sk|sl|sr|sv|"
    r"ta|th|tr|uk|vi|yue|zh)([-_][a-z]{2,4})?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Columns:
    """Where each column stands. A row has `least` fields or more, and `width` at most.

    `known` tells whether a header named them.
    """

    width: int
    audio: int | None = None
    text: int | None = None
    normalized: int | None = None
    speaker: int | None = None
    language: int | None = None
    id: int | None = None
    split: int | None = None
    start: int | None = None
    end: int | None = None
    known: bool = False

    @property
    def least(self) -> int:
        """Return how many fields a row must have so that none of what is needed is missing."""
        return 1 + max(place for place in (self.audio, self.text) if place is not None)

    def places(self) -> Iterator[tuple[str, int]]:
        """Yield the name and the place of each column that there is."""
        for name in SAME:
            place = getattr(self, name)
            if place is not None:
                yield name, place

    def with_audio(self) -> Columns:
        """Return the columns of a table in which the id is the name of the recording, if it has no other."""
        return self if self.audio is not None else replace(self, audio=self.id)

    def with_text(self, rows: Sequence[Sequence[str]]) -> Columns:
        """Return the columns with the text; if no name tells it, it is the other one with the most words."""
        taken = {place for _, place in self.places()}
        others = [place for place in range(self.width) if place not in taken and _may_be_texts(rows, place)]
        if self.text is not None or not others:
            return self
        return replace(self, text=max(others, key=lambda place: _mean_words(rows, place)), known=False)

    def __str__(self) -> str:
        return ", ".join(f"{name} is column {place + 1}" for name, place in self.places())


def columns_by_name(header: Sequence[str]) -> Columns | None:
    """Return the columns that a header names; None where it names neither audio nor an id with a text."""
    names = [name.strip().strip('"').lower().replace(" ", "_") for name in header]
    places: dict[str, int] = {}
    for ours, theirs in SAME.items():
        found = next((names.index(name) for name in theirs.split() if name in names), None)
        if found is not None and found not in places.values():
            places[ours] = found
    if "audio" not in places and not {"id", "text"} <= set(places):
        return None
    if "text" not in places and "normalized" in places:
        places["text"] = places.pop("normalized")
    return Columns(len(header), known=True, **places)


def columns_by_content(rows: Sequence[Sequence[str]], mark: str, locate: Locator) -> Columns | None:
    """Return which column names recordings, which the texts and which the speakers; None without recordings.

    With commas or semicolons all that is behind the names may be one text with such marks in it.
    """
    rows = [row for row in rows if len(row) > 1]
    width = min((len(row) for row in rows), default=0)
    audio = next((place for place in range(width) if _are_recordings(rows, place, locate)), None)
    if audio is None:
        return None
    others = [place for place in range(width) if place != audio]
    language = next((place for place in others if len(others) > 1 and _are_languages(rows, place)), None)
    others = [place for place in others if place != language]
    speaker = next((place for place in others if len(others) > 1 and _are_names(rows, place)), None)
    texts = [place for place in others if place != speaker and _mean_length(rows, place) > 0]
    if not texts:
        return None
    if mark in "|\t":
        text, width = texts[0], max(len(row) for row in rows)
        normalized = texts[1] if len(texts) == 2 else None
        return Columns(width, audio, text, normalized, speaker, language)
    text = texts[0]
    if audio < text and all(place < text for place in (speaker, language) if place is not None):
        width = text + 1  # to the end of the row: commas in it have made several columns of one
    return Columns(width, audio, text, None, speaker, language)


def _are_recordings(rows: Sequence[Sequence[str]], place: int, locate: Locator) -> bool:
    return sum(locate.finds(row[place]) for row in rows) > _FOUND * len(rows)


def _are_languages(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Tell whether a column holds codes of languages."""
    return all(_LANGUAGE.match(row[place].strip()) for row in rows)


def _are_names(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Tell whether a column has few and short values without blanks, as names of speakers are."""
    values = [row[place].strip() for row in rows]
    short = all(value and " " not in value and len(value) <= _LONGEST_NAME for value in values)
    most = len(values) - 1 if len(values) <= _FEW else _SPEAKERS * len(values)
    return short and len(set(values)) <= max(1, most) and len(values) > 1


def _may_be_texts(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Tell whether a column is neither figures nor a few names."""
    values = [row[place].strip() for row in rows if place < len(row)]
    figures = all(value.replace(".", "").replace("-", "").isdigit() for value in values)
    return bool(values) and not figures and not _are_names([[value] for value in values], 0)


def _mean_words(rows: Sequence[Sequence[str]], place: int) -> float:
    return mean([len(row[place].split()) for row in rows if place < len(row)] or [0])


def _mean_length(rows: Sequence[Sequence[str]], place: int) -> float:
    return mean(len(row[place].strip()) for row in rows)

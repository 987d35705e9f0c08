"""Guesses at when phonemes are spoken, kept in files of some recordings each: written once, read one by one.

What has been written is never written again, so that an hour costs as much at the end of a corpus as at its
beginning; memory holds one file, about 25 MB for 200 recordings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes.tts import corpus
from recipes.tts.corpus import Utterance


@dataclass(frozen=True, eq=False)
class Guess:
    """An utterance with guessed durations, and the spectrum that they will be refined by."""

    utterance: Utterance
    mel: np.ndarray  # (F, 100) float16


@dataclass(frozen=True)
class _Place:
    """Where a guess is kept, and what it was made of."""

    file: Path
    row: int
    speaker: str
    frames: int


class Shards:
    """The guesses in a folder; of one recording that was guessed twice the later guess counts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = sorted(folder.glob("[0-9]*.npz"))
        self._places: dict[str, _Place] = {}
        for file in self._files:
            with np.load(file, allow_pickle=False) as held:  # reads what is asked for alone
                self._note(file, held["ids"].tolist(), held["speakers"].tolist(), held["lengths"][:, 1])

    def __len__(self) -> int:
        return len(self._places)

    def has(self, name: str, speaker: str, frames: float, tolerance: float) -> bool:
        """Tell whether there is a guess for a recording of that id, speaker and length."""
        place = self._places.get(name)
        return bool(place and place.speaker == speaker and abs(place.frames - frames) <= tolerance)

    def add(self, guesses: Sequence[Guess]) -> None:
        """Write some more guesses, as one file."""
        file = self._folder / f"{len(self._files):06d}.npz"
        mel = np.concatenate([guess.mel for guess in guesses]).astype(np.float16)
        utterances = [guess.utterance for guess in guesses]
        corpus.write_arrays(file, corpus.pack(utterances) | {"mel": mel})
        self._files.append(file)
        frames = np.array([len(u.f0) for u in utterances])
        self._note(file, [u.id for u in utterances], [u.speaker for u in utterances], frames)

    def read(self, names: Collection[str]) -> Iterator[Guess]:
        """Yield the guesses of these recordings, file by file."""
        wanted = set(names)
        for file in self._files:
            rows = {self._places[name].row for name in wanted if self._places[name].file == file}
            if rows:
                yield from self._read_rows(file, rows)

    def _read_rows(self, file: Path, rows: set[int]) -> Iterator[Guess]:
        with np.load(file, allow_pickle=False) as archive:
            held = {name: archive[name] for name in archive.files}
        ends = np.cumsum(held["lengths"][:, 1])
        for row, utterance in enumerate(corpus.Utterances.of([held])):
            if row in rows:
                yield Guess(utterance, held["mel"][ends[row] - len(utterance.f0) : ends[row]])

    def _note(self, file: Path, ids: Sequence[str], speakers: Sequence[str], frames: np.ndarray) -> None:
        for row, (name, speaker, count) in enumerate(zip(ids, speakers, frames.tolist(), strict=True)):
            self._places[name] = _Place(file, row, speaker, count)

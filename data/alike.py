"""Files whose names people and systems write otherwise.

A.TXT beside a.wav, an accent that is one character or two, texts in a folder of their own.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePath

from voice.media.container import RECORDINGS

SOUND_FOLDERS = frozenset("wav wavs flac mp3 audio audios clips sound sounds recordings data".split())
TEXT_FOLDERS = frozenset(
    "txt text texts transcript transcripts transcription transcriptions lab labs labels srt subtitles "
    "textgrid textgrids annotations".split()
)


def alike(name: str) -> str:
    """Return what names have in common that differ in case, or in how an accent is written."""
    return unicodedata.normalize("NFC", name).casefold()


class Listing:
    """The files of a folder by their names, as they are and in any spelling."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exact: set[str] = set()
        self._stems: set[str] = set()  # of recordings: what is called like one belongs to it alone
        self._spellings: dict[str, list[str]] = {}
        self._infixed: dict[str, list[str]] = {}  # film.en.srt, by film.srt
        try:
            with os.scandir(folder) as found:
                names = sorted(each.name for each in found)
        except OSError:
            names = []
        for name in names:
            self._add(name)

    def _add(self, name: str) -> None:
        self._exact.add(name)
        if PurePath(name).suffix.lower() in RECORDINGS:
            self._stems.add(PurePath(name).stem)
        plain = alike(name)
        self._spellings.setdefault(plain, []).append(name)
        stem, dot, ending = plain.rpartition(".")
        front, another, _ = stem.rpartition(".")
        if dot and another and front:
            self._infixed.setdefault(f"{front}.{ending}", []).append(name)

    def find(self, stem: str, endings: Sequence[str], *, infixed: bool = False) -> Path | None:
        """Return the file called `stem` with the first of the endings that there is; None without any.

        Another spelling counts where no other recording is called so; with `infixed`, stem.en.srt counts as
        stem.srt.
        """
        for found in (self._by_name, self._by_spelling, *([self._by_infix] if infixed else [])):
            for ending in endings:
                for name in found(f"{stem}{ending}"):
                    path = self._folder / name
                    if not self._is_of_another(name, stem) and path.is_file():
                        return path
        return None

    def find_respelled(self, name: str) -> Path | None:
        """Return the one file whose name differs from `name` in its spelling alone; None if there is none."""
        found = self._spellings.get(alike(name), [])
        return self._folder / found[0] if len(found) == 1 else None

    def folders(self) -> Iterator[Path]:
        """Yield the folders in it in which transcripts usually lie."""
        for key in sorted(TEXT_FOLDERS & self._spellings.keys()):
            yield from (self._folder / name for name in self._spellings[key])

    def _by_name(self, name: str) -> list[str]:
        return [name] if name in self._exact else []

    def _by_spelling(self, name: str) -> list[str]:
        return self._spellings.get(alike(name), [])

    def _by_infix(self, name: str) -> list[str]:
        return self._infixed.get(alike(name), [])

    def _is_of_another(self, name: str, stem: str) -> bool:
        own = PurePath(name).stem
        return own != stem and own in self._stems


class Listings:
    """Folders that are read once each."""

    def __init__(self) -> None:
        self.of = lru_cache(maxsize=64)(Listing)


def folders_of_texts(folder: Path, source: Path, listings: Listings) -> Iterator[Path]:
    """Yield where the texts of a folder's recordings may lie: there, and in txt/s1 for source/wav/s1."""
    yield folder
    parts = folder.relative_to(source).parts
    for place, part in enumerate(parts):
        if alike(part) in SOUND_FOLDERS:
            above = source.joinpath(*parts[:place])
            yield from (beside.joinpath(*parts[place + 1 :]) for beside in listings.of(above).folders())

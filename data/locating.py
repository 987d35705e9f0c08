"""Where the recordings are that a table names: relative, absolute, Windows paths, names without an ending.

Nothing outside of the data set's own folder is reached by `..`, and links in a circle end.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote, urlsplit

from data.alike import Listings
from voice.errors import ManifestError
from voice.media.container import RECORDINGS

PLACES = ("", "wavs", "wav", "clips", "audio", "audios", "data", "sounds", "recordings")  # beside the table
ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".webm")  # of a name without one
ABOVE = 4  # folders above the table from which a path may count, as Kaldi's count from the recipe
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_PLACEHOLDER = re.compile(r"^\$?\{?(data_root|data_folder|DATA_ROOT|root)\}?/")  # SpeechBrain's


class Locator:
    """From the name of a recording in a table to its path.

    `folder` is the table's, and `root` the one that no path may leave by `..`. What worked for the last name
    is tried first for the next, so that a million rows cost a million looks.
    """

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        self._folder = folder
        self._root = Path(os.path.abspath(root or folder.absolute().parent))
        self._ways = list(_ways(folder))
        self._listings = Listings()

    def __call__(self, name: str) -> Path:
        """Return the path of the recording; where it does not exist, the one that was most likely meant.

        Raises ManifestError for an address and for a path that leaves the root.
        """
        plain = plain_name(name)
        self._check(name, plain)
        for place, way in enumerate(self._ways):
            path = way(plain)
            if path is not None and path.is_file():
                if place:
                    self._ways.insert(0, self._ways.pop(place))
                return path
        return self._in_another_spelling(plain) or self._folder / plain

    def _in_another_spelling(self, plain: str) -> Path | None:
        """Return the recording whose name differs in case or in how an accent is written, if there is one."""
        for base in (self._folder / place for place in PLACES):
            for ending in ("", *ENDINGS):
                path = base / f"{plain}{ending}"
                found = self._listings.of(path.parent).find_respelled(path.name)
                if found is not None and found.is_file():
                    return found
        return None

    def finds(self, name: str) -> bool:
        """Tell whether a name is that of a recording that exists."""
        try:
            return bool(name.strip()) and self(name).is_file()
        except (ManifestError, OSError, ValueError):
            return False

    def _check(self, name: str, plain: str) -> None:
        if "://" in name and not name.startswith("file:"):
            raise ManifestError(f"{name} is an address; download it and name the file")
        if ".." in PurePosixPath(plain).parts and not os.path.isabs(plain):
            path = os.path.normpath(os.path.join(os.path.abspath(self._folder), plain))
            if os.path.commonpath([path, self._root]) != str(self._root):
                raise ManifestError(
                    f"{name} leaves the folder of the data ({self._root}); move the recording into it"
                )


def plain_name(name: str) -> str:
    """Return a path as this system writes it: of Windows, of a file: address, with a placeholder in front."""
    name = name.strip().strip('"')
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    if _DRIVE.match(name) or ("\\" in name and "/" not in name):
        parts = PureWindowsPath(name)
        name = parts.relative_to(parts.anchor).as_posix() if parts.anchor else parts.as_posix()
    return _PLACEHOLDER.sub("", name)


Way = Callable[[str], Path | None]


def _ways(folder: Path) -> Iterator[Way]:
    """Yield the ways in which a name may be meant, the most likely first."""
    bases = [folder / place for place in PLACES]
    bases += [folder.parent / place for place in PLACES]
    bases += [Path.cwd(), *folder.absolute().parents[1:ABOVE]]
    for base in bases:
        yield from (_with_ending(base, ending) for ending in ("", *ENDINGS))
    for depth in (3, 2, 1):  # the last parts of a path from another machine
        yield from (_last_parts(base, depth) for base in bases[: len(PLACES)])


def _with_ending(base: Path, ending: str) -> Way:
    def way(name: str) -> Path | None:
        if ending and PurePosixPath(name).suffix.lower() in RECORDINGS:
            return None
        return base / f"{name}{ending}"

    return way


def _last_parts(base: Path, depth: int) -> Way:
    def way(name: str) -> Path | None:
        parts = PurePosixPath(name).parts
        return base.joinpath(*parts[-depth:]) if len(parts) > depth else None

    return way


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in the order of their names, without hidden ones.

    A link to a folder is followed once and never back to where it is, so that links in a circle end.
    """
    seen: set[str] = set()
    for inside, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(inside)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(inside, name) for name in sorted(names) if not name.startswith("."))


def is_recording(path: Path) -> bool:
    """Tell whether a file's name is that of sound or video."""
    return path.suffix.lower() in RECORDINGS

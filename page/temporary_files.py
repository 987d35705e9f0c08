"""The private folder of this process: files that people upload to the page, and files made for them.

    voice-page-XXXXXXXX/          0700, of this process alone; held by a lock while it lives
        <browser>/                one for each browser
            <folder>/             one for each upload and each result, under a name that nobody can guess

The files of a browser are removed when its last tab is closed, all files when the process ends. What a
killed process left is removed by the next one that starts, because its lock is free then.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from voice import audio
from voice.media.formats import Encoding
from voice.types import Audio

if sys.platform == "win32":  # which has no such locks: nothing is ever taken for left behind
    fcntl = None
else:
    import fcntl

PREFIX, LOCK = "voice-page-", ".lock"
MAX_FOLDERS = 60  # of a browser; the oldest are removed
MAX_BYTES = 8_000_000_000  # of a browser; the oldest folders are removed
LOCK_GRACE = 60.0  # seconds in which a folder without a lock may still get one
_BROWSER_FOLDER = re.compile(r"[0-9a-f]{32}")
_held: list[IO[str]] = []
_tidying = threading.Lock()


@lru_cache(maxsize=1)
def private_folder() -> Path:
    """Return the private folder of this process, made at the first call."""
    remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    lock = open(folder / f"{LOCK}.new", "w")  # held until the process ends, whatever ends it
    _held.append(lock)
    if _take_lock(lock):  # before it is there under its name, where somebody could find it free
        os.replace(folder / f"{LOCK}.new", folder / LOCK)
    atexit.register(remove_all)
    return folder


def remove_all() -> None:
    """Remove everything for good: threads that still want to write find no folder any more."""
    if private_folder.cache_info().currsize:
        shutil.rmtree(private_folder(), ignore_errors=True)
    while _held:
        _held.pop().close()


def remove_abandoned(parent: Path) -> None:
    """Remove the folders in `parent` of this account's processes that have ended, and no others."""
    for folder in parent.glob(f"{PREFIX}*") if fcntl else ():
        with suppress(OSError):
            about = folder.lstat()
            ours = about.st_uid == getattr(os, "getuid", lambda: 0)()
            if stat.S_ISDIR(about.st_mode) and ours and _is_abandoned(folder, about):
                shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path, about: os.stat_result) -> bool:
    """Tell whether the process that made `folder` has ended."""
    try:
        with open(folder / LOCK, "r+") as lock:
            return _take_lock(lock)
    except FileNotFoundError:
        return time.time() - about.st_mtime > LOCK_GRACE


def _take_lock(lock: IO[str]) -> bool:
    """Take the lock on a file, which ends with the process; tell whether it was free."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (OSError, AttributeError):
        return False
    return True


class BrowserFiles:
    """The folders of one browser, known by its key; all browsers without a key share theirs."""

    def __init__(self, key: str = "", folder: Path | None = None) -> None:
        """Keep them in `folder`, by default the private folder of this process."""
        self.folder = (folder or private_folder()) / hashlib.sha256(key.encode()).hexdigest()[:32]

    def new_folder(self, size: int = 0) -> Path:
        """Make an empty folder that nobody can guess; remove the oldest to make space for `size` bytes."""
        with _tidying:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            surplus = _folders_beyond_limits(self.folder, size)
            folder = self.folder / secrets.token_hex(16)
            folder.mkdir(mode=0o700)
        for old in surplus:
            shutil.rmtree(old, ignore_errors=True)
        return folder

    def has(self, path: str) -> bool:
        """Tell whether `path` names a file of this browser, as it stands: no link, no ".."."""
        found = Path(path)
        if "\0" in path or not found.is_absolute() or path != os.path.normpath(path):
            return False
        inside = found.is_relative_to(self.folder) and found.resolve().is_relative_to(self.folder)
        return inside and found.is_file() and not found.is_symlink()


def browser_folders(folder: Path) -> list[Path]:
    """Return the folders of all browsers in `folder`."""
    with suppress(FileNotFoundError):
        return [each for each in folder.iterdir() if _BROWSER_FOLDER.fullmatch(each.name)]
    return []


def remove_older(browser_folder: Path, before: float) -> None:
    """Remove a browser's folders last changed before a time, and its own folder once that is empty."""
    for folder, changed in _folders_by_age(browser_folder).items():
        if changed < before:
            shutil.rmtree(folder, ignore_errors=True)
    with _tidying, suppress(OSError):
        browser_folder.rmdir()


def _folders_beyond_limits(browser_folder: Path, size: int) -> list[Path]:
    """Return the oldest folders of a browser that a new one of `size` bytes leaves no space for."""
    folders = [*_folders_by_age(browser_folder)]
    surplus = folders[: -MAX_FOLDERS + 1]
    sizes = {folder: _size(folder) for folder in folders[len(surplus) :]}
    excess = size + sum(sizes.values()) - MAX_BYTES
    for folder, freed in sizes.items():
        if excess <= 0:
            break
        surplus.append(folder)
        excess -= freed
    return surplus


def _size(folder: Path) -> int:
    """Return the bytes of the files in a folder, without those that are removed meanwhile."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size
    return size


def _folders_by_age(browser_folder: Path) -> dict[Path, float]:
    """Map each folder to when it was last changed, the oldest first, without those removed meanwhile."""
    changed = {}
    with suppress(FileNotFoundError):
        for folder in browser_folder.iterdir():
            with suppress(FileNotFoundError):
                changed[folder] = folder.stat().st_mtime
    return dict(sorted(changed.items(), key=lambda row: row[1]))


def new_folder() -> Path:
    """Make an empty folder that belongs to no browser."""
    return BrowserFiles().new_folder()


def make_private(path: Path) -> Path:
    """Let only this account read a file, and return its path."""
    path.chmod(0o600)
    return path


class SoundPieces:
    """Pieces of sound made one after the other, as the player's value."""

    def __init__(self, folder: Path, tags: Mapping[str, str] | None = None) -> None:
        self._folder, self._tags = folder, tags
        self._pieces: list[str] = []

    def add(self, sound: Audio) -> None:
        """Write the next piece."""
        path = self._folder / f"{len(self._pieces)}.wav"
        audio.write(path, sound, self._tags)
        self._pieces.append(f"gradio_api/file={make_private(path)}")

    def value(self, done: bool) -> dict[str, Any]:
        """Return the player's value; `done` if no more pieces come."""
        return {"id": self._folder.name, "pieces": list(self._pieces), "done": done}


class SoundFiles:
    """One sound in several formats, written while it is made; `paths` exist after the `with`.

    `forms` are the formats and how each is written.
    """

    def __init__(
        self, folder: Path, rate: int, forms: Mapping[str, Encoding], tags: Mapping[str, str] | None = None
    ) -> None:
        self.paths = [folder / f"voiceover.{form}" for form in forms]
        self._rate, self._samples = rate, 0
        encodings = forms.values()
        self._writers = [
            audio.Writer(path, rate, tags, each) for path, each in zip(self.paths, encodings, strict=True)
        ]
        self._open = ExitStack()

    @property
    def seconds(self) -> float:
        """The duration so far."""
        return self._samples / self._rate

    def add(self, sound: Audio) -> None:
        """Write the next sound."""
        for writer in self._writers:
            writer.write(sound.samples)
        self._samples += len(sound.samples)

    def __enter__(self) -> SoundFiles:
        for writer in self._writers:
            self._open.enter_context(writer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files; only this account can read them."""
        self._open.__exit__(kind, error, traceback)
        for path in self.paths:
            with suppress(FileNotFoundError):  # it was not finished
                make_private(path)

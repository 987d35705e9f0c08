"""The private folder of this process: what people bring to the page, and what is made for them.

    voice-page-XXXXXXXX/          0700, of this process alone; held by a lock while it lives
        <room>/                   one for each browser
            <folder>/             one for each upload and each result, under a name that nobody can guess

A room is emptied when its last tab is closed, the whole when the process ends. What a process left that
was killed is removed by the next one to start: its lock is free then.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

from voice import audio
from voice.types import Audio

try:
    import fcntl
except ImportError:  # a system without such locks: nothing is ever taken for left behind
    fcntl = None

PREFIX, LOCK = "voice-page-", ".lock"
MAX_FOLDERS = 60  # folders in a room; the oldest make room
MAX_BYTES = 8_000_000_000  # bytes in a room; the oldest folders make room
LOCK_GRACE = 60.0  # seconds in which a folder without a lock may still get one
_BROWSER_FOLDER = re.compile(r"[0-9a-f]{32}")
_held: list[IO] = []
_tidying = threading.Lock()


@lru_cache(maxsize=1)
def private_folder() -> Path:
    """The private folder of this process, made when it is first asked for."""
    remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    lock = open(folder / f"{LOCK}.new", "w")  # held until the process ends, whatever ends it
    _held.append(lock)
    if _take_lock(lock):  # before it is there under its name, where somebody could find it free
        os.replace(folder / f"{LOCK}.new", folder / LOCK)
    atexit.register(remove_all)
    return folder


def remove_all() -> None:
    """Remove all that is kept, for good: what threads still want to keep finds no folder any more."""
    if private_folder.cache_info().currsize:
        shutil.rmtree(private_folder(), ignore_errors=True)
    while _held:
        _held.pop().close()


def remove_abandoned(parent: Path) -> None:
    """Remove what processes of this account left in `parent` that are gone; never what a living one has."""
    for folder in parent.glob(f"{PREFIX}*") if fcntl else ():
        with suppress(OSError):
            about = folder.lstat()
            ours = about.st_uid == getattr(os, "getuid", lambda: 0)()
            if stat.S_ISDIR(about.st_mode) and ours and _is_abandoned(folder, about):
                shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path, about: os.stat_result) -> bool:
    """Whether the process is gone that made `folder`."""
    try:
        with open(folder / LOCK, "r+") as lock:
            return _take_lock(lock)
    except FileNotFoundError:
        return time.time() - about.st_mtime > LOCK_GRACE


def _take_lock(lock: IO) -> bool:
    """Take the lock on a file, which ends with the process; whether nobody else has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (OSError, AttributeError):
        return False
    return True


class BrowserFiles:
    """The folders of one browser, known by its key; those of all who have none share a room."""

    def __init__(self, key: str = "", folder: Path | None = None) -> None:
        """`folder` is where the rooms are: the shelf of this process."""
        self.folder = (folder or private_folder()) / hashlib.sha256(key.encode()).hexdigest()[:32]

    def new_folder(self, size: int = 0) -> Path:
        """Make an empty folder that nobody can guess, for `size` bytes; the oldest ones make room."""
        with _tidying:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            surplus = _folders_beyond_limits(self.folder, size)
            folder = self.folder / secrets.token_hex(16)
            folder.mkdir(mode=0o700)
        for old in surplus:
            shutil.rmtree(old, ignore_errors=True)
        return folder

    def has(self, path: str) -> bool:
        """Whether `path` names a file in this room, as it stands: no link, no way around."""
        found = Path(path)
        if "\0" in path or not found.is_absolute() or path != os.path.normpath(path):
            return False
        inside = found.is_relative_to(self.folder) and found.resolve().is_relative_to(self.folder)
        return inside and found.is_file() and not found.is_symlink()


def browser_folders(folder: Path) -> list[Path]:
    """The folders of all rooms that lie in `folder`."""
    with suppress(FileNotFoundError):
        return [each for each in folder.iterdir() if _BROWSER_FOLDER.fullmatch(each.name)]
    return []


def remove_older(room: Path, before: float) -> None:
    """Remove from a room what was last changed before a time, and the room itself once nothing is left."""
    for folder, changed in _folders_by_age(room).items():
        if changed < before:
            shutil.rmtree(folder, ignore_errors=True)
    with _tidying, suppress(OSError):
        room.rmdir()


def _folders_beyond_limits(room: Path, size: int) -> list[Path]:
    """The oldest folders of a room, without which another one of `size` bytes is within its bounds."""
    folders = [*_folders_by_age(room)]
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
    """The bytes of the files in a folder, without those that somebody removes meanwhile."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size
    return size


def _folders_by_age(room: Path) -> dict[Path, float]:
    """Folder → when it was last changed, the oldest first, without what somebody removes meanwhile."""
    changed = {}
    with suppress(FileNotFoundError):
        for folder in room.iterdir():
            with suppress(FileNotFoundError):
                changed[folder] = folder.stat().st_mtime
    return dict(sorted(changed.items(), key=lambda row: row[1]))


def new_folder() -> Path:
    """An empty folder of nobody in particular."""
    return BrowserFiles().new_folder()


def make_private(path: Path) -> Path:
    """The same file, which only this account can read."""
    path.chmod(0o600)
    return path


class SoundPieces:
    """The pieces of sound of one run, as the player's value."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._pieces = folder, []

    def add(self, sound: Audio) -> None:
        path = self._folder / f"{len(self._pieces)}.wav"
        audio.write(path, sound)
        self._pieces.append(f"gradio_api/file={make_private(path)}")

    def value(self, done: bool) -> dict:
        return {"id": self._folder.name, "pieces": list(self._pieces), "done": done}


class SoundFiles:
    """One sound in several formats, written while it is made: a context manager after which `paths` exist."""

    def __init__(self, folder: Path, rate: int, forms: Sequence[str]) -> None:
        self.paths = [folder / f"voiceover.{form}" for form in forms]
        self._rate, self._samples = rate, 0
        self._writers = [audio.Writer(path, rate) for path in self.paths]
        self._open = ExitStack()

    @property
    def seconds(self) -> float:
        """How long it is by now."""
        return self._samples / self._rate

    def add(self, sound: Audio) -> None:
        for writer in self._writers:
            writer.write(sound.samples)
        self._samples += len(sound.samples)

    def __enter__(self) -> SoundFiles:
        for writer in self._writers:
            self._open.enter_context(writer)
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.__exit__(*raised)
        for path in self.paths:
            with suppress(FileNotFoundError):  # it was not finished
                make_private(path)

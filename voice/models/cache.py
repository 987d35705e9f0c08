"""The cache of models: its place, its folders, and which of their files are known to be whole.

VOICE_HOME can set its place. Files are hashed when they arrive and again only when their size or time has
changed. What is deleted is found by reading the names of the cache's own folders.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelError
from voice.models import fetch as fetching
from voice.models.card import Card, Model
from voice.models.staging import fill
from voice.places import expand_home, is_full

_VERSION = r"[0-9a-f]{12}"  # in the name of a folder that was derived
_FETCHED = re.compile(r"hf--.+--" + _VERSION)  # a folder that was fetched, whose revision looks like one


def home() -> Path:
    """Return the folder of the cache: VOICE_HOME, or the platform's place for caches."""
    chosen = os.environ.get("VOICE_HOME")
    if chosen:
        return expand_home(chosen).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "voice"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "voice"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voice"


def derived_folders(name: str | None, source: str | None) -> list[Path]:
    """Return the cache's folders derived from the model `name` (None: of any name) at `source`."""
    stem = r".+" if name is None else re.escape(name)
    pattern = re.compile("-".join([stem, *([source] if source else []), _VERSION]))
    models = home() / "models"
    found = [path for path in models.iterdir() if pattern.fullmatch(path.name)] if models.is_dir() else []
    return [path for path in found if not _FETCHED.fullmatch(path.name)]


def is_derived(name: str) -> bool:
    """Tell whether the cache has a folder of that name which was derived from another model."""
    return any(path.name == name for path in derived_folders(None, None))


def make_folder(folder: Path, name: str, make: Callable[[Path], None]) -> None:
    """Fill a folder of the cache from files of this machine. Raises ModelError if the disk is full."""
    try:
        fill(folder, make)
    except OSError as error:
        if is_full(error):
            raise fetching.no_room(name, folder) from error
        raise


def discard(folder: Path) -> None:
    """Delete a folder of the cache. Raises ModelError for any other folder."""
    if folder.parent != home() / "models":
        raise ModelError(f"{folder} is not in the cache; delete it yourself")
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)
    forget_verified(folder)


def discard_older(newest: Path, name: str, source: str | None) -> None:
    """Delete folders that were derived earlier from the same model."""
    for older in derived_folders(name, source):
        if older != newest:
            with suppress(OSError):  # another process may be faster
                discard(older)


def open_verified(folder: Path, card: Card, name: str) -> Model:
    """Return the model that was asked for as `name`, its files hashed unless they have not changed since.

    Raises ModelDamaged for files that are not what the card says.
    """
    if _note(folder) != _stamp(folder, card.files):
        try:
            fetching.verify(folder, card.files)
        except ModelDamaged as error:
            again = f"voice models get {name}" if home() / "models" in folder.parents else "write it again"
            raise ModelDamaged(f"{error}; to have it anew: {again}") from error
        note_verified(folder, card.files)
    return Model(card, folder)


def _stamp(folder: Path, files: Mapping[str, str]) -> dict[str, Sequence[Any]]:
    """Return the hash, size and time of each file; if they are equal, no file has changed."""
    stats = {name: (folder / name).stat() for name in files if (folder / name).is_file()}
    return {name: [files[name], stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}


def _note_path(folder: Path) -> Path:
    """Return the file that notes which files of a model folder were verified."""
    return home() / "checked" / f"{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:24]}.json"


def _note(folder: Path) -> Any:
    """Return the note on a model folder, None if there is none."""
    try:
        return json.loads(_note_path(folder).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def note_verified(folder: Path, files: Mapping[str, str]) -> None:
    """Note that the files of a model folder have these hashes."""
    path = _note_path(folder)
    beside = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(_stamp(folder, files)), "utf-8")
        beside.replace(path)
    except OSError:
        pass  # a cache that cannot be written costs a hash at every load, no more


def forget_verified(folder: Path) -> None:
    """Remove the note on a model folder, so that its files are hashed again."""
    _note_path(folder).unlink(missing_ok=True)

"""Filling a folder in steps that may break off: whole or not there, by one process at a time, without litter.

What is being filled lies beside its destination under a name that follows from it, so that the next try
finds it: it goes on there, or starts anew where that cannot be gone on with.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from voice.errors import ModelError

FETCHING, MAKING = ".fetching-", ".making-"  # what can be gone on with, and what cannot
STALE = 7 * 24 * 3600.0  # s: a half-fetched model that nobody went on with


def fill(folder: Path, make: Callable[[Path], None], *, resumable: bool = False) -> None:
    """Let `make` fill a folder of its own, which then becomes `folder`; nothing happens if that is there.

    Other processes that want the same wait. Whatever breaks off leaves nothing, or, if it is `resumable`,
    what it has for the next call to go on with. Raises ModelError where nothing can be written, and what
    `make` raises.
    """
    stage = half(folder, resumable)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        _lock(stage).touch()
    except OSError as error:
        place = f"{folder.parent} cannot be written ({error.strerror})"
        raise ModelError(f"{place}; set VOICE_HOME to a folder that can be") from error
    with _alone(stage) as kept:
        if folder.is_dir():
            return
        if not resumable:
            shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(exist_ok=True)
        try:
            make(stage)
            stage.rename(folder)
        except BaseException:
            if resumable and any(path.is_file() for path in stage.rglob("*")):
                kept.append(stage)
            else:
                shutil.rmtree(stage, ignore_errors=True)
            raise


def half(folder: Path, resumable: bool = True) -> Path:
    """Return the folder in which `folder` lies until it is whole."""
    return folder.with_name(f"{FETCHING if resumable else MAKING}{folder.name}")


@contextmanager
def _alone(stage: Path) -> Iterator[list[Path]]:
    """Hold a lock on filling `stage`. The lock's file is removed, unless something is put into the list."""
    from filelock import FileLock

    with FileLock(_lock(stage)):
        kept: list[Path] = []
        try:
            yield kept
        finally:
            if not kept:
                with suppress(OSError):  # Windows removes no file that is open
                    _lock(stage).unlink()


def _lock(stage: Path) -> Path:
    return stage.with_name(f"{stage.name}.lock")


def _sweep(parent: Path) -> None:
    """Remove what killed processes have left in `parent` that nobody will go on with."""
    from filelock import FileLock, Timeout

    for stage in [
        path for path in parent.iterdir() if path.name.startswith((FETCHING, MAKING)) and path.is_dir()
    ]:
        with suppress(OSError, Timeout):
            fresh = time.time() - stage.stat().st_mtime < STALE
            if not (fresh and stage.name.startswith(FETCHING)):
                with FileLock(_lock(stage), blocking=False):
                    shutil.rmtree(stage, ignore_errors=True)
                    _lock(stage).unlink(missing_ok=True)

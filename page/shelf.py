"""Where the page keeps pieces of sound and downloads while it runs."""

from __future__ import annotations

import shutil
import tempfile
import threading
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path

from voice import audio
from voice.types import Audio

KEPT = 60  # folders; the oldest make room
_tidying = threading.Lock()


@lru_cache(maxsize=1)
def shelf() -> Path:
    """Where pieces of sound and downloads lie while the page runs."""
    return Path(tempfile.mkdtemp(prefix="voice-page-"))


def new_folder() -> Path:
    """An empty folder on the shelf; the oldest ones make room."""
    with _tidying:
        runs = sorted(shelf().iterdir(), key=lambda folder: folder.stat().st_mtime)
        for old in runs[: max(0, len(runs) - KEPT)]:
            shutil.rmtree(old, ignore_errors=True)
    folder = shelf() / uuid.uuid4().hex
    folder.mkdir()
    return folder


def clear() -> None:
    """Removes all that is kept."""
    shutil.rmtree(shelf(), ignore_errors=True)


class Stream:
    """The pieces of sound of one run, as the player's value."""

    def __init__(self) -> None:
        self._folder, self._pieces = new_folder(), []

    def add(self, sound: Audio) -> None:
        path = self._folder / f"{len(self._pieces)}.wav"
        audio.write(path, sound)
        self._pieces.append(f"gradio_api/file={path}")

    def value(self, done: bool) -> dict:
        return {"id": self._folder.name, "pieces": list(self._pieces), "done": done}


class Written:
    """One sound in several formats, written while it is made: a context manager after which `paths` exist."""

    def __init__(self, rate: int, forms: Sequence[str]) -> None:
        folder = new_folder()
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

    def __enter__(self) -> Written:
        for writer in self._writers:
            self._open.enter_context(writer)
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.__exit__(*raised)

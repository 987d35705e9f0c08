"""Notes: in a text file that a person can read and change too, or only for as long as a conversation lasts.

Each note is a line, `- 2026-11-22 15:05 buy milk`; any other line is kept as it stands. Every
change writes a new file beside the old one and puts it in its place, so that a crash loses nothing.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from voice.errors import VoiceError
from voice.places import expanded

MOST = 1000
LONGEST = 500  # characters
_LINE = re.compile(r"- (\d{4}-\d\d-\d\d \d\d:\d\d) (.+)")


@dataclass(frozen=True)
class Note:
    """What was noted, and when."""

    text: str
    time: datetime

    def __str__(self) -> str:
        return f"- {self.time:%Y-%m-%d %H:%M} {self.text}"


def default_path() -> Path:
    """The file of notes: VOICE_NOTES, or one in the platform's place for a user's data."""
    chosen = os.environ.get("VOICE_NOTES", "").strip()
    if chosen:
        return expanded(chosen).absolute()
    if sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return folder / "voice" / "notes.md"


class Notes:
    """The notes in one file, which is read anew each time; it need not be there yet.

    Conversations of one process may share it. Without a path the notes are kept in memory alone: those of
    somebody who talks to a server that others talk to as well. All methods raise VoiceError where the file
    cannot be read or written.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = expanded(path) if path else None
        self._unwritten: list[str] = []  # the lines where there is no file
        self._lock = threading.Lock()

    @property
    def lasting(self) -> bool:
        """Whether they are still there when the conversation has ended."""
        return self.path is not None

    @property
    def all(self) -> tuple[Note, ...]:
        """Every note, the oldest first."""
        return tuple(note for line in self._lines() if (note := _read(line)))

    def take(self, text: str, now: datetime) -> Note:
        """Adds a note. Raises ValueError where it is empty, too long, or one too many."""
        text = " ".join(text.split())
        if not text:
            raise ValueError("There is nothing to note.")
        if len(text) > LONGEST:
            raise ValueError("That is too long for a note.")
        note = Note(text, now.replace(second=0, microsecond=0))
        with self._lock:
            lines = self._lines()
            if len(lines) >= MOST:
                raise ValueError(f"There are {MOST} notes already. Delete some first.")
            self._write([*lines, str(note)])
        return note

    def drop(self, unwanted: Callable[[Note], bool]) -> tuple[Note, ...]:
        """Deletes notes; says which they were."""
        with self._lock:
            lines = self._lines()
            gone = [line for line in lines if (note := _read(line)) and unwanted(note)]
            if gone:
                self._write([line for line in lines if line not in gone])
        return tuple(_read(line) for line in gone)

    def _lines(self) -> list[str]:
        if self.path is None:
            return [*self._unwritten]
        try:
            return self.path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise VoiceError(f"the notes at {self.path} cannot be read: {error}") from error

    def _write(self, lines: list[str]) -> None:
        if self.path is None:
            self._unwritten = lines
            return
        text = "".join(f"{line}\n" for line in lines)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(beside, self.path.resolve())
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise VoiceError(f"the notes at {self.path} cannot be written: {error}") from error


def _read(line: str) -> Note | None:
    found = _LINE.fullmatch(line.strip())
    if not found:
        return None
    try:
        return Note(found[2], datetime.strptime(found[1], "%Y-%m-%d %H:%M"))
    except ValueError:
        return None

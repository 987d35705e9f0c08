"""Notes, in a text file that a person can read and edit, or in memory while a conversation lasts.

Each note is a line, `- 2026-11-22 15:05 buy milk`; all other lines are kept. Every change writes a new
file beside the old one and renames it, so that a crash loses nothing.
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
from voice.places import expand_home

MOST_NOTES = 1000
LONGEST_NOTE = 500  # characters
_NOTE_LINE = re.compile(r"- (\d{4}-\d\d-\d\d \d\d:\d\d) (.+)")


@dataclass(frozen=True)
class Note:
    """The text of a note, and the time at which it was taken."""

    text: str
    time: datetime

    def __str__(self) -> str:
        return f"- {self.time:%Y-%m-%d %H:%M} {self.text}"


def default_path() -> Path:
    """Return the file of notes: VOICE_NOTES, or `notes.md` in the user data folder of the platform."""
    chosen = os.environ.get("VOICE_NOTES", "").strip()
    if chosen:
        return expand_home(chosen).absolute()
    if sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return folder / "voice" / "notes.md"


class Notes:
    """The notes in one file, which need not exist yet and is read again each time.

    Conversations of one process may share it. Without a path the notes are in memory alone, as those of
    a client of a server are. All methods raise VoiceError if the file cannot be read or written.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = expand_home(path) if path else None
        self._in_memory: list[str] = []  # the lines if there is no file
        self._lock = threading.Lock()

    @property
    def are_kept(self) -> bool:
        """Whether the notes stay when the conversation has ended."""
        return self.path is not None

    @property
    def all(self) -> tuple[Note, ...]:
        """Return every note, the oldest first."""
        return tuple(note for line in self._lines() if (note := _parse_note(line)))

    def add(self, text: str, now: datetime) -> Note:
        """Add a note. Raises ValueError if it is empty or too long, or if there are too many."""
        text = " ".join(text.split())
        if not text:
            raise ValueError("There is nothing to note.")
        if len(text) > LONGEST_NOTE:
            raise ValueError("That is too long for a note.")
        note = Note(text, now.replace(second=0, microsecond=0))
        with self._lock:
            lines = self._lines()
            if len(lines) >= MOST_NOTES:
                raise ValueError(f"There are {MOST_NOTES} notes already. Delete some first.")
            self._write([*lines, str(note)])
        return note

    def delete(self, unwanted: Callable[[Note], bool]) -> tuple[Note, ...]:
        """Delete notes, and return them."""
        with self._lock:
            lines = self._lines()
            gone = {line: note for line in lines if (note := _parse_note(line)) and unwanted(note)}
            if gone:
                self._write([line for line in lines if line not in gone])
            return tuple(gone[line] for line in lines if line in gone)

    def _lines(self) -> list[str]:
        if self.path is None:
            return [*self._in_memory]
        try:
            return self.path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise VoiceError(f"the notes at {self.path} cannot be read: {error}") from error

    def _write(self, lines: list[str]) -> None:
        if self.path is None:
            self._in_memory = lines
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


def _parse_note(line: str) -> Note | None:
    """Return the note in a line, or None if the line is something else."""
    found = _NOTE_LINE.fullmatch(line.strip())
    if not found:
        return None
    try:
        return Note(found[2], datetime.strptime(found[1], "%Y-%m-%d %H:%M"))
    except ValueError:
        return None

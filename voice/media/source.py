"""A source of media from anybody: one open file or pipe, read within limits of time and size.

FFmpeg gets an open file and never a path. Its reading ends when no byte is new for a while, or when the
caller is interrupted. A pipe is read in the same way, but the time of waiting for it does not count.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from voice.errors import AudioError

Source = str | Path | BinaryIO
STALL_LIMIT = 20.0  # seconds without a byte that is new, after which a file counts as one without end
PIPE_LIMIT = 4 * 2**30  # bytes that come through a pipe at most: they are kept on disk
BLOCK = 2**16  # bytes read at a time
REREAD_LIMIT = 2**22  # bytes that came through a pipe and can be read again, where one file follows another
HEADER_LIMIT = 64 * 2**20  # bytes before the sound, as the index of a day of video has


@dataclass(frozen=True)
class Form:
    """A container that FFmpeg need not guess: its name there, and what its header doesn't say."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)


def name_of(source: Source) -> str:
    """Return what messages call a source: its path, its name, or that it is standard input."""
    if source == "-":
        return "standard input"
    name = source if isinstance(source, (str, Path)) else getattr(source, "name", None)
    return os.fsdecode(name) if isinstance(name, (str, bytes, Path)) else "the stream"  # not a number


class Media:
    """One open file, as FFmpeg may use it: it is read from `start` on and has a name without a place.

    `begin` starts the clock anew; where it runs out, or anything goes wrong, FFmpeg gets an end of file
    (an exception would be lost in it) and `check` raises the reason. With a `form`, `file` holds what
    arrives in a pipe: FFmpeg reads on and never back.
    """

    def __init__(self, file: BinaryIO | Arrived, called: str, form: Form | None = None) -> None:
        self.called, self.form = called, form
        self.name = "sound" + "".join(re.findall(r"\.\w{1,8}$", called, re.ASCII))  # FFmpeg looks at endings
        self.start = 0
        self._file, self._furthest = file, 0
        self._failure: BaseException | None = None
        self._allowed: int | None = None  # bytes that may still be read, where that is bounded
        self.begin()

    def begin(self) -> None:
        """Give FFmpeg its time anew, as there is something new of the file."""
        self._latest = time.monotonic() + STALL_LIMIT

    def allow(self, size: int | None) -> None:
        """Let FFmpeg read `size` bytes more, or any number: what it reads of a header it keeps."""
        self._allowed = size

    def check(self) -> None:
        """Raise what went wrong while FFmpeg was reading."""
        self._hurry()
        if self._failure is not None:
            raise self._failure

    def seekable(self) -> bool:
        return self.form is None

    def read(self, size: int) -> bytes:
        """Read for FFmpeg; an error ends the data and is kept for `check`."""
        try:
            self._hurry()
            piece = b"" if self._failure else self._next(size)
            if isinstance(piece, str):
                raise AudioError(f"{self.called} is open as text; open it as binary, with the mode rb")
            if piece and (position := self._file.tell()) > self._furthest:
                self._furthest = position
                self.begin()
            if self._allowed is not None:
                self._allowed -= len(piece)
                if self._allowed < 0:
                    raise AudioError(
                        f"{self.called} has more than {HEADER_LIMIT >> 20} MB besides its sound;"
                        " save it without covers and attachments"
                    )
            return bytes(piece[:size])
        except BaseException as error:  # Ctrl-C too: it must come through FFmpeg
            self._failure = self._failure or error
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek for FFmpeg, relative to `start`; -1 means that it is not possible."""
        try:
            self._hurry()
            position = self._file.seek(offset + self.start * (whence == 0), whence)
            return -1 if self._failure else (self._file.tell() if position is None else position) - self.start
        except (OSError, ValueError):  # a place that there is not, which damaged files name
            return -1
        except BaseException as error:
            self._failure = self._failure or error
            return -1

    def tell(self) -> int:
        return self._file.tell() - self.start

    def peek(self, place: int, size: int) -> bytes:
        """Read somewhere else, nothing where that is not kept; FFmpeg's own place in the file stays."""
        before = self.tell()
        piece = self.read(size) if self.seek(place) >= 0 else b""
        self.seek(before)
        return piece

    def _next(self, size: int) -> bytes:
        """Read from the file; the time that a pipe takes does not count."""
        begun = time.monotonic()
        piece = self._file.read(size) or b""
        if self.form:  # who is silent has not taken FFmpeg's time
            self._latest += time.monotonic() - begun
        return piece

    def _hurry(self) -> None:
        """Note an error if nothing new has been read for STALL_LIMIT."""
        if time.monotonic() > self._latest and not self._failure:
            self._failure = AudioError(
                f"{self.called} never comes to an end: nothing new came of it for {STALL_LIMIT:.0f} s;"
                " export it again"
            )


class Arrived:
    """What arrives in a pipe, as a file: it is read once, and its last `REREAD_LIMIT` bytes again."""

    def __init__(self, more: Callable[[int], bytes]) -> None:
        """Take `more`, which returns at most so many bytes, waits for one, and returns none at the end."""
        self._more = more
        self._kept = bytearray()
        self._begin = self._place = 0  # of what is kept; of what is read next

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes from here on, waiting for one; none at the end."""
        first = self._place - self._begin
        piece = bytes(self._kept[first : first + size])
        if not piece and size:
            piece = self._more(size)
            self._kept += piece
            del self._kept[: (let_go := max(0, len(self._kept) - REREAD_LIMIT))]
            self._begin += let_go
        self._place += len(piece)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place that is kept. Raises OSError for any other."""
        if whence or not self._begin <= offset <= self._begin + len(self._kept):
            raise OSError("this cannot be read again: it came through a pipe")
        self._place = offset
        return offset

    def tell(self) -> int:
        return self._place


@contextmanager
def open_media(source: Source) -> Iterator[Media]:
    """Open a source as `Media`, from its beginning; a pipe is kept in a temporary file. Raises AudioError."""
    called = name_of(source)
    with ExitStack() as stack:
        file = _file(source, stack)
        with convert_read_errors(called):
            if not can_seek(file):
                file = _copy_pipe(file, called, stack.enter_context(tempfile.TemporaryFile()))
            file.seek(0)
        yield Media(file, called)


@contextmanager
def convert_read_errors(called: str) -> Iterator[None]:
    """Raise every error of reading a file as an AudioError that names it."""
    try:
        yield
    except (AudioError, GeneratorExit):
        raise
    except MemoryError as error:
        raise AudioError(f"{called} needs more memory than there is; cut it into shorter files") from error
    except OSError as error:
        raise AudioError(f"{called} cannot be read ({error}); copy it anew") from error
    except Exception as error:
        raise AudioError(f"{called} cannot be read as sound ({error}); export it again") from error


def _file(source: Source, stack: ExitStack) -> BinaryIO:
    """Return the open file that a source is or names."""
    if source == "-":
        pipe: BinaryIO | None = getattr(sys.stdin, "buffer", None)
        if pipe is None or pipe.closed:
            raise AudioError("standard input is closed; name a file, or send a recording into the command")
        return pipe
    if not isinstance(source, (str, Path)):
        return source
    path = Path(source)
    try:
        if path.is_dir():
            raise AudioError(f"{path} is a directory; name the files in it")
        file = stack.enter_context(path.open("rb"))
        empty = path.is_file() and path.stat().st_size == 0
    except FileNotFoundError as error:
        if "://" in str(source):
            raise AudioError(f"{source} is an address; save the file and name that") from error
        raise AudioError(f"{path} does not exist; check the path") from error
    except PermissionError as error:
        raise AudioError(f"{path} cannot be opened; check its permissions") from error
    except (OSError, ValueError) as error:
        raise AudioError(f"{path} cannot be opened ({error}); check the path") from error
    if empty:
        raise AudioError(f"{path} is empty; record or copy it again")
    return file


def can_seek(file: BinaryIO) -> bool:
    """Tell whether an open file can be read more than once. Raises ValueError if it is closed."""
    seekable = getattr(file, "seekable", None)
    return hasattr(file, "seek") and hasattr(file, "tell") and (seekable is None or seekable())


def _copy_pipe(pipe: BinaryIO, called: str, kept: BinaryIO) -> BinaryIO:
    """Copy what comes through a pipe to `kept`, and return it."""
    while piece := pipe.read(BLOCK):
        kept.write(piece)
        if kept.tell() > PIPE_LIMIT:
            raise AudioError(
                f"{called} gave more than {PIPE_LIMIT >> 30} GB; save it as a file and name that"
            )
    return kept

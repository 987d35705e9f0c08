"""What all commands share: notes, errors and progress on standard error, text on standard output."""

from __future__ import annotations

import errno
import functools
import os
import sys
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from voice.cli import interrupts
from voice.errors import AudioError, TextError, VoiceError

Threads = Annotated[int | None, typer.Option(help="Processor cores to use; all if not given.", min=1)]
VoiceName = Annotated[str, typer.Option(metavar="NAME|FOLDER", help="Whose voice.")]
_HINTS = {
    errno.EACCES: "; check its permissions",
    errno.EPERM: "; check its permissions",
    errno.ENOENT: "; check the path",
    errno.ENOSPC: "; make room on that disk",
    errno.EDQUOT: "; make room in your quota of that disk",
}
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # they change the order of what follows


class OutputError(VoiceError):
    """Standard output takes nothing, so that no recording's text can be printed."""


def note(message: str) -> None:
    """Print one line on standard error."""
    if sys.stderr is not None:
        typer.echo(escape_unprintable(message), err=True)


def escape_unprintable(text: str) -> str:
    """Return a name for one line of text: control characters and bytes that are not UTF-8 are escaped."""
    return "".join(_escape_character(letter) if _unprintable(letter) else letter for letter in text)


def _unprintable(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or letter in _TURNING


def _escape_character(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # Python's stand-in for a byte that is not UTF-8
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()


def encodable(text: str, name: str) -> str:
    """Return a text from the command line. Raises TextError where it holds bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TextError(
            f"{name} is not text in UTF-8; set the terminal to UTF-8, or put it into a file"
        ) from None
    return text


def put(text: str) -> None:
    """Write to standard output at once. Raises BrokenPipeError where nobody reads it, OutputError."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; name a file with --output")
    try:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        raise OutputError(f"standard output cannot be written: {reason(error)}") from error


def standard_input() -> BinaryIO:
    """Return standard input as bytes. Raises AudioError where this program was started without one."""
    if sys.stdin is None:
        raise AudioError("standard input is closed; name a file, or pipe something into this command")
    return sys.stdin.buffer


def error_message(error: Exception) -> str:
    """Return an error's message; for a file that could not be used, its name and what to look at."""
    if isinstance(error, VoiceError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for it; end other programs, or use a smaller model"
    if not isinstance(error, OSError):
        place = traceback.extract_tb(error.__traceback__)[-1:]
        where = f" ({Path(place[0].filename).name}:{place[0].lineno})" if place else ""
        return f"{type(error).__name__}: {error}{where}; nobody has foreseen this, please report it"
    return f"{error.filename}: {reason(error)}" if error.filename else reason(error)


def reason(error: OSError) -> str:
    """Return why a file could not be used, and what to do about it."""
    return (error.strerror or str(error)) + _HINTS.get(error.errno or 0, "")


def plainly(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose foreseen failures are one line each, without a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_, **__: note(f"warning: {message}")
            try:
                command(*args, **options)
            except BaseException as error:
                status = _status(error)
                if status is None:
                    raise
                raise typer.Exit(status) from None

    return run


def _status(error: BaseException) -> int | None:
    """Print what ended a command and return the exit status; None for an unforeseen error."""
    ended = interrupts.came() or error
    if isinstance(ended, KeyboardInterrupt):
        interrupts.claim()
        ended = ended if isinstance(ended, interrupts.ProgramInterrupted) else interrupts.ProgramInterrupted()
        note(str(ended))
        return ended.status
    if isinstance(error, BrokenPipeError):  # whoever read our output has seen enough
        _drop_output()
        return 1
    if isinstance(error, (VoiceError, OSError)):
        note(f"error: {error_message(error)}")
        return 1
    return None


def _drop_output() -> None:
    """Send nowhere what is still to be written to standard output: the end would try it again."""
    with suppress(OSError):  # it may be no file of the system
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_terminal() -> bool:
    """Tell whether standard error is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def prints_to_terminal() -> bool:
    """Tell whether standard output is a terminal; it may be closed."""
    return sys.stdout is not None and sys.stdout.isatty()


@dataclass(frozen=True)
class Bar:
    """How far the work is: called with `done` and `total`; text for standard output goes past it."""

    move: Callable[[float, float], None]
    aside: Callable[[], AbstractContextManager[None]] = nullcontext

    def __call__(self, done: float, total: float) -> None:
        self.move(done, total)

    def put(self, text: str) -> None:
        """Print as `put` does; on a terminal, above the bar."""
        with self.aside():
            put(text)


@contextmanager
def progress(label: str, unit: str = "") -> Iterator[Bar]:
    """Show a bar on the terminal, with the time left.

    `unit` is "bytes" for a download, and nothing for a share. Without a terminal nothing is drawn;
    a download is then announced when it begins.
    """
    if not is_terminal():
        yield Bar(_announcement(label) if unit == "bytes" else lambda done, total: None)
        return
    from rich import progress as bars
    from rich.console import Console

    share = [bars.DownloadColumn()] if unit == "bytes" else [bars.TaskProgressColumn()]
    name = bars.TextColumn("{task.description}", markup=False)  # brackets in a file's name are no markup
    columns = [name, bars.BarColumn(), *share, bars.TimeRemainingColumn()]
    drawn = bars.Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)

    @contextmanager
    def aside() -> Iterator[None]:
        drawn.stop()
        yield
        drawn.start()

    with drawn, interrupts.keeping(drawn.stop):  # which gives the terminal its cursor back
        task = drawn.add_task(
            escape_unprintable(label), total=None, visible=unit != "bytes"
        )  # nothing may have to be fetched
        yield Bar(
            lambda done, total: drawn.update(task, completed=done, total=total or None, visible=True),
            aside if prints_to_terminal() else nullcontext,
        )


def _announcement(label: str) -> Callable[[float, float], None]:
    """Return a progress function that prints one line before the first byte, and nothing after it."""
    announced = False

    def announce(done: float, total: float) -> None:
        nonlocal announced
        if not announced:
            note(f"{label} ({total / 1e6:.0f} MB)")
        announced = True

    return announce

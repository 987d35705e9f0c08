"""What all commands share: notes and progress on standard error, errors in one line."""

from __future__ import annotations

import errno
import functools
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from voice.errors import VoiceError

Threads = Annotated[int | None, typer.Option(help="Processor cores to use; all if not given.", min=1)]
VoiceName = Annotated[str, typer.Option(metavar="NAME|FOLDER", help="Whose voice.")]
_HINTS = {
    errno.EACCES: "; check its permissions",
    errno.EPERM: "; check its permissions",
    errno.ENOENT: "; check the path",
    errno.ENOSPC: "; make room on that disk",
}
INTERRUPTED = 130  # what shells expect of a program that Ctrl-C ended


def note(message: str) -> None:
    """One line on standard error."""
    typer.echo(message, err=True)


def explained(error: Exception) -> str:
    """What went wrong; of a file that could not be used, which one it is and what to look at."""
    if not isinstance(error, OSError):
        return str(error)
    what = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
    return what + _HINTS.get(error.errno, "")


def plainly(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose foreseen failures are one line each, without a traceback."""

    @functools.wraps(command)
    def run(*args, **options) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_, **__: note(f"warning: {message}")
            try:
                command(*args, **options)
            except VoiceError as error:
                note(f"error: {error}")
                raise typer.Exit(1) from None
            except KeyboardInterrupt:
                note("interrupted")
                raise typer.Exit(INTERRUPTED) from None
            except BrokenPipeError:  # whoever read our output has seen enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise typer.Exit(1) from None
            except OSError as error:
                note(f"error: {explained(error)}")
                raise typer.Exit(1) from None

    return run


def is_terminal() -> bool:
    """Whether somebody looks at standard error."""
    return sys.stderr.isatty()


@contextmanager
def progress(label: str, unit: str = "") -> Iterator[Callable[[float, float], None]]:
    """A bar on the terminal, with the time left; the function moves it to `done` of `total`.

    `unit` is "bytes" for a download, and nothing for a share. Without a terminal nothing is drawn;
    a download is then announced when it begins.
    """
    if not is_terminal():
        yield _announcement(label) if unit == "bytes" else lambda done, total: None
        return
    from rich import progress as bars
    from rich.console import Console

    share = [bars.DownloadColumn()] if unit == "bytes" else [bars.TaskProgressColumn()]
    columns = [bars.TextColumn("{task.description}"), bars.BarColumn(), *share, bars.TimeRemainingColumn()]
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(label, total=None, visible=unit != "bytes")  # nothing may have to be fetched
        yield lambda done, total: drawn.update(task, completed=done, total=total or None, visible=True)


def _announcement(label: str) -> Callable[[float, float], None]:
    announced = False

    def moved(done: float, total: float) -> None:
        nonlocal announced
        if not announced:
            note(f"{label} ({total / 1e6:.0f} MB)")
        announced = True

    return moved

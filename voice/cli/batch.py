"""Several recordings, one after the other: what happens to one is said in a line, and the others go on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from voice.cli import interrupts
from voice.cli.console import OutputError, error_message, escape_unprintable, note
from voice.cli.jobs import Job
from voice.places import is_full

_ROOM = 1 << 20  # bytes that a disk must have free again before another recording is worth its time


def each(jobs: Sequence[Job], work: Callable[[Job, str], None], what: str = "recordings") -> None:
    """Call `work` with every job and its label for people; exit status 1 if one of them failed.

    Whatever exception one of them ends by is said in one line. Where the disk was full, the jobs that
    follow are not begun before there is room again.
    """
    failed: list[Job] = []
    done, full = 0, False

    def tell() -> None:
        if len(jobs) > 1 and interrupts.came():
            note(f"{done} of {len(jobs)} {what} are done; --skip-existing goes on with the others")

    with interrupts.keeping(tell):
        for number, job in enumerate(jobs, 1):
            full = full and not _has_room(job)
            if full:
                failed.append(job)
                continue
            try:
                work(job, _label(job, number, len(jobs)))
                done += 1
            except (BrokenPipeError, OutputError):
                raise
            except Exception as error:
                interrupts.check()
                failed.append(job)
                full = is_full(error)
                note(f"error: {_with_name(job, error) if len(jobs) > 1 else error_message(error)}")
    if failed:
        sum_up(failed, len(jobs), full, what)
        raise typer.Exit(1)


def _label(job: Job, number: int, count: int) -> str:
    name = escape_unprintable(Path(job.source).name)
    return f"{name} ({number}/{count})" if count > 1 else name


def _with_name(job: Job, error: Exception) -> str:
    """Return an error's message, with the recording's name if the message does not have it."""
    message = error_message(error)
    named = job.source in message or job.source == "-" or (job.target and str(job.target) in message)
    return message if named else f"{job.source}: {message}"


def _has_room(job: Job) -> bool:
    """Tell whether the disk of a job's result has enough free space for it."""
    folder = job.target.parent if job.target else Path(os.curdir)
    try:
        return shutil.disk_usage(folder).free >= _ROOM
    except OSError:
        return True


def sum_up(failed: Sequence[Job], count: int, full: bool, what: str = "recordings") -> None:
    """Print the names of those that failed, if there were several."""
    if count == 1:
        return
    names = ", ".join(job.source for job in failed)
    others = "; the others are done" if len(failed) < count else ""
    note(f"{len(failed)} of {count} {what} failed{others}. Failed: {names}")
    if full:
        note("the disk was full: make room on it, then run this again with --skip-existing")

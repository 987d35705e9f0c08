"""Which recordings there are and where each transcript goes: files and folders → jobs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice.cli.console import note
from voice.errors import AudioError, VoiceError
from voice.media.container import RECORDINGS

# Two of these, one after the other, are no valid file; JSON documents are read one after the other.
APART = ("srt", "vtt", "tsv")


@dataclass(frozen=True)
class Job:
    """A recording, and where its transcript goes; None is standard output.

    `numbered` ones share their name with another recording of this run: nobody can tell by the name of
    a transcript from before which of them it belongs to.
    """

    source: str
    target: Path | None = None
    numbered: bool = False


@dataclass(frozen=True)
class _Found:
    """A recording, and its path below the folder that was named or, without one, its name."""

    source: str
    below: Path


def plan(files: Sequence[str], form: str, output: str | None, *, recursive: bool = False) -> list[Job]:
    """Return where each transcript goes.

    Raises VoiceError where several would go to one file, where subtitles of several would go to standard
    output, and for folders without any recording.
    """
    found = [each for file in files for each in _recordings(file, recursive)]
    if all(os.path.isdir(each.source) for each in found):
        check_recording(found[0].source)
    if output is None or output == "-":
        if len(found) > 1 and form in APART:
            raise VoiceError(f"several recordings as {form} would run together; name a folder with --output")
        return [Job(each.source) for each in found]
    if len(found) == 1 and not os.path.isdir(files[0]) and not _is_folder(output):
        return [Job(found[0].source, Path(output))]
    _check_folder(Path(output), len(found))
    return [
        Job(each.source, Path(output) / f"{name}.{form}", numbered)
        for each, (name, numbered) in zip(found, _names(found), strict=True)
    ]


def check_recording(source: str) -> None:
    """Raise AudioError for a folder, which `plan` leaves in place only if it holds no recording."""
    if os.path.isdir(source):
        raise AudioError(
            f"{source} is a directory without sound or video files; "
            "name another one, or look into its subfolders with --recursive"
        )


def remaining(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs whose transcript is not there yet; say of each other one that it is skipped."""
    rest = []
    for job in jobs:
        if job.target and not job.numbered and job.target.is_file():
            note(f"{job.source} is skipped: {job.target} is there")
        else:
            rest.append(job)
    return rest


def _is_folder(output: str) -> bool:
    return os.path.isdir(output) or output.endswith(("/", os.sep))


def _check_folder(folder: Path, count: int) -> None:
    """Raise VoiceError for a path that is no folder, or whose name looks like that of a file."""
    from voice.text.subtitles import FORMATS

    if folder.exists() and not folder.is_dir():
        raise VoiceError(f"{folder} is a file, and {_there_are(count)}; name a folder")
    if folder.suffix[1:] in FORMATS and not folder.exists():
        raise VoiceError(f"{folder} is a name for one file, and {_there_are(count)}; name a folder")


def _there_are(count: int) -> str:
    return "its recordings come from a folder" if count == 1 else f"there are {count} recordings"


def _recordings(file: str, recursive: bool) -> Iterator[_Found]:
    """Return a file, or the recordings in a folder by name; a folder without any is returned itself."""
    if file == "-" or not os.path.isdir(file):
        yield _Found(file, Path("stdin" if file == "-" else Path(file).name))
        return
    found = sorted(_below(Path(file), recursive))
    if not found:
        yield _Found(file, Path(Path(file).resolve().name or "root"))
    for path in found:
        yield _Found(str(path), path.relative_to(file))


def _below(folder: Path, recursive: bool) -> Iterator[Path]:
    """Return sound and video in a folder, without hidden files and what an interrupted `voice speak` kept.

    A link to a folder counts where that is elsewhere, and once, so that links in circles end.
    """
    entered: set[str] = set()

    def is_new(inside: str, name: str) -> bool:
        path = os.path.join(inside, name)
        real = os.path.realpath(path)
        within = os.path.commonpath([real, os.path.realpath(folder)]) == os.path.realpath(folder)
        return not name.startswith(".") and real not in entered and not (os.path.islink(path) and within)

    for inside, folders, names in os.walk(folder, onerror=_cannot_enter, followlinks=True):
        entered.add(os.path.realpath(inside))
        folders[:] = sorted(name for name in folders if is_new(inside, name)) if recursive else []
        yield from (Path(inside, name) for name in names if _is_media(Path(inside, name)))


def _cannot_enter(error: OSError) -> None:
    note(f"warning: {error.filename} is left out: {error.strerror}")


def _is_media(path: Path) -> bool:
    if path.suffix.lower() not in RECORDINGS or path.name.startswith(".") or path.stem.endswith(".partial"):
        return False
    return path.suffix.lower() != ".ts" or _is_transport_stream(path)


def _is_transport_stream(path: Path) -> bool:
    """Tell whether a file begins as MPEG's packets do; source text in TypeScript has the same ending."""
    try:
        with path.open("rb") as file:
            return file.read(1) == b"G"
    except OSError:
        return True  # which will be said when it is its turn


def _names(found: Sequence[_Found]) -> Iterator[tuple[str, bool]]:
    """Return for each recording the path of its transcript without the ending, and whether it was numbered.

    Where a stem is shared, the whole name makes the difference ("a.mp3", "a.wav"), where that is shared
    too, a number. Some file systems know no case, so it makes no difference here.
    """
    stems = Counter(_plain(each.below.with_suffix("")) for each in found)
    whole = Counter(_plain(each.below) for each in found)
    taken: set[str] = set()
    for each in found:
        stem = str(each.below.with_suffix(""))
        if whole[_plain(each.below)] > 1:
            yield _unique_stem(each.source, stem, taken), True
        else:
            name = stem if stems[_plain(stem)] == 1 else str(each.below)
            taken.add(_plain(name))
            yield name, False


def _plain(name: str | Path) -> str:
    return str(name).lower()


def _unique_stem(source: str, stem: str, taken: set[str]) -> str:
    """Return the stem, with a number if another recording of this run has the same."""
    name, count = stem, 1
    while _plain(name) in taken:
        count += 1
        name = f"{stem}-{count}"
    if count > 1:
        note(f"{source} goes to {name}, as {stem} is taken")
    taken.add(_plain(name))
    return name

"""Where files can be written, found out before there is anything to write."""

from __future__ import annotations

import os
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable
from errno import EDQUOT, ENOSPC
from pathlib import Path

from voice.errors import VoiceError

_LONGEST_NAME = 255  # bytes that file systems take
_partials: set[Path] = set()  # the names of this process, for when it has to end at once


def expand_home(path: str | Path) -> Path:
    """Return a path with the home of its user in place of ~ or ~USER; as it is, if there is no such user."""
    return Path(os.path.expanduser(path))


def check_place(path: Path, error: type[VoiceError] = VoiceError) -> None:
    """Raise `error` if no file of that name can be written."""
    if not path.parent.is_dir():
        raise error(f"{path.parent} is not a directory; make it first")
    if path.is_dir():
        raise error(f"{path} is a directory; name the file to be written")
    if not os.access(path.parent, os.W_OK):
        raise error(f"{path.parent} cannot be written to; check its permissions or name another folder")


def is_full(error: BaseException | None) -> bool:
    """Return whether a disk, or a quota of it, without room is behind an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def partial_path(path: Path) -> Path:
    """Return the hidden name beside `path` under which a file is written until it is whole.

    It is in the same folder, so that renaming it to `path` is one step, and never longer than file
    systems take: of a long name there is the beginning and a checksum.
    """
    mark = f".{os.getpid()}.partial"
    partial = path.with_name(f".{_fitting(path.name, len(mark) + 1)}{mark}")
    _partials.add(partial)
    return partial


def drop_partial(partial: Path) -> None:
    """Remove what is still there under a name of `partial_path`, once the file is whole or given up."""
    partial.unlink(missing_ok=True)
    _partials.discard(partial)


def unfinished_path(path: Path) -> Path:
    """Return where the part is kept that was made of a file before it broke off: `name.partial.srt`."""
    mark = f".partial{path.suffix}"
    return path.with_name(_fitting(path.stem, len(os.fsencode(mark))) + mark)


def remove_partials() -> None:
    """Remove what this process has not finished writing, before it ends without unwinding."""
    for path in list(_partials):
        path.unlink(missing_ok=True)


def remove_leftovers(paths: Iterable[Path]) -> None:
    """Remove the hidden partial files that killed processes have left beside `paths`."""
    folders = defaultdict(set)
    for path in paths:
        folders[path.parent].add(path.name)
    for folder, names in folders.items():
        for entry in os.scandir(folder) if folder.is_dir() else ():
            left = re.fullmatch(r"\.(.+)\.(\d+)\.partial", entry.name, re.DOTALL)
            if left and left[1] in names and not _runs(int(left[2])):
                Path(entry).unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Tell whether a process of that number runs; if the system cannot tell, it counts as running."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _fitting(name: str, more: int) -> str:
    """Return the name, or its beginning and a checksum if it and `more` bytes are too long."""
    encoded, room = os.fsencode(name), _LONGEST_NAME - more
    if len(encoded) <= room:
        return name
    checksum = f"~{zlib.crc32(encoded):08x}"
    return encoded[: room - len(checksum)].decode(errors="ignore") + checksum

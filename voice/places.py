"""Where files can be written, found out before there is anything to write."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from voice.errors import VoiceError

_LONGEST_NAME = 255  # bytes that file systems take


def check_place(path: Path, error: type[VoiceError] = VoiceError) -> None:
    """Raises `error` where there can be no file of that name."""
    if not path.parent.is_dir():
        raise error(f"{path.parent} is not a directory; make it first")
    if path.is_dir():
        raise error(f"{path} is a directory; name the file to be written")
    if not os.access(path.parent, os.W_OK):
        raise error(f"{path.parent} cannot be written to; check its permissions or name another folder")


def partial_path(path: Path) -> Path:
    """Return the hidden name beside `path` under which a file is written until it is whole.

    It is in the same folder, so that renaming it to `path` is one step, and never longer than file
    systems take: of a long name there is the beginning and a checksum.
    """
    mark = f".{os.getpid()}.partial"
    name, room = os.fsencode(path.name), _LONGEST_NAME - len(mark) - 1
    if len(name) <= room:
        return path.with_name(f".{path.name}{mark}")
    checksum = f"~{zlib.crc32(name):08x}"
    return path.with_name(f".{name[: room - len(checksum)].decode(errors='ignore')}{checksum}{mark}")

"""Where files can be written, found out before there is anything to write."""

from __future__ import annotations

import os
from pathlib import Path

from voice.errors import VoiceError


def check_place(path: Path, error: type[VoiceError] = VoiceError) -> None:
    """Raises `error` where there can be no file of that name."""
    if not path.parent.is_dir():
        raise error(f"{path.parent} is not a directory; make it first")
    if path.is_dir():
        raise error(f"{path} is a directory; name the file to be written")
    if not os.access(path.parent, os.W_OK):
        raise error(f"{path.parent} cannot be written to; check its permissions or name another folder")

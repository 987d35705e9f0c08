"""How long a recording is and at what rate it was made, from the file itself; why one cannot be used."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from voice.errors import AudioError
from voice.media.track import pieces


@dataclass(frozen=True)
class Measured:
    """The length in seconds and the rate in Hz of a recording."""

    seconds: float
    rate: int


class Unusable(AudioError):
    """A recording that cannot be used; `kind` is the kind of reason, to count by."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind

    def __str__(self) -> str:
        return str(self.args[1])


def measure(path: Path) -> Measured:
    """Return the length and rate of a recording. Raises Unusable."""
    check_file(path)
    try:
        import soundfile
    except ImportError:
        return _decode(path)
    try:
        info = soundfile.info(path)
        found = Measured(round(info.frames / info.samplerate, 4), info.samplerate)
    except (soundfile.LibsndfileError, ZeroDivisionError):
        return _decode(path)  # what libsndfile does not know: m4a, webm, video
    return _not_empty(path, found)


def _decode(path: Path) -> Measured:
    """Return the length and rate of what FFmpeg decodes, held a piece at a time."""
    count = rate = 0
    try:
        for samples, own in pieces(path, lambda sentence: None):
            count, rate = count + len(samples), own
    except AudioError as error:
        raise Unusable(kind_of(str(error)), str(error)) from error
    return _not_empty(path, Measured(round(count / rate, 4) if rate else 0.0, rate))


def _not_empty(path: Path, found: Measured) -> Measured:
    if found.seconds <= 0:
        raise Unusable("no sound", f"{path} holds no sound; record or copy it again")
    return found


def kind_of(message: str) -> str:
    """Return the kind of reason of an AudioError's sentence."""
    if "has no sound track" in message:
        return "video without sound"
    if "is empty" in message:
        return "no sound"
    return "recording cannot be decoded"


def check_file(path: Path) -> None:
    """Raise Unusable for what is no file that can be read, with the reason and what to do."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        reason = f"{os.fsencode(path)!r} is no name in UTF-8, which a manifest is written in; rename it"
        raise Unusable("name is not UTF-8", reason) from None
    if "\0" in str(path):
        message = f"{str(path)!r} holds a zero byte, which no name has; write the row again"
        raise Unusable("recording cannot be found", message)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise explain(path, error) from error
    if stat.S_ISDIR(mode):
        raise Unusable("not a file", f"{path} is a directory; name the recording in it")
    if not stat.S_ISREG(mode):
        raise Unusable("not a file", f"{path} is a device or a pipe; name a file")
    if not os.access(path, os.R_OK):
        raise explain(path, PermissionError(errno.EACCES, "no permission"))


def explain(path: Path, error: OSError) -> Unusable:
    """Return what an error of the system means for a recording."""
    if error.errno == errno.ELOOP:
        return Unusable(
            "link in a circle", f"{path} is a link that leads to itself; copy the recording there"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return Unusable("no permission", f"{path} may not be read; change its permissions (chmod u+r)")
    if error.errno == errno.ENAMETOOLONG:
        return Unusable(
            "recording cannot be found", f"{str(path)[:80]}… is longer than any path; check its row"
        )
    if os.path.islink(path):
        return Unusable(
            "recording cannot be found", f"{path} is a link to {os.readlink(path)}, which is missing"
        )
    return Unusable(
        "recording cannot be found", f"{path} is missing; check the path, or copy the recording there"
    )

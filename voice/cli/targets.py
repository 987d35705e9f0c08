"""Where results go: what could not be written there, or would cost a recording, is said before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from voice.cli.console import reason
from voice.errors import VoiceError
from voice.media.formats import Encoding, format_of
from voice.places import check_place, drop_partial, partial_path

_LOOKED_AT = 4096  # bytes; sound and video have a zero among the first ones, text has none


def check_sound(path: str, inputs: Iterable[str | Path | None] = (), encoding: Encoding = Encoding()) -> None:
    """Raise VoiceError if sound cannot be written to `path` with `encoding`, or it is one of the `inputs`.

    "-" is a wav stream.
    """
    from voice import audio

    if path == "-":
        encoding.check("wav")
        return
    _check_kept(Path(path), inputs)
    audio.check_target(path)
    encoding.check(format_of(path))


def check_text(path: Path, inputs: Iterable[str | Path | None] = ()) -> None:
    """Raise VoiceError where text cannot be written to `path`: see check_sound; or it holds a recording."""
    from voice.media.formats import ENDINGS

    _check_kept(path, inputs)
    check_place(path)
    if path.suffix.lower() in ENDINGS:
        raise VoiceError(f"{path} is a name for sound; for text, name {path.with_suffix('.txt')}")
    if path.exists():
        with path.open("rb") as file:
            if b"\0" in file.read(_LOOKED_AT):
                raise VoiceError(f"{path} is there and is no text, perhaps a recording; name another file")


def _check_kept(path: Path, inputs: Iterable[str | Path | None]) -> None:
    """Raise VoiceError for a path that must stay as it is: one of the `inputs`, a device or a pipe."""
    if not path.exists() or path.is_dir():
        return
    if any(each and os.path.exists(each) and path.samefile(each) for each in inputs):
        raise VoiceError(f"{path} is read here and would be overwritten; name another file to write")
    if not path.is_file():
        raise VoiceError(f"{path} is no ordinary file; name another, or - for standard output")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    beside = partial_path(path)
    try:
        beside.write_text(text, "utf-8")
        beside.replace(path)
    except OSError as error:
        raise VoiceError(f"{path} cannot be written: {reason(error)}") from error
    finally:
        drop_partial(beside)

"""Recordings, each a file or inside of a shard, which is an uncompressed tar archive of many.

A row of a manifest names a recording in a shard as if the archive were a folder,
`shard-000003.tar/000004711.flac`, and says in `shard_offset` and `shard_bytes` where it is. The archives are
laid out as WebDataset's.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from voice import audio
from voice.errors import AudioError
from voice.types import Audio

OFFSET, BYTES = "shard_offset", "shard_bytes"  # keys of a row


class Recorded(Protocol):
    """A clip as far as its sound is asked for: where that is, and what else its row says."""

    @property
    def audio(self) -> Path: ...
    @property
    def extra(self) -> Mapping[str, Any]: ...


def archive_of(clip: Recorded) -> Path | None:
    """Return the archive that a clip lies in, or None of one that is a file of its own."""
    return clip.audio.parent if OFFSET in clip.extra else None


def read_sound(clip: Recorded, rate: int | None = None) -> Audio:
    """Read the sound of a clip, a file or a part of a shard, as `voice.audio.read` does.

    Raises AudioError where it cannot be read.
    """
    if archive_of(clip) is None:
        return audio.read(clip.audio, rate)
    try:
        return audio.read(BytesIO(read_bytes(clip)), rate)
    except AudioError as error:
        raise AudioError(f"{clip.audio}: {error}") from error


def read_bytes(clip: Recorded) -> bytes:
    """Return the sound of a clip as its file or its shard holds it, encoded. Raises AudioError."""
    archive = archive_of(clip)
    try:
        if archive is None:
            return clip.audio.read_bytes()
        first, count = (_whole(clip, key) for key in (OFFSET, BYTES))
        with archive.open("rb") as file:
            file.seek(first)
            found = file.read(count)
    except OSError as error:
        where = archive or clip.audio
        raise AudioError(f"{where} cannot be read ({error.strerror}); check the path") from error
    if len(found) < count:
        raise AudioError(f"{archive} is cut short before {clip.audio.name}; make the shards again")
    return found


def _whole(clip: Recorded, key: str) -> int:
    """Return a place or a length of a row. Raises AudioError where it is none."""
    value = clip.extra.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
        raise AudioError(f'{clip.audio}: "{key}" is {value!r:.40}, no place in a file; make the shards again')
    return value

"""The tables of MP4 and QuickTime, counted before FFmpeg reads them.

1,500 bytes of such a file can claim tables of gigabytes, for which FFmpeg takes memory.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from voice.errors import AudioError
from voice.media.source import BLOCK, Media

_ENTRIES = 7_000_000  # in the tables of an MP4, as 36 hours of AAC have; each takes FFmpeg 24 to 40 bytes
_KIND = re.compile(rb"[a-z0-9 \xa9]{4}")
_TABLES = re.compile(rb"trak|moof|cmov|hdlr|stts|stsz|stz2|trun|elst|stsc|stco|co64")
_HEAD = 20  # bytes of a table's header, its name included


def check_tables(media: Media) -> None:
    """Raise AudioError if an MP4 claims larger tables than a long recording has."""
    entries, track = 0, _TableCounts()
    for kind, place, head in _tables(media):
        if kind == b"cmov":
            raise AudioError(f"{media.called} has a compressed header; convert it to another format")
        if kind in (b"trak", b"moof"):
            entries, track = entries + track.cost, _TableCounts()
        track.add(kind, head, _fullest_chunk(media, place, head) if kind == b"stsc" else 0)
        if entries + track.cost > _ENTRIES:
            raise AudioError(f"{media.called} claims more pieces than a recording has; export it again")


class _TableCounts:
    """What the tables of a track claim."""

    def __init__(self) -> None:
        self._samples = self._edits = self._chunks = self._fullest = 0
        self._steps: list[tuple[int, int]] = []  # (entries, time of the first one's samples)
        self._kinds: set[bytes] = set()

    def add(self, kind: bytes, head: bytes, fullest: int) -> None:
        """Count what a table announces: `kind` is the type of its box, `head` its first bytes."""
        first, second, third, _ = struct.unpack(">4I", head[4:])  # `first` is version and flags
        if kind in (b"stsz", b"stz2"):
            self._samples += third
        elif kind == b"trun":
            self._samples += second
        elif kind == b"elst":
            self._edits += second
        elif kind in (b"stco", b"co64"):
            self._chunks += second
        elif kind == b"stsc":
            self._fullest = max(self._fullest, fullest)
        elif kind == b"stts":
            self._steps.append((second, struct.unpack(">I", head[16:20])[0]))
        elif kind == b"hdlr":
            self._kinds.add(head[12:16])

    @property
    def cost(self) -> int:
        """Return how many entries FFmpeg keeps: one per sample, or for PCM one per 1,024 samples."""
        chunks = self._chunks * (1 + self._fullest // 1024)
        if self._steps == [(1, 1)] and b"soun" in self._kinds and b"vide" not in self._kinds:
            return chunks
        return self._samples * (self._edits if self._edits > 4 else 1) + chunks


def _tables(media: Media) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield (name, place, first 20 bytes) of whatever may be a table, outside of the media data.

    They are looked for by their names: FFmpeg takes them at any depth.
    """
    for start, end in _boxes(media):
        for place in range(start, end, BLOCK):
            media.seek(place)
            block = media.read(min(BLOCK + _HEAD, end - place))
            for found in _TABLES.finditer(block, 0, BLOCK + 3):
                head = block[found.start() : found.start() + _HEAD].ljust(_HEAD, b"\0")
                yield found.group(), place + found.start(), head


def _boxes(media: Media) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the outermost boxes that are not media data, names included."""
    start, end = 0, media.seek(0, 2)
    while start + 8 <= end:
        media.seek(start)
        head = media.read(16).ljust(16, b"\0")
        size, kind, large = struct.unpack(">I4sQ", head)
        size = {0: end - start, 1: large}.get(size, size)
        if size < 8:
            return
        if kind != b"mdat" and _KIND.fullmatch(kind):
            yield start + 4, min(start + size, end)
        start += size


def _fullest_chunk(media: Media, place: int, head: bytes) -> int:
    """Return the most samples that an `stsc` table puts into a chunk."""
    media.seek(place + 12)
    fullest, left = 0, 12 * struct.unpack(">I", head[8:12])[0]
    while left > 0 and (piece := media.read(min(left, 12 * 4096))):
        whole = piece[: len(piece) // 12 * 12]
        fullest = max([fullest, *(most for _, most, _ in struct.iter_unpack(">III", whole))])
        left = left - len(piece) if len(whole) == len(piece) else 0
    return fullest

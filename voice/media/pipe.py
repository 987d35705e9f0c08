"""Sound as it arrives in a pipe, of containers that can be decoded from their beginning on."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from voice.errors import AudioError
from voice.media.headers import PLACEHOLDER
from voice.media.source import Arrived, Form, Media

HEADER = 12  # bytes that tell a container from raw sound
_WAV = (b"RIFF", b"RF64")
_SIGNATURES = {  # how a file begins: FFmpeg's name of the container
    b"riff": "w64",
    b"fLaC": "flac",
    b"OggS": "ogg",
    b"ID3": "mp3",
    b"\x1aE\xdf\xa3": "matroska",
    b"FORM": "aiff",
    b".snd": "au",
    b"caff": "caf",
    b"FLV": "flv",
}
_AT_ITS_END = ((4, b"ftyp"), (0, b"\x30\x26\xb2\x75"))  # MP4 and ASF: what is needed first may come last
# FLV names no streams before their first packets: those of picture and sound come within a second.
_MORE = {"flv": {"probesize": "1000000", "analyzeduration": "1000000"}}
_HEADERS = 4096  # bytes in which a WAV's samples have begun
# WAV's (format, bits of a sample): FFmpeg's name of bare samples of that kind.
_SAMPLES = {
    (1, 8): "u8", (1, 16): "s16le", (1, 24): "s24le", (1, 32): "s32le",
    (3, 32): "f32le", (3, 64): "f64le", (6, 8): "alaw", (7, 8): "mulaw",
}  # fmt: skip
_EXTENSIBLE = 0xFFFE  # a format that is named further behind


class Pipe(Protocol):
    """Bytes as they arrive: `read` gives at most `size`, waits for one, and gives none at the end.

    `peek` gives the first `size`, or all if there are fewer, and they are read again.
    """

    def read(self, size: int) -> bytes: ...

    def peek(self, size: int) -> bytes: ...


@dataclass(frozen=True)
class _Wav:
    """A WAV header: what its samples are, where they begin, how many bytes they are if it knows."""

    form: str
    options: Mapping[str, str]
    begin: int
    length: int | None


def container_of(begun: bytes) -> str | None:
    """Return FFmpeg's name of the container that begins with these 12 bytes, None for raw sound.

    Raises AudioError for a container that cannot be decoded before all of it is there.
    """
    if any(begun[at : at + len(mark)] == mark for at, mark in _AT_ITS_END):
        raise AudioError(
            "this container cannot be heard as it comes; save it and name the file, or pipe "
            "the sound alone into this command: ffmpeg -i FILE -f wav -"
        )
    if begun.startswith(_WAV):
        return "avi" if begun[8:12] == b"AVI " else "wav"
    return next((form for mark, form in _SIGNATURES.items() if begun.startswith(mark)), None)


def open_pipe(pipe: Pipe, called: str) -> Media | None:
    """Return what begins to arrive as `Media` to be decoded as it comes, None for raw sound.

    Raises AudioError for a container that cannot be decoded before all of it is there.
    """
    name = container_of(pipe.peek(HEADER))
    header = _wav_header(pipe.peek(_HEADERS)) if name == "wav" else None
    if header:
        return Media(Arrived(_Part(pipe, header).read), called, Form(header.form, header.options))
    return Media(Arrived(pipe.read), called, Form(name, _MORE.get(name, {}))) if name else None


class _Part:
    """The samples of a WAV file, without what is before and behind them.

    FFmpeg's own reader of WAV waits for 64 kB before it begins, which are two seconds of speech.
    """

    def __init__(self, pipe: Pipe, header: _Wav) -> None:
        self._pipe, self._left = pipe, header.length
        ahead = header.begin
        while ahead and (data := pipe.read(ahead)):
            ahead -= len(data)

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes of the part."""
        data = (
            self._pipe.read(size if self._left is None else min(size, self._left)) if self._left != 0 else b""
        )
        if self._left is not None:
            self._left -= len(data)
        return data


def _wav_header(begun: bytes) -> _Wav | None:
    """Return the header at the beginning of a file; None if it is longer, or its coding needs FFmpeg."""
    place, form, options = 12, None, {}
    while place + 8 <= len(begun):
        kind, size = struct.unpack_from("<4sI", begun, place)
        if kind == b"data":
            endless = begun.startswith(b"RF64") or size >= PLACEHOLDER or size == 0
            return _Wav(form, options, place + 8, None if endless else size) if form else None
        if kind == b"fmt " and place + 24 <= len(begun):
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", begun, place + 8)
            if tag == _EXTENSIBLE and size >= 26 and place + 34 <= len(begun):
                tag = struct.unpack_from("<H", begun, place + 32)[0]
            form = _SAMPLES.get((tag, bits)) if rate and channels else None
            options = {"sample_rate": str(rate), "ch_layout": f"{channels}c"}
        place += 8 + size + size % 2
    return None

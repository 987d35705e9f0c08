"""Speech in the formats that clients ask for, as it is made."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, cast

from voice.media.encoder import Encoder
from voice.media.formats import Encoding
from voice.types import Speech, Word

MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg; codecs=opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",  # 16 bits, little-endian, 24 kHz
}
LATENCY = 0.2  # seconds of sound that an encoder may hold back


class EncodedPiece(NamedTuple):
    """Some bytes of encoded sound, and the words that end in it, timed from the start of the whole."""

    sound: bytes
    words: tuple[Word, ...]


def encode_stream(
    pieces: Iterator[Speech], form: str, rate: int, tags: Mapping[str, str] | None = None,
    encoding: Encoding = Encoding(),
) -> Generator[EncodedPiece, None, None]:  # fmt: skip
    """Encode pieces of one speech at `rate` Hz, to about as many pieces of bytes.

    `tags` are what the file says of itself, as far as its format has a place for it.
    """
    buffer, words, samples, whole = _EncodedBytes(), list[Word](), 0, False
    encoder = Encoder(
        cast(BinaryIO, buffer),  # of which it needs `write` alone
        form,
        rate,
        latency=LATENCY,
        tags=tags,
        encoding=encoding,
    )
    try:
        for piece in pieces:
            encoder.write(piece.audio.samples)
            words += (word.shifted(samples / rate) for word in piece.words)
            samples += len(piece.audio.samples)
            if sound := buffer.drain():
                yield EncodedPiece(sound, tuple(words))
                words.clear()
        whole = True
    finally:
        encoder.close(whole=whole)
    sound = buffer.drain()
    if sound or words:
        yield EncodedPiece(sound, tuple(words))


def sound_only(pieces: Iterator[EncodedPiece]) -> Generator[bytes, None, None]:
    """Yield the bytes of encoded pieces."""
    for piece in pieces:
        if piece.sound:
            yield piece.sound


def speech_events(pieces: Iterator[EncodedPiece], *, timed: bool = False) -> Generator[bytes, None, None]:
    """Yield encoded pieces as server-sent events, with the times of their words if `timed`."""
    for piece in pieces:
        event: dict[str, Any] = {"type": "speech.audio.delta", "audio": as_base64(piece.sound)}
        yield server_event(event | {"timestamps": timestamps(piece.words)} if timed else event)
    counted = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}  # nothing here is in tokens
    yield server_event({"type": "speech.audio.done", "usage": counted})


def as_base64(sound: bytes) -> str:
    """Return bytes as text."""
    return base64.b64encode(sound).decode()


def timestamps(words: Iterable[Word]) -> list[dict[str, Any]]:
    """Return words with their times in seconds, as Kokoro-FastAPI names them."""
    return [
        {"word": word.text, "start_time": round(word.start, 3), "end_time": round(word.end, 3)}
        for word in words
    ]


def server_event(content: dict[str, Any]) -> bytes:
    """Return one server-sent event."""
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n".encode()


class _EncodedBytes:
    """A file that an encoder writes to, emptied as it fills."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, content: bytes) -> int:
        self._held += content
        return len(content)

    def drain(self) -> bytes:
        """Return what was written since the last call."""
        held, self._held = bytes(self._held), bytearray()
        return held

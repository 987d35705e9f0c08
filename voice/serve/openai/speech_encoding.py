"""Speech in the formats that clients ask for, as it is made."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any, BinaryIO, cast

from voice.media.encoder import Encoder
from voice.media.formats import Encoding
from voice.types import Audio

MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg; codecs=opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",  # 16 bits, little-endian, 24 kHz
}
LATENCY = 0.2  # seconds of sound that an encoder may hold back


def encode_stream(
    pieces: Iterator[Audio],
    form: str,
    rate: int,
    tags: Mapping[str, str] | None = None,
    encoding: Encoding = Encoding(),
) -> Generator[bytes, None, None]:
    """Encode pieces of one sound at `rate` Hz, to about as many pieces of bytes.

    `tags` are what the file says of itself, as far as its format has a place for it.
    """
    buffer = _EncodedBytes()
    encoder = Encoder(
        cast(BinaryIO, buffer),  # of which it needs `write` alone
        form,
        rate,
        latency=LATENCY,
        tags=tags,
        encoding=encoding,
    )
    whole = False
    try:
        for piece in pieces:
            encoder.write(piece.samples)
            yield from buffer.drain()
        whole = True
    finally:
        encoder.close(whole=whole)
    yield from buffer.drain()


def speech_events(pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
    """Yield encoded pieces as server-sent events."""
    for piece in pieces:
        yield server_event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    counted = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}  # nothing here is in tokens
    yield server_event({"type": "speech.audio.done", "usage": counted})


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

    def drain(self) -> Iterator[bytes]:
        """Yield what was written since the last call, if anything."""
        held, self._held = bytes(self._held), bytearray()
        if held:
            yield held

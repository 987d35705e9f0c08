"""Speech in the formats that clients ask for, as it is made."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from voice.audio import Encoder
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


def encode_stream(pieces: Iterator[Audio], form: str, rate: int) -> Iterator[bytes]:
    """Pieces of one sound at `rate` Hz → the bytes of it, about as many pieces."""
    pipe = _EncodedBytes()
    encoder = Encoder(pipe, form, rate, latency=LATENCY)
    whole = False
    try:
        for piece in pieces:
            encoder.write(piece.samples)
            yield from pipe.taken()
        whole = True
    finally:
        encoder.close(whole=whole)
    yield from pipe.taken()


def speech_events(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same as server-sent events."""
    for piece in pieces:
        yield server_event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    counted = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}  # nothing here is in tokens
    yield server_event({"type": "speech.audio.done", "usage": counted})


def server_event(content: dict) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n".encode()


class _EncodedBytes:
    """What an encoder writes to; it is emptied as it fills."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, content: bytes) -> int:
        self._held += content
        return len(content)

    def taken(self) -> Iterator[bytes]:
        """What has been written since, if anything."""
        held, self._held = bytes(self._held), bytearray()
        if held:
            yield held

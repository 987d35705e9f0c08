"""Speech as a wav stream on standard output, its length left open."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from voice.cli.console import OutputError

if TYPE_CHECKING:
    from voice.types import Speech


def write_stream(
    pieces: Iterator[Speech], rate: int, comment: str = "", written_rate: int | None = None
) -> None:
    """Write wav to standard output as the pieces come, its length left open; `comment` says what it is.

    The pieces have `rate` Hz, the stream `written_rate` or the same.
    """
    import struct

    from voice.media.encoder import riff_info
    from voice.media.resampling import at_rate
    from voice.media.samples import as_int16

    if sys.stdout is None:
        raise OutputError("standard output is closed; name a file with --output")
    out = sys.stdout.buffer
    endless = 0xFFFFFFFF  # what players take for "until the stream ends"
    written_rate = written_rate or rate
    form = struct.pack("<IHHIIHH", 16, 1, 1, written_rate, 2 * written_rate, 2, 16)
    out.write(
        b"RIFF"
        + struct.pack("<I", endless)
        + b"WAVEfmt "
        + form
        + (riff_info(comment) if comment else b"")
        + b"data"
        + struct.pack("<I", endless)
    )
    for samples in at_rate(((piece.audio.samples, rate) for piece in pieces), written_rate):
        out.write(as_int16(samples).tobytes())
        out.flush()

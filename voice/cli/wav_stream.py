"""Speech as a wav stream on standard output, its length left open."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from voice.cli.console import OutputError
from voice.types import Speech


def write_stream(pieces: Iterator[Speech], rate: int, comment: str = "") -> None:
    """Write wav to standard output as the pieces come, its length left open; `comment` says what it is."""
    import struct

    import numpy as np

    from voice.media.encoder import riff_info

    if sys.stdout is None:
        raise OutputError("standard output is closed; name a file with --output")
    out = sys.stdout.buffer
    endless = 0xFFFFFFFF  # what players take for "until the stream ends"
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    out.write(
        b"RIFF"
        + struct.pack("<I", endless)
        + b"WAVEfmt "
        + form
        + (riff_info(comment) if comment else b"")
        + b"data"
        + struct.pack("<I", endless)
    )
    for piece in pieces:
        out.write(np.round(np.clip(piece.audio.samples, -1, 1) * 32767).astype("<i2").tobytes())
        out.flush()

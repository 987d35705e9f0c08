"""Encode sound piece by piece, in the formats that can be written."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from voice.media.formats import FORMATS, Encoding
from voice.media.resampling import StreamResampler
from voice.media.samples import as_int16, clip_samples


class Encoder:
    """Sound of `rate` Hz encoded piece by piece into `target`: a path, or what only has a `write`.

    `form` is one of `Writer`'s endings without the dot. With `latency` (seconds), sound comes out
    about that long after it was written, for those who listen meanwhile. `tags` are what the file says of
    itself, such as a "comment"; bare samples (pcm) have no place for any. Raises AudioError for an
    `encoding` that the format has not.
    """

    def __init__(
        self, target: str | BinaryIO, form: str, rate: int, latency: float | None = None,
        tags: Mapping[str, str] | None = None, encoding: Encoding = Encoding(),
    ) -> None:  # fmt: skip
        encoding.check(form, rate)
        container, encoder, usual, *_ = FORMATS[form]
        self._rate = encoding.rate_of(form, rate)
        import av

        live = {} if latency is None else {"flush_packets": "1", "page_duration": f"{latency * 1e6:.0f}"}
        tagged = {"write_id3v2": "1"} if tags and container == "adts" else {}
        self._container = av.open(target, "w", format=container, container_options=live | tagged)
        self._container.metadata.update(tags or {})
        stream = self._container.add_stream(encoder, rate=self._rate, layout="mono")
        assert isinstance(stream, av.AudioStream), f"{encoder} encodes no sound"
        self._stream = stream
        if bit_rate := encoding.bit_rate or usual:
            self._stream.bit_rate = 1000 * bit_rate
        self._resampler = StreamResampler(rate, self._rate)
        self._encoded = 0  # samples

    def write(self, samples: np.ndarray) -> None:
        """Append (T,) samples; what lies outside [-1, 1] is clipped. Raises AudioError for NaN."""
        within = clip_samples(np.asarray(samples, np.float32), "the sound to be written")
        self._encode(self._resampler(within))

    def close(self, *, whole: bool = True) -> None:
        """End the sound, or leave it where it broke off."""
        if whole:
            self._encode(self._resampler.rest())
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def _encode(self, samples: np.ndarray) -> None:
        """Encode (T,) samples as 16-bit integers."""
        if not len(samples):
            return
        import av

        coded = as_int16(samples)
        frame = av.AudioFrame.from_ndarray(coded[None], format="s16", layout="mono")
        frame.sample_rate = self._rate
        # With its time the encoder knows that what it puts before the sound is not of it, and MP4 says so.
        frame.pts, frame.time_base = self._encoded, Fraction(1, self._rate)
        self._encoded += len(coded)
        self._container.mux(self._stream.encode(frame))


def riff_info(comment: str) -> bytes:
    """Return the chunk that a WAV file's comment is in, for those who write its header themselves."""
    text = comment.encode() + b"\0"
    text += b"\0" * (len(text) % 2)
    entry = b"INFOICMT" + struct.pack("<I", len(text)) + text
    return b"LIST" + struct.pack("<I", len(entry)) + entry

"""Sound in and out: any media that FFmpeg reads, any rate and channel count, in bounded memory.

The stream is the primitive: `blocks` decodes, mixes to mono and resamples piece by piece, and
`read` is its fold; `Writer` encodes piece by piece, and `write` is its fold. What cannot be
used raises `AudioError` with a sentence that names the file.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

import numpy as np

from voice.errors import AudioError
from voice.media import track
from voice.media.container import Media, can_seek, explained, name_of
from voice.places import check_place, drop_partial, partial_path
from voice.types import Audio

# suffix: (FFmpeg container, encoder, bits per second or 0, rates it takes or none for any)
_FORMATS = {
    "wav": ("wav", "pcm_s16le", 0, ()),
    "flac": ("flac", "flac", 0, ()),
    "mp3": ("mp3", "libmp3lame", 96_000, (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)),
    "ogg": ("ogg", "libopus", 48_000, (8_000, 12_000, 16_000, 24_000, 48_000)),
    "opus": ("ogg", "libopus", 48_000, (8_000, 12_000, 16_000, 24_000, 48_000)),
    "m4a": ("ipod", "aac", 96_000, (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)),
    "aac": ("adts", "aac", 96_000, (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)),
    "pcm": ("s16le", "pcm_s16le", 0, (24_000,)),  # bare samples have no header to tell another rate
}
ENDINGS = tuple(f".{name}" for name in _FORMATS)  # of what can be written
_LOUDEST_FLOAT = 100.0  # beyond this, floats are integers that nobody scaled
_HELD = 2**28  # samples that `read` holds, unless it is asked for more: a gigabyte, 90 minutes at 48 kHz
_CHUNK = 2**20  # samples that a resampler gives out at a time


def read(source: str | Path | BinaryIO, rate: int | None = None, longest: float | None = None) -> Audio:
    """Read the whole sound of a file, mono, at `rate` Hz or its own.

    `source` is a path, "-" for standard input, or an open binary file, which is read from its beginning.
    Warns where 5 % of the sound track or more is lost. Raises AudioError where there is no usable sound,
    or more than `longest` seconds of it: None are as many as take a gigabyte; `blocks` takes any number.
    """
    pieces = track.pieces(source)
    first = next(pieces)
    rate, held = rate or first[1], []
    longest = _HELD / rate if longest is None else longest
    room = longest * rate
    for samples in _at_rate(chain([first], pieces), rate):
        held.append(samples)
        room -= len(samples)
        if room < 0:
            raise AudioError(
                f"{name_of(source)} is longer than {longest:.0f} s; cut it, or read it in blocks"
            )
    return Audio(np.concatenate(held), rate)


def blocks(
    source: str | Path | BinaryIO, rate: int, seconds: float = 30.0, tell: track.Tell = warnings.warn
) -> Iterator[np.ndarray]:
    """The sound of a file as (rate * seconds,) float32 blocks, the last one shorter, mono at `rate` Hz.

    Holds about one block in memory, whatever the length of the file. Raises as `read` does; `tell` gets
    the sentence on what is lost.
    """
    return _regrouped(_at_rate(track.pieces(source, tell), rate), max(1, round(rate * seconds)))


def arriving(media: Media, rate: int, tell: track.Tell = warnings.warn) -> Iterator[np.ndarray]:
    """Decode what arrives in a pipe → (T,) float32 mono pieces at `rate` Hz, as they come.

    Raises as `read` does; `tell` gets the sentence on what is lost.
    """
    return (samples for samples in _at_rate(track.pieces_of(media, tell), rate) if len(samples))


def length(source: str | Path | BinaryIO) -> float:
    """Return the seconds that a file's sound track has as its header says.

    They are 0 where the header does not say, for what cannot be read, and for what can be read only once:
    standard input, a pipe. A header may err. An open file is left at its beginning.
    """
    try:
        with explained(name_of(source)):
            return track.track_length(source) if _can_be_read_again(source) else 0.0
    except AudioError:
        return 0.0
    finally:
        if not isinstance(source, (str, Path)):
            with suppress(OSError, ValueError):  # of one that is closed, or has no beginning
                source.seek(0)


def _can_be_read_again(source: str | Path | BinaryIO) -> bool:
    if isinstance(source, (str, Path)):
        return source != "-" and Path(source).is_file()
    return can_seek(source)


def from_array(samples: np.ndarray, rate: int) -> Audio:
    """Audio from what other libraries hand over.

    `samples` is (T,), (T, C) or (C, T), the shorter axis being the channels, floats in [-1, 1] or
    integers of any width. Raises AudioError if it is something else or holds NaN.
    """
    if not track.LOWEST_RATE <= rate <= track.HIGHEST_RATE:
        raise AudioError(f"the sampling rate is {rate}; give the samples per second, such as 16000")
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2):
        raise AudioError(f"an array of shape {samples.shape} is no sound; give (T,) or (T, channels)")
    if samples.size == 0:
        raise AudioError("the array is empty; give at least one sample")
    if samples.ndim == 2:
        samples = samples if samples.shape[0] < samples.shape[1] else samples.T
    mono = np.atleast_2d(track.as_float(samples)).mean(axis=0)
    if np.isfinite(mono).all() and np.abs(mono).max() > _LOUDEST_FLOAT:
        raise AudioError("these floats are far outside [-1, 1]; 16-bit samples are to be divided by 32768")
    return Audio(_checked(mono, "the array"), int(rate))


def resample(audio: Audio, rate: int) -> Audio:
    """The same sound at `rate` Hz."""
    if audio.rate == rate or not len(audio.samples):
        return Audio(audio.samples, rate)
    import soxr

    return Audio(soxr.resample(audio.samples, audio.rate, rate), rate)


def check_target(path: str | Path) -> None:
    """Raises AudioError where sound cannot be written to `path`, by its ending or its folder."""
    _format_of(path)
    check_place(Path(path), AudioError)


def write(path: str | Path | BinaryIO, audio: Audio) -> None:
    """Save `audio` in the format that the suffix names; there is the whole file or none."""
    with Writer(path, audio.rate) as writer:
        writer.write(audio.samples)


class Writer:
    """A sound file being written, a context manager; the file appears when it is complete.

    `path` ends in .wav, .flac, .mp3, .ogg, .opus, .m4a, .aac or .pcm; "-" is standard output and an open
    binary file is itself, both as wav. An exception inside the context leaves nothing behind.
    """

    def __init__(self, path: str | Path | BinaryIO, rate: int) -> None:
        self._target = sys.stdout.buffer if path == "-" else path
        form = _format_of(self._target)
        self._partial = _partial_path(self._target)
        self._encoder = Encoder(str(self._partial.absolute()), form, rate)
        self._kept = False

    def __enter__(self) -> Writer:
        return self

    def write(self, samples: np.ndarray) -> None:
        """Append (T,) samples at the writer's rate; what lies outside [-1, 1] is clipped."""
        with _named(self._target):
            self._encoder.write(samples)

    def keep(self, path: Path) -> None:
        """End the sound here and put it at `path`; the writer's own file will not appear."""
        with _named(path):
            self._encoder.close()
            self._partial.replace(path)
        self._kept = True

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._kept:
            return
        try:
            with _named(self._target):
                self._encoder.close(whole=kind is None)
            if kind is None:
                _deliver(self._partial, self._target)
        finally:
            drop_partial(self._partial)


class Encoder:
    """Sound of `rate` Hz encoded piece by piece into `target`: a path, or what only has a `write`.

    `form` is one of `Writer`'s endings without the dot. With `latency` (seconds), sound comes out
    about that long after it was written, for those who listen meanwhile.
    """

    def __init__(self, target: str | BinaryIO, form: str, rate: int, latency: float | None = None) -> None:
        container, encoder, bits, rates = _FORMATS[form]
        self._rate = _nearest_rate(rate, rates)
        import av

        live = {} if latency is None else {"flush_packets": "1", "page_duration": f"{latency * 1e6:.0f}"}
        self._container = av.open(target, "w", format=container, container_options=live)
        self._stream = self._container.add_stream(encoder, rate=self._rate, layout="mono")
        if bits:
            self._stream.bit_rate = bits
        self._resampler = _Resampler(rate, self._rate)

    def write(self, samples: np.ndarray) -> None:
        """Append (T,) samples; what lies outside [-1, 1] is clipped. Raises AudioError for NaN."""
        self._encode(self._resampler(_checked(np.asarray(samples, np.float32), "the sound to be written")))

    def close(self, *, whole: bool = True) -> None:
        """End the sound, or leave it where it broke off."""
        if whole:
            self._encode(self._resampler.rest())
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def _encode(self, samples: np.ndarray) -> None:
        if not len(samples):
            return
        import av

        coded = np.round(np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(coded[None], format="s16", layout="mono")
        frame.sample_rate = self._rate
        self._container.mux(self._stream.encode(frame))


@contextmanager
def _named(target: str | Path | BinaryIO) -> Iterator[None]:
    """What FFmpeg cannot write, with the name that it leaves out."""
    try:
        yield
    except OSError as error:
        raise AudioError(f"{name_of(target)} cannot be written ({error}); name another place") from error


def _checked(samples: np.ndarray, name: str) -> np.ndarray:
    """The samples within [-1, 1]; NaN and infinities are refused, for no repair of them is right."""
    if not np.isfinite(samples).all():
        raise AudioError(f"{name} holds samples that are not numbers (NaN or infinite); export it again")
    return np.clip(samples, -1.0, 1.0)


def _at_rate(pieces: Iterable[tuple[np.ndarray, int]], rate: int) -> Iterator[np.ndarray]:
    """Pieces at their own rates, which may change on the way → pieces at `rate`."""
    for own, group in groupby(pieces, key=itemgetter(1)):
        resampler, step = _Resampler(own, rate), max(1, _CHUNK * own // rate)
        for samples, _ in group:
            for start in range(0, len(samples), step):
                yield resampler(samples[start : start + step])
        yield resampler.rest()


class _Resampler:
    """A stream from one rate to another; nothing happens where they are equal."""

    def __init__(self, own: int, rate: int) -> None:
        self._stream = None
        if own != rate:
            import soxr

            self._stream = soxr.ResampleStream(own, rate, 1, dtype="float32")

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        return self._stream.resample_chunk(samples) if self._stream else samples

    def rest(self) -> np.ndarray:
        nothing = np.zeros(0, np.float32)
        return self._stream.resample_chunk(nothing, last=True) if self._stream else nothing


def _regrouped(pieces: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Pieces of any length → blocks of `size`, the last one shorter."""
    held, length = [], 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= size:
            joined = np.concatenate(held)
            whole = length - length % size
            yield from joined[:whole].reshape(-1, size)
            held, length = [joined[whole:].copy()], length - whole
    if length:
        yield np.concatenate(held)


def _format_of(target: str | Path | BinaryIO) -> str:
    if not isinstance(target, (str, Path)):
        return "wav"
    suffix = Path(target).suffix.lower().lstrip(".")
    if suffix not in _FORMATS:
        raise AudioError(f"{target}: sound can have the endings {', '.join(ENDINGS)}; choose one")
    return suffix


def _nearest_rate(rate: int, rates: tuple[int, ...]) -> int:
    """The lowest rate that loses nothing, of those that an encoder takes."""
    if not rates or rate in rates:
        return rate
    return min((known for known in rates if known > rate), default=max(rates))


def _partial_path(target: str | Path | BinaryIO) -> Path:
    """Where to write until the file is whole: beside it, so that renaming it is one step."""
    if not isinstance(target, (str, Path)):
        handle, name = tempfile.mkstemp(suffix=".partial")
        os.close(handle)
        return Path(name)
    path = Path(target)
    check_place(path, AudioError)
    return partial_path(path)


def _deliver(partial: Path, target: str | Path | BinaryIO) -> None:
    if isinstance(target, (str, Path)):
        partial.replace(target)
    else:
        with partial.open("rb") as whole:
            shutil.copyfileobj(whole, target)

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np

from voice.errors import AudioError
from voice.media import track
from voice.media.encoder import Encoder
from voice.media.formats import Encoding, format_of
from voice.media.report import Tell
from voice.media.resampling import at_rate, regroup
from voice.media.samples import HIGHEST_RATE, LOWEST_RATE, as_float, clip_samples
from voice.media.source import Media, can_seek, convert_read_errors, name_of
from voice.places import check_place, drop_partial, partial_path
from voice.types import Audio

_LOUDEST_FLOAT = 100.0  # beyond this, floats are integers that nobody scaled
_HELD = 2**28  # samples that `read` holds, unless it is asked for more: a gigabyte, 90 minutes at 48 kHz


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
    for samples in at_rate(chain([first], pieces), rate):
        held.append(samples)
        room -= len(samples)
        if room < 0:
            raise AudioError(
                f"{name_of(source)} is longer than {longest:.0f} s; cut it, or read it in blocks"
            )
    return Audio(np.concatenate(held), rate)


def blocks(
    source: str | Path | BinaryIO, rate: int, seconds: float = 30.0, tell: Tell = warnings.warn
) -> Iterator[np.ndarray]:
    """Yield the sound of a file as (rate * seconds,) float32 blocks, the last one shorter, mono at `rate` Hz.

    Holds about one block in memory, whatever the length of the file. Raises as `read` does; `tell` gets
    the sentence on what is lost.
    """
    return regroup(at_rate(track.pieces(source, tell), rate), max(1, round(rate * seconds)))


def arriving(media: Media, rate: int, tell: Tell = warnings.warn) -> Iterator[np.ndarray]:
    """Decode what arrives in a pipe → (T,) float32 mono pieces at `rate` Hz, as they come.

    Raises as `read` does; `tell` gets the sentence on what is lost.
    """
    return (samples for samples in at_rate(track.pieces_of(media, tell), rate) if len(samples))


def length(source: str | Path | BinaryIO) -> float:
    """Return the seconds that a file's sound track has as its header says.

    They are 0 where the header does not say, for what cannot be read, and for what can be read only once:
    standard input, a pipe. A header may err. An open file is left at its beginning.
    """
    try:
        with convert_read_errors(name_of(source)):
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
    """Return Audio from an array of another library.

    `samples` is (T,), (T, C) or (C, T), the shorter axis being the channels, floats in [-1, 1] or
    integers of any width. Raises AudioError if it is something else or holds NaN.
    """
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise AudioError(f"the sampling rate is {rate}; give the samples per second, such as 16000")
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2):
        raise AudioError(f"an array of shape {samples.shape} is no sound; give (T,) or (T, channels)")
    if samples.size == 0:
        raise AudioError("the array is empty; give at least one sample")
    if samples.ndim == 2:
        samples = samples if samples.shape[0] < samples.shape[1] else samples.T
    mono = np.atleast_2d(as_float(samples)).mean(axis=0)
    if np.isfinite(mono).all() and np.abs(mono).max() > _LOUDEST_FLOAT:
        raise AudioError("these floats are far outside [-1, 1]; 16-bit samples are to be divided by 32768")
    return Audio(clip_samples(mono, "the array"), int(rate))


def resample(audio: Audio, rate: int) -> Audio:
    """Return the same sound at `rate` Hz."""
    if audio.rate == rate or not len(audio.samples):
        return Audio(audio.samples, rate)
    import soxr

    return Audio(soxr.resample(audio.samples, audio.rate, rate), rate)


def check_target(path: str | Path) -> None:
    """Raise AudioError if sound cannot be written to `path`, because of its ending or its folder."""
    format_of(path)
    check_place(Path(path), AudioError)


def write(
    path: str | Path | BinaryIO, audio: Audio, tags: Mapping[str, str] | None = None,
    *, rate: int | None = None, bit_rate: int | None = None,
) -> None:  # fmt: skip
    """Save `audio` in the format that the suffix names; there is the whole file or none.

    `tags` are what the file says of itself; see `voice.tts.provenance` for those of synthesized speech.
    `rate` (Hz) and `bit_rate` (kbit/s) are those of the file, usual ones by default. Raises AudioError
    where the format has not got them, or the place cannot be written.
    """
    with Writer(path, audio.rate, tags, Encoding(rate, bit_rate)) as writer:
        writer.write(audio.samples)


class Writer:
    """A sound file being written, a context manager; the file appears when it is complete.

    `path` ends in .wav, .flac, .mp3, .ogg, .opus, .m4a, .aac or .pcm; "-" is standard output and an open
    binary file is itself, both as wav. `tags`, such as a "comment", are what the file says of itself;
    `encoding` is the rate and bit rate of the file. An exception inside the context leaves nothing behind.
    """

    def __init__(
        self, path: str | Path | BinaryIO, rate: int, tags: Mapping[str, str] | None = None,
        encoding: Encoding = Encoding(),
    ) -> None:  # fmt: skip
        self._target = sys.stdout.buffer if path == "-" else path
        form = format_of(self._target)
        encoding.check(form, rate)
        self._partial = _partial_path(self._target)
        self._encoder = Encoder(str(self._partial.absolute()), form, rate, tags=tags, encoding=encoding)
        self._kept = False

    def __enter__(self) -> Writer:
        return self

    def write(self, samples: np.ndarray) -> None:
        """Append (T,) samples at the writer's rate; what lies outside [-1, 1] is clipped."""
        with _convert_write_errors(self._target):
            self._encoder.write(samples)

    def keep(self, path: Path) -> None:
        """End the sound here and put it at `path`; the writer's own file will not appear."""
        with _convert_write_errors(path):
            self._encoder.close()
            self._partial.replace(path)
        self._kept = True

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._kept:
            return
        try:
            with _convert_write_errors(self._target):
                self._encoder.close(whole=kind is None)
            if kind is None:
                _deliver(self._partial, self._target)
        finally:
            drop_partial(self._partial)


@contextmanager
def _convert_write_errors(target: str | Path | BinaryIO) -> Iterator[None]:
    """Raise an error of FFmpeg's writing as AudioError with the name of the target."""
    try:
        yield
    except OSError as error:
        raise AudioError(f"{name_of(target)} cannot be written ({error}); name another place") from error


def _partial_path(target: str | Path | BinaryIO) -> Path:
    """Return the path to write to until the file is whole: beside it, so that renaming it is one step."""
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

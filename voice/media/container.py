"""Open media from anybody: one file, no other file or address, the formats people have, a deadline.

FFmpeg gets an open file and never a path, may open nothing besides, and knows only the containers and
the codecs that are listed here: playlists, scripts, devices and generators of tones are none of them.
Its reading ends when no byte is new for a while, or when the caller is interrupted. What arrives in a
pipe is opened in the same way and decoded as it comes: only the time that it is waited for is free.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import BinaryIO

from voice.errors import AudioError

Source = str | Path | BinaryIO

# As FFmpeg names its demuxers. What refers to other files or is none (hls, concat, image2, sdp, lavfi,
# sbg, tty …) is left out.
CONTAINERS = (
    "wav,w64,aiff,au,caf,voc,nistsphere,sox,ircam,avr,pvf,mp3,aac,loas,ac3,eac3,dts,dtshd,truehd,mlp,amr,"
    "amrnb,amrwb,gsm,g722,sln,alaw,mulaw,qcp,ilbc,flac,ogg,ape,wv,tta,tak,shn,mpc,mpc8,dsf,iff,dss,oma,"
    "matroska,webm,mov,mp4,mpeg,mpegts,avi,flv,live_flv,kux,asf,asf_o,rm,xwma,wtv,mxf,nut,dv"
)
# How files in them are called: what is taken from a folder, and offered to be uploaded.
RECORDINGS = frozenset(
    (
        ".aac .ac3 .aif .aifc .aiff .amr .au .caf .eac3 .flac .m4a .m4b .mka .mp2 .mp3 .mpga .oga .ogg .opus"
        " .snd .spx .tta .w64 .wav .wave .wma .wv"
        " .3g2 .3gp .asf .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm .wmv"
    ).split()
)
_CODEC = re.compile(
    r"aac|aac_latm|e?ac3|dca|truehd|mlp|alac|amr[nw]b|ape|atrac[13]|atrac3plus|cook|dsd_\w+|dss_sp|dvaudio|"
    r"evrc|flac|g72\w+|gsm|gsm_ms|ilbc|imc|mace[36]|mp[123]|mp[23]float|mp1float|mpc[78]|nellymoser|opus|"
    r"libopus|libopencore_amr[nw]b|pcm_\w+|adpcm_(adx|ima_qt|ima_wav|ms|swf|yamaha|ct|xa)|qcelp|qdm2|"
    r"qdmc|ralf|real_(144|288)|s302m|shorten|sipr|speex|tak|truespeech|tta|vorbis|wavpack|wma\w+|8svx_\w+"
)
_NOTHING_NEW = 20.0  # seconds without a byte that is new, after which a file counts as one without end
_STEP = 60.0  # seconds that FFmpeg may take for one packet
_PIPED = 4 * 2**30  # bytes that come through a pipe at most: they are kept on disk
_BLOCK = 2**16  # bytes read at a time
_AT_ONCE = 1024  # bytes of what arrives that are decoded together, 0.03 s of speech
_KEPT = 2**22  # bytes of what arrived that can be read again, where FFmpeg stopped behind a joined file
_AS_IT_COMES = {"probesize": "32", "analyzeduration": "0"}  # the first bytes are enough to begin
_LARGEST = 2**27  # bytes that FFmpeg gets in one piece: its tables grow with what a header claims
_HEADERS = 64 * 2**20  # bytes before the sound, as the index of a day of video has
_STREAMS = 128  # in one container: each has a decoder of its own
_ENTRIES = 7_000_000  # in the tables of an MP4, as 36 hours of AAC have; each takes FFmpeg 24 to 40 bytes


@dataclass(frozen=True)
class Form:
    """A container that FFmpeg need not guess: its name there, and what its header doesn't say."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)


def name_of(source: Source) -> str:
    """Return what messages call a source: its path, its name, or that it is standard input."""
    if source == "-":
        return "standard input"
    name = source if isinstance(source, (str, Path)) else getattr(source, "name", None)
    return os.fsdecode(name) if isinstance(name, (str, bytes, Path)) else "the stream"  # not a number


class Media:
    """One open file, as FFmpeg may use it: it is read from `start` on and has a name without a place.

    `begin` starts the clock anew; where it runs out, or anything goes wrong, FFmpeg gets an end of file
    (an exception would be lost in it) and `check` raises the reason. With a `form`, `file` holds what
    arrives in a pipe: FFmpeg reads on and never back.
    """

    def __init__(self, file: BinaryIO | Arrived, called: str, form: Form | None = None) -> None:
        self.called, self.form = called, form
        self.name = "sound" + "".join(re.findall(r"\.\w{1,8}$", called, re.ASCII))  # FFmpeg looks at endings
        self.start = 0
        self._file, self._failure, self._furthest = file, None, 0
        self._allowed: int | None = None  # bytes that may still be read, where that is bounded
        self.begin()

    def begin(self) -> None:
        """Give FFmpeg its time anew, as there is something new of the file."""
        self._latest = time.monotonic() + _NOTHING_NEW

    def allow(self, size: int | None) -> None:
        """Let FFmpeg read `size` bytes more, or any number: what it reads of a header it keeps."""
        self._allowed = size

    def check(self) -> None:
        """Raise what went wrong while FFmpeg was reading."""
        self._hurry()
        if self._failure is not None:
            raise self._failure

    def seekable(self) -> bool:
        return self.form is None

    def read(self, size: int) -> bytes:
        try:
            self._hurry()
            piece = b"" if self._failure else self._next(size)
            if isinstance(piece, str):
                raise AudioError(f"{self.called} is open as text; open it as binary, with the mode rb")
            if piece and (position := self._file.tell()) > self._furthest:
                self._furthest = position
                self.begin()
            if self._allowed is not None:
                self._allowed -= len(piece)
                if self._allowed < 0:
                    raise AudioError(
                        f"{self.called} has more than {_HEADERS >> 20} MB besides its sound; save it without"
                        " covers and attachments"
                    )
            return bytes(piece[:size])
        except BaseException as error:  # Ctrl-C too: it must come through FFmpeg
            self._failure = self._failure or error
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            self._hurry()
            position = self._file.seek(offset + self.start * (whence == 0), whence)
            return -1 if self._failure else (self._file.tell() if position is None else position) - self.start
        except (OSError, ValueError):  # a place that there is not, which damaged files name
            return -1
        except BaseException as error:
            self._failure = self._failure or error
            return -1

    def tell(self) -> int:
        return self._file.tell() - self.start

    def peek(self, place: int, size: int) -> bytes:
        """Read somewhere else, nothing where that is not kept; FFmpeg's own place in the file stays."""
        before = self.tell()
        piece = self.read(size) if self.seek(place) >= 0 else b""
        self.seek(before)
        return piece

    def _next(self, size: int) -> bytes:
        begun = time.monotonic()
        piece = self._file.read(size) or b""
        if self.form:  # who is silent has not taken FFmpeg's time
            self._latest += time.monotonic() - begun
        return piece

    def _hurry(self) -> None:
        if time.monotonic() > self._latest and not self._failure:
            self._failure = AudioError(
                f"{self.called} never comes to an end: nothing new came of it for {_NOTHING_NEW:.0f} s;"
                " export it again"
            )


class Arrived:
    """What arrives in a pipe, as a file: it is read once, and its last `_KEPT` bytes again."""

    def __init__(self, more: Callable[[int], bytes]) -> None:
        """`more` gives at most so many bytes, waits for one, and gives none at the end."""
        self._more = more
        self._kept = bytearray()
        self._begin = self._place = 0  # of what is kept; of what is read next

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes from here on, waiting for one; none at the end."""
        first = self._place - self._begin
        piece = bytes(self._kept[first : first + size])
        if not piece and size:
            piece = self._more(size)
            self._kept += piece
            del self._kept[: (let_go := max(0, len(self._kept) - _KEPT))]
            self._begin += let_go
        self._place += len(piece)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place that is kept. Raises OSError for any other."""
        if whence or not self._begin <= offset <= self._begin + len(self._kept):
            raise OSError("this cannot be read again: it came through a pipe")
        self._place = offset
        return offset

    def tell(self) -> int:
        return self._place


@contextmanager
def opened(source: Source) -> Iterator[Media]:
    """A source as `Media`, from its beginning; a pipe is kept in a temporary file. Raises AudioError."""
    called = name_of(source)
    with ExitStack() as stack:
        file = _file(source, stack)
        with explained(called):
            if not can_seek(file):
                file = _kept(file, called, stack.enter_context(tempfile.TemporaryFile()))
            file.seek(0)
        yield Media(file, called)


@contextmanager
def contained(media: Media) -> Iterator:
    """The FFmpeg container that `media` holds from its `start` on. Raises AudioError."""
    import av

    _bound_memory()
    media.begin()
    form, known = media.form, _AS_IT_COMES | dict(media.form.options) if media.form else {}
    with explained(media.called):
        if not form:  # no MP4 is decoded as it comes
            _check_tables(media)
        media.seek(0)
        media.allow(_HEADERS)
        try:
            container = av.open(
                media,
                "r",
                metadata_errors="ignore",
                format=form.name if form else None,
                buffer_size=_AT_ONCE if form else _BLOCK,
                timeout=None if form else _STEP,
                container_options={
                    "protocol_whitelist": "none",
                    "format_whitelist": form.name if form else CONTAINERS,
                    "codec_whitelist": ",".join(codecs()),
                    "max_streams": str(_STREAMS),
                    **known,
                },
            )
        except av.FFmpegError as error:
            media.check()
            raise AudioError(_unreadable(media)) from error
        media.check()
        media.allow(None)
    with container:
        yield container


def _unreadable(media: Media) -> str:
    if media.form:
        return (
            f"{media.called} begins as {media.form.name} and cannot be decoded; "
            "pipe WAV or raw sound, 16 bits, 16 kHz, mono"
        )
    return f"{media.called} cannot be read as sound or video; check that it is one and that it is whole"


@contextmanager
def explained(called: str) -> Iterator[None]:
    """Whatever goes wrong in reading a file as an AudioError that names it."""
    try:
        yield
    except (AudioError, GeneratorExit):
        raise
    except MemoryError as error:
        raise AudioError(f"{called} needs more memory than there is; cut it into shorter files") from error
    except OSError as error:
        raise AudioError(f"{called} cannot be read ({error}); copy it anew") from error
    except Exception as error:
        raise AudioError(f"{called} cannot be read as sound ({error}); export it again") from error


@cache
def codecs() -> frozenset[str]:
    """The names of the decoders that files may use: of sound alone, and of what people have."""
    import av

    return frozenset(name for name in av.codecs_available if _CODEC.fullmatch(name))


@cache
def _bound_memory() -> None:
    """Let FFmpeg in this process take no single piece of memory that is larger than `_LARGEST`."""
    import av.buffer

    try:  # PyAV has no name for it; its modules are linked to the library that has
        limit = ctypes.CDLL(av.buffer.__file__).av_max_alloc
    except (AttributeError, OSError):
        return
    limit.argtypes, limit.restype = [ctypes.c_size_t], None
    limit(_LARGEST)


def _file(source: Source, stack: ExitStack) -> BinaryIO:
    """The open file that a source is or names."""
    if source == "-":
        pipe = getattr(sys.stdin, "buffer", None)
        if pipe is None or pipe.closed:
            raise AudioError("standard input is closed; name a file, or send a recording into the command")
        return pipe
    if not isinstance(source, (str, Path)):
        return source
    path = Path(source)
    try:
        if path.is_dir():
            raise AudioError(f"{path} is a directory; name the files in it")
        file = stack.enter_context(path.open("rb"))
        empty = path.is_file() and path.stat().st_size == 0
    except FileNotFoundError as error:
        if "://" in str(source):
            raise AudioError(f"{source} is an address; save the file and name that") from error
        raise AudioError(f"{path} does not exist; check the path") from error
    except PermissionError as error:
        raise AudioError(f"{path} cannot be opened; check its permissions") from error
    except (OSError, ValueError) as error:
        raise AudioError(f"{path} cannot be opened ({error}); check the path") from error
    if empty:
        raise AudioError(f"{path} is empty; record or copy it again")
    return file


def can_seek(file: BinaryIO) -> bool:
    """Whether an open file can be read more than once. Raises ValueError where it is closed."""
    seekable = getattr(file, "seekable", None)
    return hasattr(file, "seek") and hasattr(file, "tell") and (seekable is None or seekable())


def _kept(pipe: BinaryIO, called: str, kept: BinaryIO) -> BinaryIO:
    """What comes through a pipe, in `kept`."""
    while piece := pipe.read(_BLOCK):
        kept.write(piece)
        if kept.tell() > _PIPED:
            raise AudioError(f"{called} gave more than {_PIPED >> 30} GB; save it as a file and name that")
    return kept


# ---- MP4 and QuickTime: 1,500 bytes of such a file can claim tables of gigabytes, which FFmpeg fills.

_KIND = re.compile(rb"[a-z0-9 \xa9]{4}")
_TABLES = re.compile(rb"trak|moof|cmov|hdlr|stts|stsz|stz2|trun|elst|stsc|stco|co64")
_HEAD = 20  # bytes of a table's header, its name included


def _check_tables(media: Media) -> None:
    """Raises AudioError where an MP4 claims larger tables than a long recording has."""
    entries, track = 0, _Track()
    for kind, place, head in _tables(media):
        if kind == b"cmov":
            raise AudioError(f"{media.called} has a compressed header; convert it to another format")
        if kind in (b"trak", b"moof"):
            entries, track = entries + track.cost, _Track()
        track.add(kind, head, _fullest_chunk(media, place, head) if kind == b"stsc" else 0)
        if entries + track.cost > _ENTRIES:
            raise AudioError(f"{media.called} claims more pieces than a recording has; export it again")


class _Track:
    """What the tables of a track claim."""

    def __init__(self) -> None:
        self._samples = self._edits = self._chunks = self._fullest = 0
        self._steps: list[tuple[int, int]] = []  # (entries, time of the first one's samples)
        self._kinds: set[bytes] = set()

    def add(self, kind: bytes, head: bytes, fullest: int) -> None:
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
        """How many entries FFmpeg makes of them: one for each sample, for PCM one for 1,024."""
        chunks = self._chunks * (1 + self._fullest // 1024)
        if self._steps == [(1, 1)] and b"soun" in self._kinds and b"vide" not in self._kinds:
            return chunks
        return self._samples * (self._edits if self._edits > 4 else 1) + chunks


def _tables(media: Media) -> Iterator[tuple[bytes, int, bytes]]:
    """(name, place, first 20 bytes) of whatever may be a table, outside of the media data.

    They are looked for by their names: FFmpeg takes them at any depth.
    """
    for start, end in _boxes(media):
        for place in range(start, end, _BLOCK):
            media.seek(place)
            block = media.read(min(_BLOCK + _HEAD, end - place))
            for found in _TABLES.finditer(block, 0, _BLOCK + 3):
                head = block[found.start() : found.start() + _HEAD].ljust(_HEAD, b"\0")
                yield found.group(), place + found.start(), head


def _boxes(media: Media) -> Iterator[tuple[int, int]]:
    """(start, end) of the outermost boxes that are not media data, names included."""
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
    """The most samples that an `stsc` table puts into a chunk."""
    media.seek(place + 12)
    fullest, left = 0, 12 * struct.unpack(">I", head[8:12])[0]
    while left > 0 and (piece := media.read(min(left, 12 * 4096))):
        whole = piece[: len(piece) // 12 * 12]
        fullest = max([fullest, *(most for _, most, _ in struct.iter_unpack(">III", whole))])
        left = left - len(piece) if len(whole) == len(piece) else 0
    return fullest

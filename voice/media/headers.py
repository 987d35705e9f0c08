"""How long a sound track should be: what the headers of a file say, as far as they know it.

FFmpeg guesses a length from a bit rate where there is none, and corrects one to what the file has; so where
FFmpeg does not tell which it is, the headers are read here.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voice.media.source import Media

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream

MP4, MATROSKA, BROADCAST = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", ("mpegts", "mpeg")  # FFmpeg's names
# Containers that say how long each track is.
_HONEST = {MP4, *"wav w64 aiff au caf voc nistsphere flac ogg ape wv tta tak mpc mpc8 dsf iff".split()}
_OF_ALL = {MATROSKA, *"avi flv live_flv asf asf_o mxf nut".split()}  # who say how long the whole is
_MP3_HEAD = 4096  # bytes in which an MP3's first frame is, its tag aside
_PADDED = 0.5  # seconds by which the frames of an MP3 may be longer than its sound
_OGG_TAIL = 2**17  # bytes in which an Ogg file's last page is: pages have at most half as many
_COVER = 1 << 10  # FFmpeg's mark of a picture without a time
PLACEHOLDER = 0x7FFF_0000  # bytes, or more, that recorders write who cannot know the length
_CHUNKS = 1000  # looked at in a RIFF file before its sound
_LENGTH = re.compile(r"(\d{1,6}):(\d{1,6}):(\d{1,6}(?:\.\d{1,12})?)")  # whatever is longer is none


@dataclass(frozen=True)
class Promise:
    """What the headers say of a track."""

    seconds: float = 0.0  # from where the container begins; 0 where they do not say
    of_track: bool = True  # rather than of all that the file holds
    cut_off: float = 0.0  # bytes that there should be and are not, as a share of those that are
    unended: bool = False  # the mark is missing with which such files end

    def missing(self, length: float, end: float) -> float:
        """Return the seconds that a track of `length` lacks at its end.

        `end` is the end of the last track.
        """
        short = max(0.0, self.seconds - length)
        broken_off = end < 0.95 * self.seconds and end - length < 2.0  # and there was sound until then
        return max(short if self.of_track or broken_off else 0.0, length * self.cut_off)


def promise_of(container: InputContainer, track: AudioStream, media: Media) -> Promise:
    """Return what the headers of an FFmpeg container say of a sound track in it."""
    form, own = container.format.name, own_length(container, track)
    begin = (container.start_time or 0) / 1e6
    if form == "ogg":
        return _ogg(container, track, media, own)
    if form in _HONEST:
        cut_off = _cut_off(media, container.size)
        return Promise(own if _plausible(own, container, track) else 0.0, cut_off=cut_off)
    if form == "mp3":
        told = _length_by_frames(media, track.codec_context.sample_rate)
        return Promise(own if abs(own - told) < _PADDED else 0.0)  # FFmpeg guesses where files were joined
    if form == MATROSKA and (told := _tagged_length(track.metadata)):
        return Promise(told - begin)
    if form not in _OF_ALL or (form == MATROSKA and _is_guessed_length(container)):
        return Promise()
    alone = not any(each.type == "video" and not is_cover(each) for each in container.streams)
    return Promise((container.duration or 0) / 1e6, alone, _cut_off(media, container.size))


def own_length(container: InputContainer, track: AudioStream) -> float:
    """Return the seconds from the container's beginning to the end of a track by FFmpeg, 0 if unknown."""
    if not (track.duration and track.time_base):
        return 0.0
    late = float((track.start_time or 0) * track.time_base) - (container.start_time or 0) / 1e6
    return float(track.duration * track.time_base) + max(0.0, late)


def is_cover(stream: Stream) -> bool:
    """Tell whether a stream is a picture without a time."""
    return stream.type == "video" and bool(stream.disposition & _COVER)


def _plausible(seconds: float, container: InputContainer, track: AudioStream) -> bool:
    """Tell whether a length is meant; recorders that cannot know it write the largest that fits."""
    claimed = seconds * (track.codec_context.bit_rate or 0) / 8
    return claimed < PLACEHOLDER or claimed < 2 * container.size


def _is_guessed_length(container: InputContainer) -> bool:
    """Tell whether a length may be the one that FFmpeg guesses from the bit rates of its tracks."""
    rates = [each.codec_context.bit_rate if each.codec_context else 0 for each in container.streams]
    guess = 8e6 * container.size / max(1, sum(rate or 0 for rate in rates))
    return abs(guess - (container.duration or 0)) < 0.005 * guess


def _tagged_length(metadata: dict[str, str]) -> float:
    """Return the seconds in Matroska's tag for the length of a track, 0 without one."""
    for name, value in metadata.items():
        if name.startswith("DURATION") and (found := _LENGTH.fullmatch(value)):
            hours, minutes, seconds = map(float, found.groups())
            return 3600 * hours + 60 * minutes + seconds
    return 0.0


def _length_by_frames(media: Media, rate: int) -> float:
    """Return the seconds of the frames that an MP3 claims in its first frame, 0 if it does not."""
    head = media.peek(0, 10).ljust(10, b"\0")
    tag = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    first = media.peek(10 + tag if head.startswith(b"ID3") else 0, _MP3_HEAD)
    found = re.search(rb"(?:Xing|Info)...[\1\3\5\7\x09\x0b\x0d\x0f](.{4})|VBRI.{10}(.{4})", first, re.DOTALL)
    frames = int.from_bytes(found[1] or found[2]) if found else 0
    return frames * (1152 if rate >= 32_000 else 576) / max(1, rate)


def _ogg(container: InputContainer, track: AudioStream, media: Media, own: float) -> Promise:
    """Read the last page of an Ogg file: when it ends, and that nothing follows."""
    size = container.size
    tail = media.peek(max(0, size - _OGG_TAIL), _OGG_TAIL)
    pages = [*re.finditer(rb"OggS\0([\0-\7])(.{8})(.{4})", tail, re.DOTALL)]
    if not pages:
        return Promise(own)
    kind, position, serial = pages[-1].groups()
    unended = not kind[0] & 4
    if len(container.streams) > 1 or media.peek(14, 4) != serial:
        return Promise(own, unended=unended)
    rate = 48_000 if track.codec_context.name.endswith("opus") else track.codec_context.sample_rate
    seconds = struct.unpack("<q", position)[0] / max(1, rate) - (container.start_time or 0) / 1e6
    return Promise(max(own, seconds), unended=unended)


def _cut_off(media: Media, size: int) -> float:
    """Return the bytes that a file's header claims beyond its `size`, as a share of the bytes present."""
    head = media.peek(0, 24).ljust(24, b"\0")
    end = 0
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        end = _end_of_sound(media, 12, "<4sI", b"data")
    elif head[:4] == b"caff":
        end = _end_of_sound(media, 8, ">4sQ", b"data")
    elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        end = 8 + struct.unpack("<I", head[4:8])[0]
    elif head[:4] == b"riff":  # W64
        end = struct.unpack("<Q", head[16:24])[0]
    placeholder = end >= PLACEHOLDER and end > 2 * size
    return 0.0 if placeholder else max(0, end - size) / max(1, size)


def _end_of_sound(media: Media, place: int, form: str, kind: bytes) -> int:
    """Return the place at which the sound ends by the header of a file made of chunks, 0 without one."""
    length, large = struct.calcsize(form), 0
    for _ in range(_CHUNKS):
        head = media.peek(place, length + 16).ljust(length + 16, b"\0")
        name, size = struct.unpack(form, head[:length])
        place += length
        if name == b"ds64":
            large = struct.unpack("<Q", head[length + 8 :])[0]
        if name == kind:
            return place + (large if size == 0xFFFFFFFF and large else size)
        place += size + size % 2 * (form[0] == "<")
    return 0

"""The packets of a sound track and their frames, up to the end of the file or to where it breaks off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voice.media.headers import is_cover
from voice.media.report import DecodingReport
from voice.media.samples import PIECE
from voice.media.source import Media

if TYPE_CHECKING:
    from av import AudioFrame, Packet
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream

_TRIES = 8  # times that a demuxer may fail in a file
_OGG_BEGINS = re.compile(rb"OggS\0[\2\3\6\7]")
_FRAME = 2**23  # samples of all channels in a frame at most


class Packets:
    """The packets of a track in the order of the file, up to its end or to where it breaks off."""

    def __init__(self, container: InputContainer, track: AudioStream, media: Media) -> None:
        # Of the earliest packet of any track so far, and the latest one counted from it, in seconds. FFmpeg
        # does not know when a picture begins that it may not decode, and nothing of what has yet to come.
        begin = container.start_time
        self.begin, self.end = None if begin is None else begin / 1e6, 0.0
        self.given_up = False  # FFmpeg, before the end
        self.skipped = 0  # bytes before this packet that belong to none
        self.next_link: int | None = None
        self._container, self._track, self._media = container, track, media
        self.place = self._first = self._bytes = 0  # behind the last packet; of the first; in all

    def __iter__(self) -> Iterator[Packet[Stream]]:
        """Yield the packets of the track, continuing after damaged parts."""
        import av

        packets, tries = self._container.demux(), _TRIES
        while True:
            try:
                packet = next(packets, None)
            except IndexError:  # PyAV knows no end of a stream that began behind the beginning
                return
            except av.FFmpegError:
                tries -= 1
                self.next_link = self._next_link()
                if tries and self.next_link is None:  # behind what is damaged there may be more
                    packets = self._container.demux()
                    continue
                self.given_up = not tries
                return
            finally:
                self._media.check()
            if packet is None:
                return
            self._note(packet)
            if packet.stream.index == self._track.index and (packet.size or packet.pts is None):
                yield packet  # but not one without content, which the decoder would take for the end

    def skipped_share(self, size: int) -> float:
        """Return the bytes of a file of frames that belong to no frame, as a share of those that do."""
        return max(0, size - self._first - self._bytes) / max(1, self._bytes)

    def _note(self, packet: Packet[Stream]) -> None:
        """Note the place and the times of a packet."""
        if packet.pos is not None and packet.size:
            self._first = packet.pos if not self._bytes else self._first
            self._bytes += packet.size
            self.skipped = max(self.skipped, packet.pos - self.place) if self.place else 0
            self.place = max(self.place, packet.pos + packet.size)
        seen = not (packet.is_discard or is_cover(packet.stream))  # an edit may cut off a picture's beginning
        if seen and packet.pts is not None and packet.time_base:
            if self.begin is None:
                self.begin = float(packet.pts * packet.time_base)
            if packet.stream.index != self._track.index:  # whose own first packets may only start its decoder
                self.begin = min(self.begin, float(packet.pts * packet.time_base))
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self.end = max(self.end, end - self.begin)

    def _next_link(self) -> int | None:
        """Return the place of a further Ogg file at which FFmpeg stopped, None if there is none."""
        if self._container.format.name != "ogg":
            return None
        place = max(1, self.place)
        while piece := self._media.peek(place, PIECE + 5):
            if begins := _OGG_BEGINS.search(piece):
                return self._media.start + place + begins.start()
            place += PIECE
        return None


@dataclass(frozen=True)
class DecodedFrame:
    """A decoded frame, and what of the file was lost between the one before and it."""

    decoded: AudioFrame
    damaged: float  # seconds of packets that could not be decoded
    skipped: int  # bytes that belong to no packet

    @property
    def time(self) -> float | None:
        """Return the seconds at which the container places it, None if it does not."""
        return self.decoded.time

    @property
    def end(self) -> float:
        """Return the seconds at which the next frame begins; only for a frame with a `time`."""
        return (self.decoded.time or 0.0) + self.decoded.samples / max(1, self.decoded.sample_rate)


def decode_frames(packets: Packets, track: AudioStream, report: DecodingReport) -> Iterator[DecodedFrame]:
    """Decode packets one by one, leaving out what cannot be decoded."""
    import av

    channels = max(1, track.codec_context.channels or 1)
    track.codec_context.options = {"max_samples": str(_FRAME // channels)}
    for packet in packets:
        try:
            decoded = packet.decode()
        except av.FFmpegError:
            report.tail += float((packet.duration or 0) * (packet.time_base or 0))
            continue
        for frame in (each for each in decoded if isinstance(each, av.AudioFrame)):
            damaged, report.tail = report.tail, 0.0
            report.lost += damaged
            yield DecodedFrame(frame, damaged, packets.skipped)
            packets.skipped = 0

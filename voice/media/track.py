"""Decode the sound track of a file so that its times hold, and tell how much of it was lost.

Frames carry the time at which they are to be heard. Holes between them become silence and overlaps are
dropped, so that the times of what is read are those of the file. What the track should hold is taken from
headers that speak of the *track*: the length of a container, or one guessed from a bit rate, is no promise.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from voice.errors import AudioError
from voice.media.container import Media, Source, codecs, contained, explained, opened
from voice.media.headers import BROADCAST, MATROSKA, MP4, Promise, is_cover, own_length, promise_of

Tell = Callable[[str], None]  # what is told a sentence that a person should read

LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000  # Hz
_JITTER = 0.05  # seconds by which times may run ahead: codecs' delays and rounding are below
_OVERLAP = 0.1  # seconds that parts overlap at least; what only came late is not dropped
_RESTART = 10.0  # seconds back after which the clock was set anew: parts overlap by less
_ROUNDING = 0.005  # seconds by which times are rounded
_AGAIN = 0.3  # seconds from its beginning, where a clock that was set anew begins
_SILENCE = 12 * 3600.0  # seconds of holes in a file that are filled; beyond it a time is damaged
_JUMP = 3600.0  # the longest hole in a broadcast, whose clock may be set anew at any time
_LOST = 0.05  # share of the track that may be lost without a warning
_FRAME = 2**23  # samples of all channels in a frame at most
_TRIES = 8  # times that a demuxer may fail in a file
_OGG_BEGINS = re.compile(rb"OggS\0[\2\3\6\7]")
_PIECE = 2**16  # samples given out at a time
_SKIPPED = 512  # bytes between two packets that are no headers but damage

# Containers whose times are their recorder's own: a hole is silence that nobody recorded. The times of
# all others only count samples: a hole is a loss.
_TIMED = {MP4, MATROSKA, *BROADCAST, *"avi flv live_flv kux asf asf_o mxf wtv nut dv rm".split()}
_IN_ORDER = {MATROSKA, "avi", "flv"}  # whose packets lie in the file one behind the other
# Frames one behind the other, whose times FFmpeg counts at the rate of the first one.
_BARE = {"aac", "loas", "ac3", "eac3", "mp3", "dts", "amr", "amrnb", "amrwb"}
_TIGHT = {"aac", "ac3", "eac3"}  # of those, the ones in which every byte belongs to a frame
_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}  # FFmpeg's → NumPy's


def track_length(source: Source) -> float:
    """Return the seconds that a file's sound track has as it says itself, 0 where it does not.

    Raises AudioError where there is none.
    """
    with opened(source) as media, explained(media.called), contained(media) as container:
        track = _track(container, media.called)
        if container.format.name in BROADCAST:  # measured at the end of the file
            return own_length(container, track)
        promise = promise_of(container, track, media)
        return promise.seconds if promise.of_track else 0.0


def pieces(source: Source, tell: Tell = warnings.warn) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the sound as (T,) float32 mono pieces of at most 65,536 samples, each with its rate in Hz.

    Tells in a sentence where 5 % of the track or more is lost. Raises AudioError where nothing can be
    decoded.
    """
    with opened(source) as media:
        yield from pieces_of(media, tell)


def pieces_of(media: Media, tell: Tell = warnings.warn) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the sound of open media as `pieces` does that of a source; what arrives, as it comes."""
    heard = _Heard(media.called)
    with explained(media.called):
        yield from _linked(media, heard)
    heard.report(tell)


def _linked(media: Media, heard: _Heard) -> Iterator[tuple[np.ndarray, int]]:
    """The sound of a file, and of the Ogg files that may be joined to it."""
    link: int | None = 0
    while link is not None:
        media.start, heard.next_link = link, None
        try:
            with contained(media) as container:
                yield from _decoded(container, media, heard)
        except AudioError:
            if not (link and heard.sound):  # junk behind a whole file costs nothing
                raise
        link = heard.next_link


@dataclass
class _Heard:
    """What was heard of a file, in seconds."""

    called: str
    end: float = 0.0  # of all that was given out
    sound: float = 0.0  # that was decoded
    lost: float = 0.0
    tail: float = 0.0  # that is lost behind what was decoded so far
    room: float = _SILENCE  # of silence that may still be filled in
    jumped: float = 0.0  # in times that were not believed
    complaint: str = "not one sample could be decoded"
    unended: bool = False  # the file has no end, and nothing tells how much of it is missing
    next_link: int | None = None  # where the next file begins, of Ogg files that were joined

    def report(self, tell: Tell) -> None:
        """Tell of a loss; raise AudioError where nothing is left."""
        if not self.sound:
            raise AudioError(f"{self.called} holds no sound that can be used: {self.complaint}; get it anew")
        if self.jumped:
            left_out = f"{self.jumped / 3600:.1f} hours without sound are left out"
            tell(f"{self.called} has damaged times: {left_out}")
        lost = self.lost + self.tail
        whole = max(self.end, self.sound + lost)
        if self.unended:
            where = f"breaks off after {self.end:.1f} s, and nothing tells how much of its sound is lost"
            tell(f"{self.called} is damaged: it {where}")
        elif lost >= _LOST * whole:
            share = f"{lost:.1f} s of {whole:.1f} s of its sound are lost"
            tell(f"{self.called} is damaged: {share}")


# ---- One container


def _decoded(container, media: Media, heard: _Heard) -> Iterator[tuple[np.ndarray, int]]:
    """The sound of one container, placed; `heard` learns what was lost and where a next one begins."""
    track = _track(container, media.called)
    promise = promise_of(container, track, media) if media.seekable() else Promise()
    packets = _Packets(container, track, media)
    form = container.format.input.name  # FFmpeg's whole name, also where only one of it was asked for
    clock = _Clock(form, packets, heard)
    for frame, after in _pairs(_frames(packets, track, heard), clock.expects):
        yield from _placed(frame.decoded, clock.place(frame, after), heard)
        media.begin()
    heard.next_link = packets.next_link
    if not clock.restarted and heard.next_link is None:
        heard.tail = max(heard.tail, promise.missing(clock.length, packets.end))
        heard.unended |= promise.unended
    heard.unended |= packets.given_up and not media.seekable()
    if form in _TIGHT and media.seekable():
        heard.lost += clock.length * packets.passed_over(container.size)


def _track(container, called: str):
    """The first sound track that can be decoded."""
    tracks = container.streams.audio
    if not tracks:
        raise AudioError(f"{called} has no sound track; choose a recording with sound")
    known = [each for each in tracks if each.codec_context and each.codec_context.name in codecs()]
    if not known:
        raise AudioError(f"the sound of {called} is coded in an unknown way; convert it to WAV or FLAC")
    check_rate(known[0].codec_context.sample_rate or LOWEST_RATE, called)
    return known[0]


def check_rate(rate: int, called: str) -> None:
    """Raise AudioError for a rate in Hz that no sound has."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        usable = f"{LOWEST_RATE:,} to {HIGHEST_RATE:,} can be used"
        raise AudioError(f"{called} has {rate:,} samples per second; {usable}: convert it, to 16000 say")


class _Packets:
    """The packets of a track in the order of the file, up to its end or to where it breaks off."""

    def __init__(self, container, track, media: Media) -> None:
        # Of the earliest packet of any track so far, and the latest one counted from it, in seconds. FFmpeg
        # does not know when a picture begins that it may not decode, and nothing of what has yet to come.
        begin = container.start_time
        self.begin, self.end = None if begin is None else begin / 1e6, 0.0
        self.given_up = False  # FFmpeg, before the end
        self.skipped = 0  # bytes before this packet that belong to none
        self.next_link: int | None = None
        self._container, self._track, self._media = container, track, media
        self.place = self._first = self._bytes = 0  # behind the last packet; of the first; in all

    def __iter__(self) -> Iterator:
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

    def passed_over(self, size: int) -> float:
        """How much of a file of frames alone is no frame, as a share of what is."""
        return max(0, size - self._first - self._bytes) / max(1, self._bytes)

    def _note(self, packet) -> None:
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
        """Where FFmpeg stopped at a further Ogg file, which may be coded in another way."""
        if self._container.format.name != "ogg":
            return None
        place = max(1, self.place)
        while piece := self._media.peek(place, _PIECE + 5):
            if begins := _OGG_BEGINS.search(piece):
                return self._media.start + place + begins.start()
            place += _PIECE
        return None


@dataclass(frozen=True)
class _Frame:
    """A decoded frame, and what of the file was lost between the one before and it."""

    decoded: object
    damaged: float  # seconds of packets that could not be decoded
    skipped: int  # bytes that belong to no packet

    @property
    def time(self) -> float | None:
        """Seconds, where its container says when it is to be heard."""
        return self.decoded.time

    @property
    def end(self) -> float:
        """Seconds at which a next one is to be heard; only where there is a `time`."""
        return self.decoded.time + self.decoded.samples / max(1, self.decoded.sample_rate)


def _frames(packets: _Packets, track, heard: _Heard) -> Iterator[_Frame]:
    """Decode packets one by one, leaving out what cannot be decoded."""
    import av

    channels = max(1, track.codec_context.channels or 1)
    track.codec_context.options = {"max_samples": str(_FRAME // channels)}
    for packet in packets:
        try:
            decoded = packet.decode()
        except av.FFmpegError:
            heard.tail += float((packet.duration or 0) * (packet.time_base or 0))
            continue
        for frame in decoded:
            damaged, heard.tail = heard.tail, 0.0
            heard.lost += damaged
            yield _Frame(frame, damaged, packets.skipped)
            packets.skipped = 0


def _pairs(
    frames: Iterable[_Frame], expected: Callable[[_Frame], bool]
) -> Iterator[tuple[_Frame, _Frame | None]]:
    """Each frame with the one after it; with None at once if it is where it was expected, and the last."""
    before = None
    for frame in frames:
        if before is not None:
            yield before, frame
        before = frame
        if expected(frame):
            yield frame, None
            before = None
    if before is not None:
        yield before, None


class _Clock:
    """Where frames belong in what is given out, by the times that they carry."""

    def __init__(self, form: str, packets: _Packets, heard: _Heard) -> None:
        self.restarted = False  # so that the container's length says nothing
        self._timed, self._in_order, self._broadcast = form in _TIMED, form in _IN_ORDER, form in BROADCAST
        self._bare, self._counted = form in _BARE, form == "avi"  # which guesses times from an average
        self._packets, self._heard, self._begin = packets, heard, heard.end
        self._late = False  # while what overlaps is dropped, to the end of it
        self._offset: float | None = None  # from the container's times to ours
        self._last: float | None = None  # the time of the frame before

    @property
    def length(self) -> float:
        """Seconds of this container that were given out."""
        return self._heard.end - self._begin

    def expects(self, frame: _Frame) -> bool:
        """Return whether `frame` follows what was given out, so that nothing after it need be known."""
        if frame.time is None or self._bare:
            return True
        return self._offset is not None and self._follows(frame.time + self._offset - self._heard.end)

    def place(self, frame: _Frame, after: _Frame | None) -> float:
        """Seconds from the end of what was given out to `frame`, negative where they overlap.

        `after` is the next frame: a jump that it takes back was a damaged time.
        """
        stands, self._last = frame.time == self._last, frame.time  # as in some RealAudio
        if frame.time is None or self._bare or stands:
            return frame.damaged
        first = self._heard.end == self._begin
        if self._offset is None:
            self._offset = self._heard.end - (self._packets.begin or 0.0)
        ahead = frame.time + self._offset - self._heard.end
        follows, self._late = self._follows(ahead), False
        if follows or _taken_back(frame, after, ahead):
            return 0.0
        if self._counted and frame.skipped <= _SKIPPED:
            self._offset -= ahead
            return frame.damaged
        if not self._believed(ahead, first):
            self._offset -= ahead
            return 0.0
        self._late = ahead < 0.0
        if ahead > 0.0:
            self._heard.room -= ahead
            if not first and (not self._timed or frame.skipped > self._explained(ahead, frame)):
                self._heard.lost += max(0.0, ahead - frame.damaged)
        return ahead

    def _follows(self, ahead: float) -> bool:
        return (-_ROUNDING if self._late else -_OVERLAP) <= ahead <= _JITTER

    def _explained(self, hole: float, frame: _Frame) -> float:
        """How many bytes that are no packets may lie in a hole which is no damage."""
        if self._in_order:
            return _SKIPPED
        usual = (self._packets.place - frame.skipped) / max(1.0, self.length)  # bytes per second
        return usual * hole / 2 if self._broadcast else np.inf

    def _believed(self, ahead: float, first: bool) -> bool:
        """Whether a jump is in the recording, and not only in its clock."""
        if ahead > 0.0:
            if ahead > min(self._heard.room, _JUMP if self._broadcast else np.inf):
                self._heard.jumped += 0.0 if self._broadcast else ahead
                self.restarted = True
                return False
            return True
        again = self.length + ahead < min(_AGAIN, self.length / 2)  # as of a file behind a file
        if first or not self._timed or ahead < -_RESTART or again:
            self.restarted |= not first
            return False
        return True


def _taken_back(frame: _Frame, after: _Frame | None, ahead: float) -> bool:
    """Whether the next frame is where it would be had this one not jumped `ahead`."""
    if after is None or after.time is None:
        return False
    back = after.time - frame.end
    return back * ahead < 0 and abs(back) > abs(ahead) / 2


def _placed(frame, ahead: float, heard: _Heard) -> Iterator[tuple[np.ndarray, int]]:
    """The silence before a frame and its sound, less what overlaps with what was before."""
    rate = frame.sample_rate
    try:
        check_rate(rate, heard.called)
    except AudioError as error:
        heard.complaint = str(error)
        return
    for start in range(0, silent := round(max(0.0, ahead) * rate), _PIECE):
        size = min(_PIECE, silent - start)
        heard.end += size / rate
        yield np.zeros(size, np.float32), rate
    for samples in _mono(frame, round(max(0.0, -ahead) * rate)):
        seconds = len(samples) / rate
        heard.end += seconds
        if np.isfinite(samples).all():
            heard.sound += seconds
            yield np.clip(samples, -1.0, 1.0), rate
        else:  # no repair of them is right
            heard.complaint = "its samples are not numbers (NaN or infinite)"
            heard.lost += seconds
            yield np.zeros(len(samples), np.float32), rate


def _mono(frame, start: int) -> Iterator[np.ndarray]:
    """A decoded frame from sample `start` on → (T,) float32 pieces, the mean of its channels."""
    channels, kind = frame.layout.nb_channels, _TYPES[frame.format.name.removesuffix("p")]
    # From eight channels on PyAV finds no end of the planes: those behind the last channel are not ours.
    planes = [np.frombuffer(plane, kind) for plane in frame.planes[:channels]]
    if not frame.format.is_planar:
        planes = planes[0][: frame.samples * channels].reshape(-1, channels).T
    step = max(1, min(_PIECE, 2**20 // channels))
    for first in range(start, frame.samples, step):
        last = min(first + step, frame.samples)
        yield sum(as_float(plane[first:last]) for plane in planes) / np.float32(channels)


def as_float(samples: np.ndarray) -> np.ndarray:
    """Samples of any width → float32 in [-1, 1]. Raises AudioError for what is no sound."""
    if np.issubdtype(samples.dtype, np.floating):
        return samples.astype(np.float32, copy=False)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128.0) / 128.0
    if np.issubdtype(samples.dtype, np.signedinteger):
        return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)
    raise AudioError(f"{samples.dtype} samples are no sound; give floats in [-1, 1] or signed integers")

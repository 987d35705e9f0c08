"""Decode the sound track of a file so that its times hold, and tell how much of it was lost.

Frames carry the time at which they are to be report. Holes between them become silence and overlaps are
dropped, so that the times of what is read are those of the file. What the track should hold is taken from
headers that speak of the *track*: the length of a container, or one guessed from a bit rate, is no promise.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from voice.errors import AudioError
from voice.media.clock import GAPLESS, FrameClock
from voice.media.container import codecs, open_container
from voice.media.headers import BROADCAST, Promise, own_length, promise_of
from voice.media.packets import DecodedFrame, Packets, decode_frames
from voice.media.report import DecodingReport, Tell
from voice.media.samples import LOWEST_RATE, PIECE, check_rate, mono_pieces
from voice.media.source import Media, Source, convert_read_errors, open_media

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer


def track_length(source: Source) -> float:
    """Return the seconds that a file's sound track has as it says itself, 0 where it does not.

    Raises AudioError where there is none.
    """
    with open_media(source) as media, convert_read_errors(media.called), open_container(media) as container:
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
    with open_media(source) as media:
        yield from pieces_of(media, tell)


def pieces_of(media: Media, tell: Tell = warnings.warn) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the sound of open media as `pieces` does that of a source; what arrives, as it comes."""
    report = DecodingReport(media.called)
    with convert_read_errors(media.called):
        yield from _decode_links(media, report)
    report.report(tell)


def _decode_links(media: Media, report: DecodingReport) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the sound of a file, and of the Ogg files that may be joined to it."""
    link: int | None = 0
    while link is not None:
        media.start, report.next_link = link, None
        try:
            with open_container(media) as container:
                yield from _decode_container(container, media, report)
        except AudioError:
            if not (link and report.sound):  # junk behind a whole file costs nothing
                raise
        link = report.next_link


# ---- One container


def _decode_container(
    container: InputContainer, media: Media, report: DecodingReport
) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the sound of one container at its times.

    Note in `report` what was lost and where a next one begins.
    """
    track = _track(container, media.called)
    promise = promise_of(container, track, media) if media.seekable() else Promise()
    packets = Packets(container, track, media)
    form = container.format.input.name  # type: ignore[attr-defined]  # FFmpeg's whole name; PyAV hides it
    clock = FrameClock(form, packets, report)
    for frame, after in _pairs(decode_frames(packets, track, report), clock.expects):
        yield from _place_frame(frame.decoded, clock.place(frame, after), report)
        media.begin()
    report.next_link = packets.next_link
    if not clock.restarted and report.next_link is None:
        report.tail = max(report.tail, promise.missing(clock.length, packets.end))
        report.unended |= promise.unended
    report.unended |= packets.given_up and not media.seekable()
    if form in GAPLESS and media.seekable():
        report.lost += clock.length * packets.skipped_share(container.size)


def _track(container: InputContainer, called: str) -> AudioStream:
    """Return the first sound track that can be decoded. Raises AudioError if there is none."""
    tracks = container.streams.audio
    if not tracks:
        raise AudioError(f"{called} has no sound track; choose a recording with sound")
    known = [each for each in tracks if each.codec_context and each.codec_context.name in codecs()]
    if not known:
        raise AudioError(f"the sound of {called} is coded in an unknown way; convert it to WAV or FLAC")
    check_rate(known[0].codec_context.sample_rate or LOWEST_RATE, called)
    return known[0]


def _pairs(
    frames: Iterable[DecodedFrame], expected: Callable[[DecodedFrame], bool]
) -> Iterator[tuple[DecodedFrame, DecodedFrame | None]]:
    """Yield each frame with the next one; with None at once if it is where it was expected, and the last."""
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


def _place_frame(frame: AudioFrame, ahead: float, report: DecodingReport) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the silence before a frame and its sound, without what overlaps with earlier sound."""
    rate = frame.sample_rate
    try:
        check_rate(rate, report.called)
    except AudioError as error:
        report.complaint = str(error)
        return
    for start in range(0, silent := round(max(0.0, ahead) * rate), PIECE):
        size = min(PIECE, silent - start)
        report.end += size / rate
        yield np.zeros(size, np.float32), rate
    for samples in mono_pieces(frame, round(max(0.0, -ahead) * rate)):
        seconds = len(samples) / rate
        report.end += seconds
        if np.isfinite(samples).all():
            report.sound += seconds
            yield np.clip(samples, -1.0, 1.0), rate
        else:  # no repair of them is right
            report.complaint = "its samples are not numbers (NaN or infinite)"
            report.lost += seconds
            yield np.zeros(len(samples), np.float32), rate

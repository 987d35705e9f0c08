"""Where decoded frames belong: holes between their times become silence, overlaps are dropped.

Clocks are set anew, jump and stand still in files that people have; what of that is believed is decided here.
"""

from __future__ import annotations

import numpy as np

from voice.media.headers import BROADCAST, MATROSKA, MP4
from voice.media.packets import DecodedFrame, Packets
from voice.media.report import DecodingReport

_JITTER = 0.05  # seconds by which times may run ahead: codecs' delays and rounding are below
_OVERLAP = 0.1  # seconds that parts overlap at least; what only came late is not dropped
_RESTART = 10.0  # seconds back after which the clock was set anew: parts overlap by less
_ROUNDING = 0.005  # seconds by which times are rounded
_AGAIN = 0.3  # seconds from its beginning, where a clock that was set anew begins
_JUMP = 3600.0  # the longest hole in a broadcast, whose clock may be set anew at any time
_SKIPPED = 512  # bytes between two packets that are no headers but damage
# Containers whose times are their recorder's own: a hole is silence that nobody recorded. The times of
# all others only count samples: a hole is a loss.
_TIMED = {MP4, MATROSKA, *BROADCAST, *"avi flv live_flv kux asf asf_o mxf wtv nut dv rm".split()}
_IN_ORDER = {MATROSKA, "avi", "flv"}  # whose packets lie in the file one behind the other
# Frames one behind the other, whose times FFmpeg counts at the rate of the first one.
_BARE = {"aac", "loas", "ac3", "eac3", "mp3", "dts", "amr", "amrnb", "amrwb"}
GAPLESS = {"aac", "ac3", "eac3"}  # of those, the ones in which every byte belongs to a frame


class FrameClock:
    """Where frames belong in what is given out, by the times that they carry."""

    def __init__(self, form: str, packets: Packets, report: DecodingReport) -> None:
        self.restarted = False  # so that the container's length says nothing
        self._timed, self._in_order, self._broadcast = form in _TIMED, form in _IN_ORDER, form in BROADCAST
        self._bare, self._counted = form in _BARE, form == "avi"  # which guesses times from an average
        self._packets, self._report, self._begin = packets, report, report.end
        self._late = False  # while what overlaps is dropped, to the end of it
        self._offset: float | None = None  # from the container's times to ours
        self._last: float | None = None  # the time of the frame before

    @property
    def length(self) -> float:
        """Return the seconds of this container that were yielded."""
        return self._report.end - self._begin

    def expects(self, frame: DecodedFrame) -> bool:
        """Return whether `frame` follows what was given out, so that nothing after it need be known."""
        if frame.time is None or self._bare:
            return True
        return self._offset is not None and self._follows(frame.time + self._offset - self._report.end)

    def place(self, frame: DecodedFrame, after: DecodedFrame | None) -> float:
        """Return the seconds from the end of the yielded sound to `frame`, negative if they overlap.

        `after` is the next frame: a jump that it takes back was a damaged time.
        """
        stands, self._last = frame.time == self._last, frame.time  # as in some RealAudio
        if frame.time is None or self._bare or stands:
            return frame.damaged
        first = self._report.end == self._begin
        if self._offset is None:
            self._offset = self._report.end - (self._packets.begin or 0.0)
        ahead = frame.time + self._offset - self._report.end
        follows, self._late = self._follows(ahead), False
        if follows or _is_undone(frame, after, ahead):
            return 0.0
        if self._counted and frame.skipped <= _SKIPPED:
            self._offset -= ahead
            return frame.damaged
        if not self._accept_jump(ahead, first):
            self._offset -= ahead
            return 0.0
        self._late = ahead < 0.0
        if ahead > 0.0:
            self._report.room -= ahead
            if not first and (not self._timed or frame.skipped > self._allowed_skip(ahead, frame)):
                self._report.lost += max(0.0, ahead - frame.damaged)
        return ahead

    def _follows(self, ahead: float) -> bool:
        return (-_ROUNDING if self._late else -_OVERLAP) <= ahead <= _JITTER

    def _allowed_skip(self, hole: float, frame: DecodedFrame) -> float:
        """Return how many bytes that are no packets may lie in a hole that is no damage."""
        if self._in_order:
            return _SKIPPED
        usual = (self._packets.place - frame.skipped) / max(1.0, self.length)  # bytes per second
        return usual * hole / 2 if self._broadcast else np.inf

    def _accept_jump(self, ahead: float, first: bool) -> bool:
        """Tell whether a jump is in the recording, and not only in its clock."""
        if ahead > 0.0:
            if ahead > min(self._report.room, _JUMP if self._broadcast else np.inf):
                self._report.jumped += 0.0 if self._broadcast else ahead
                self.restarted = True
                return False
            return True
        again = self.length + ahead < min(_AGAIN, self.length / 2)  # as of a file behind a file
        if first or not self._timed or ahead < -_RESTART or again:
            self.restarted |= not first
            return False
        return True


def _is_undone(frame: DecodedFrame, after: DecodedFrame | None, ahead: float) -> bool:
    """Tell whether the next frame is where it would be if this one had not jumped `ahead`."""
    if after is None or after.time is None:
        return False
    back = after.time - frame.end
    return back * ahead < 0 and abs(back) > abs(ahead) / 2

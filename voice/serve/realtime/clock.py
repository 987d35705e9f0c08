"""Relate the time of a conversation, which counts silence that the server adds, to the client's audio."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

MAX_SPANS = 1000  # spans of audio that are remembered; an older moment maps to the start of the oldest
_MAX_DRIFT = 0.001  # seconds by which both may differ within a span: resampling rounds to whole samples


@dataclass(frozen=True)
class _AudioSpan:
    """Audio without a gap. It begins at `heard` seconds of the conversation, `sent` seconds of the audio."""

    heard: float
    sent: float


class AudioClock:
    """Map moments of the conversation to the client's own audio, as the protocol counts it.

    The conversation hears the client's audio and, where none arrives, silence. The protocol's
    `audio_start_ms` and `audio_end_ms` count only what the client has sent.
    """

    def __init__(self, rate: int) -> None:
        """Count the conversation's samples at `rate` (Hz)."""
        self.sent = 0.0  # seconds of audio that the client has sent
        self._rate = rate
        self._samples = 0  # that the conversation has been given
        self._spans: deque[_AudioSpan] = deque(maxlen=MAX_SPANS)

    def audio(self, seconds: float, samples: int) -> None:
        """Count `seconds` of the client's audio, which the conversation hears as so many samples."""
        heard = self._samples / self._rate
        last = self._spans[-1] if self._spans else None
        if last is None or abs(heard - last.heard - (self.sent - last.sent)) > _MAX_DRIFT:
            self._spans.append(_AudioSpan(heard, self.sent))
        self._samples += samples
        self.sent += seconds

    def silence(self, samples: int) -> None:
        """Count silence that the conversation hears and the client has not sent."""
        self._samples += samples

    def sent_at(self, moment: float) -> float:
        """Map a moment of the conversation to seconds of the client's audio; silence maps to its start."""
        at = bisect_right(self._spans, moment, key=lambda each: each.heard)
        if not at:
            return self._spans[0].sent if self._spans else 0.0
        span = self._spans[at - 1]
        end = self._spans[at].sent if at < len(self._spans) else self.sent
        return min(end, span.sent + moment - span.heard)


__all__ = ["AudioClock"]

"""Voice activity detection: hysteresis over a detector's probabilities, and chunks of speech.

A detector (see voice.silero) tells how likely each frame is speech. `Hysteresis` decides from that,
frame by frame, for files and for the live agent alike; `find_speech` cuts a stream by its decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from voice.abilities import BatchSpeechDetector
from voice.types import Audio, SpeechDetector

FRAMES_PER_CALL = 32  # frames of a recording that the detector takes at once: more saves nothing
TARGET_PEAK = 0.005  # to which quieter sound is amplified: below some 0.001 the detector hears nothing
MIN_PEAK = 1.2e-4  # four steps of 16 bits: quieter sound may be nothing but rounding, and stays as it is
DECAY = 10 ** (-2 / 20)  # of the level, a second, so that noise in pauses is not amplified


class QuietGain:
    """A gain that amplifies quiet sound to where the detector hears it. It holds the state of one stream."""

    def __init__(self, frame: float) -> None:
        """Begin a stream; `frame` is the length of one frame in seconds."""
        self._decay = DECAY**frame
        self._level = 0.0  # the recent peak

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Return successive (N, hop) frames, none softer than it was."""
        factors = np.array([self._factor(peak) for peak in np.abs(frames).max(axis=1)], np.float32)
        return frames * factors[:, None]

    def _factor(self, peak: float) -> float:
        """Return the gain of the next frame."""
        self._level = max(float(peak), self._level * self._decay)
        return TARGET_PEAK / self._level if MIN_PEAK < self._level < TARGET_PEAK else 1.0


@dataclass(frozen=True)
class Thresholds:
    """When speech begins and ends, in probabilities and seconds.

    Speech begins when the probability has been at least `on` for `shortest_speech` without
    falling below `off`, and ends when it has stayed below `off` for `shortest_silence`.
    """

    on: float = 0.5
    off: float = 0.35
    shortest_speech: float = 0.1
    shortest_silence: float = 0.5


@dataclass(frozen=True)
class Region:
    """Speech in the frames [first, last)."""

    first: int
    last: int


class Hysteresis:
    """Probabilities in, one per frame; regions of speech out. It holds the state of one stream.

    `speaking` is true from the frame that confirms the beginning to the frame that confirms the
    end; `since` is the first frame of the speech under way and `quiet` the number of frames
    that the silence after it has lasted.
    """

    def __init__(self, thresholds: Thresholds, frame: float, count: int = 0) -> None:
        """Begin a stream; `frame` is the length of one frame in seconds, `count` frames came before."""
        self._length, self._frame = frame, count
        self.use(thresholds)
        self.since: int | None = None
        self.speaking = False
        self.quiet = 0

    def __call__(self, probability: float) -> Region | None:
        """Take the probability of the next frame; return the region that ends with it, if one does."""
        self._frame += 1
        if self.since is None:
            if probability >= self._thresholds.on:
                self.since = self._frame - 1
        elif probability < self._thresholds.off:
            self.quiet += 1
        elif probability >= self._thresholds.on or not self.quiet:
            self.quiet = 0
        else:
            self.quiet += 1  # neither: a silence that has begun goes on until the speech is clear again
        return self._decide()

    def use(self, thresholds: Thresholds) -> None:
        """Set other thresholds from the next frame on; speech under way goes on."""
        self._thresholds = thresholds
        self._speech_frames = max(1, round(thresholds.shortest_speech / self._length))
        self._silence_frames = max(1, round(thresholds.shortest_silence / self._length))

    def cut(self, frame: int) -> None:
        """Let the speech under way begin at `frame`; the part before it is done."""
        self.since = frame

    def finish(self) -> Region | None:
        """End the stream; return the region under way if it is confirmed."""
        region = self._region() if self.speaking else None
        self._reset()
        return region

    def _decide(self) -> Region | None:
        """Confirm the beginning or the end of speech."""
        if self.since is None:
            return None
        if not self.speaking:
            if self.quiet:
                self._reset()
            elif self._frame - self.since >= self._speech_frames:
                self.speaking = True
            return None
        return self.finish() if self.quiet >= self._silence_frames else None

    def _region(self) -> Region:
        """Return the speech under way."""
        return Region(self.since or 0, self._frame - self.quiet)

    def _reset(self) -> None:
        """Wait for speech again."""
        self.since, self.speaking, self.quiet = None, False, 0


@dataclass(frozen=True, eq=False)
class SpeechChunk:
    """Speech with a little of the quiet around it; `start` in seconds from the start of the stream."""

    start: float
    audio: Audio

    @property
    def end(self) -> float:
        """Return the end in seconds from the start of the stream."""
        return self.start + self.audio.duration


def find_speech(
    blocks: Iterable[np.ndarray],
    detector: SpeechDetector,
    *,
    thresholds: Thresholds = Thresholds(),
    pad: float = 0.3,
    longest: float = 29.0,
) -> Iterator[SpeechChunk]:
    """Cut a stream of (T,) blocks at the detector's rate into chunks of speech.

    Each chunk has up to `pad` seconds of the sound around it, none overlaps another, and none
    is longer than `longest` seconds: longer speech is cut where speech is least likely. The
    result does not depend on how the stream is divided into blocks; memory holds one chunk.
    """
    cutter = _SpeechCutter(detector, thresholds, pad, longest)
    for frame, probability in _frame_probabilities(blocks, detector):
        yield from cutter.push(frame, probability)
    yield from cutter.finish()


def _frame_probabilities(
    blocks: Iterable[np.ndarray], detector: SpeechDetector
) -> Iterator[tuple[np.ndarray, float]]:
    """Divide (T,) blocks into (hop,) frames, the last one shorter; yield each with P(speech)."""
    detect, hop = _batch_session(detector), detector.hop
    rest = np.zeros(0, np.float32)
    for block in blocks:
        block = np.concatenate((rest, block))
        whole = len(block) // hop * hop
        frames = block[:whole].reshape(-1, hop)
        for first in range(0, len(frames), FRAMES_PER_CALL):
            several = frames[first : first + FRAMES_PER_CALL]
            yield from zip(several, detect(several), strict=True)
        rest = block[whole:]
    if len(rest):
        yield rest, detect(np.pad(rest, (0, hop - len(rest)))[None])[0]


def amplified_stream(detector: SpeechDetector) -> Callable[[np.ndarray], float]:
    """Begin a session of a detector that hears quiet sound too: successive (hop,) frames → P(speech)."""
    detect = _batch_session(detector)
    return lambda frame: detect(frame[None])[0]


def _batch_session(detector: SpeechDetector) -> Callable[[np.ndarray], Sequence[float]]:
    """Begin a session from (N, hop) frames to P(speech) of each, all at once if the detector can.

    Quiet frames are amplified.
    """
    amplify = QuietGain(detector.hop / detector.rate)
    if isinstance(detector, BatchSpeechDetector):
        several = detector.stream_several()
        return lambda frames: several(amplify(frames)).tolist()
    one = detector.stream()
    return lambda frames: [one(frame) for frame in amplify(frames)]


class _SpeechCutter:
    """The state of `find_speech`: the frames that may still be needed, and their probabilities."""

    def __init__(self, detector: SpeechDetector, thresholds: Thresholds, pad: float, longest: float) -> None:
        self._rate, self._hop = detector.rate, detector.hop
        self._hysteresis = Hysteresis(thresholds, self._hop / self._rate)
        self._pad = round(pad * self._rate / self._hop)
        self._longest = int(longest * self._rate / self._hop)
        self._held: list[np.ndarray] = []
        self._probabilities: list[float] = []
        self._first = 0  # number of the first frame held

    def push(self, frame: np.ndarray, probability: float) -> Iterator[SpeechChunk]:
        """Take the next frame; yield the chunk that ends with it, if one does."""
        self._held.append(frame)
        self._probabilities.append(probability)
        region = self._hysteresis(probability)
        if region:
            yield from self._rest(region)
        elif self._hysteresis.speaking and len(self._held) >= self._longest:
            edge = self._first + self._least_likely()
            yield self._emit(edge)
            self._hysteresis.cut(edge)
        elif self._hysteresis.since is None:
            self._forget(len(self._held) - self._pad)

    def finish(self) -> Iterator[SpeechChunk]:
        """Yield the speech that is under way at the end of the stream."""
        region = self._hysteresis.finish()
        if region:
            yield from self._rest(region)

    def _rest(self, region: Region) -> Iterator[SpeechChunk]:
        """Yield the part of a region that was not yielded yet: none if it was cut in the silence after it."""
        if region.last + self._pad > self._first:
            yield self._emit(region.last + self._pad)

    def _emit(self, last: int) -> SpeechChunk:
        """Return the frames held before frame number `last`, and drop them."""
        count = min(last - self._first, len(self._held))
        chunk = SpeechChunk(
            self._first * self._hop / self._rate, Audio(np.concatenate(self._held[:count]), self._rate)
        )
        self._forget(count)
        return chunk

    def _forget(self, count: int) -> None:
        """Drop the first frames held."""
        if count > 0:
            del self._held[:count], self._probabilities[:count]
            self._first += count

    def _least_likely(self) -> int:
        """Return where to cut too long speech: the least likely fifth of a second of its later half."""
        width = 7
        smooth = np.convolve(self._probabilities, np.ones(width) / width, mode="valid")
        begin = len(smooth) // 2
        return begin + int(np.argmin(smooth[begin:])) + width // 2

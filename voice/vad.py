"""Where there is speech: Silero's detector, hysteresis over its probabilities, stretches of speech.

Silero VAD (MIT) says how likely each 32 ms are speech. `Hysteresis` makes decisions of that,
frame by frame, for files and for the live agent alike; `find_speech` cuts a stream by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice.abilities import BatchSpeechDetector
from voice.errors import ModelMissing
from voice.models.sessions import open_session
from voice.types import Audio, SpeechDetector

SILERO_RATE = 16_000
SILERO_HOP = 512
_SILERO_CONTEXT = 64  # samples of the frame before that the network sees again
_SILERO_STATE = (1, 1, 128)
TOGETHER = 32  # frames judged at once in a recording: more saves nothing


class Silero:
    """Silero VAD v6 on ONNX Runtime, one thread; shared by any number of streams."""

    rate = SILERO_RATE
    hop = SILERO_HOP

    def __init__(self, session) -> None:
        self._session = session

    @classmethod
    def open(cls, path: Path | None = None) -> Silero:
        """Load the detector from `path`, or the one that the faster-whisper package carries.

        Raises ModelMissing if there is none.
        """
        path = path or _packaged()
        if not path.is_file():
            raise ModelMissing(f"{path} is missing; run `pip install --force-reinstall faster-whisper`")
        return cls(open_session(path, threads=1))

    def stream(self) -> Callable[[np.ndarray], float]:
        """A fresh session: successive (512,) frames at 16 kHz → P(speech) of each."""
        several = self.stream_several()
        return lambda frame: float(several(frame[None])[0])

    def stream_several(self) -> Callable[[np.ndarray], np.ndarray]:
        """The same for (N, 512) frames at once → (N,): the same numbers in half the time."""
        state = {"h": np.zeros(_SILERO_STATE, np.float32), "c": np.zeros(_SILERO_STATE, np.float32)}
        before = np.zeros(_SILERO_CONTEXT, np.float32)

        def probabilities(frames: np.ndarray) -> np.ndarray:
            nonlocal before
            contexts = np.concatenate((before[None], frames[:-1, -_SILERO_CONTEXT:]))
            seen = np.concatenate((contexts, frames), axis=1, dtype=np.float32)
            chances, state["h"], state["c"] = self._session.run(None, {"input": seen, **state})
            before = seen[-1, -_SILERO_CONTEXT:]
            return chances.reshape(-1)

        return probabilities


def _packaged() -> Path:
    """The model file inside the faster-whisper package, without importing the package."""
    from importlib.util import find_spec

    spec = find_spec("faster_whisper")
    folder = Path(next(iter(spec.submodule_search_locations))) if spec else Path("faster_whisper")
    return folder / "assets" / "silero_vad_v6.onnx"


RAISED = 0.005  # peak to which quieter sound is raised: below some 0.001 the detector hears nothing
HUSHED = (
    1.2e-4  # peak, four steps of 16 bits: what is quieter may be nothing but rounding, and stays as it is
)
FADING = 10 ** (-2 / 20)  # a second: how fast loud sound is forgotten, so that noise in pauses is not raised


class Gain:
    """Raises quiet sound to where the detector hears it. State of one stream."""

    def __init__(self, frame: float) -> None:
        """`frame` is the length of one frame in seconds."""
        self._fading = FADING**frame
        self._level = 0.0  # the peak of late

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Successive (N, hop) frames → the same, none softer than it was."""
        return (
            frames
            * np.array([self._factor(peak) for peak in np.abs(frames).max(axis=1)], np.float32)[:, None]
        )

    def _factor(self, peak: float) -> float:
        self._level = max(float(peak), self._level * self._fading)
        return RAISED / self._level if HUSHED < self._level < RAISED else 1.0


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
    """Probabilities in, one per frame; regions of speech out. State of one stream.

    `speaking` is true from the frame that confirms the beginning to the frame that confirms the
    end; `since` is the first frame of the speech under way and `quiet` the number of frames
    that the silence after it has lasted.
    """

    def __init__(self, thresholds: Thresholds, frame: float, count: int = 0) -> None:
        """`frame` is the length of one frame in seconds; `count` of them came before."""
        self._length, self._frame = frame, count
        self.use(thresholds)
        self.since: int | None = None
        self.speaking = False
        self.quiet = 0

    def __call__(self, probability: float) -> Region | None:
        """Take the next frame; the region that ended with it, if one did."""
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
        """From the next frame on other thresholds; what is under way goes on."""
        self._thresholds = thresholds
        self._speech_frames = max(1, round(thresholds.shortest_speech / self._length))
        self._silence_frames = max(1, round(thresholds.shortest_silence / self._length))

    def cut(self, frame: int) -> None:
        """The speech under way counts as begun at `frame`; what was before it has been dealt with."""
        self.since = frame

    def finish(self) -> Region | None:
        """The stream is over: the region that was under way, if it had been confirmed."""
        region = self._region() if self.speaking else None
        self._reset()
        return region

    def _decide(self) -> Region | None:
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
        return Region(self.since or 0, self._frame - self.quiet)

    def _reset(self) -> None:
        self.since, self.speaking, self.quiet = None, False, 0


@dataclass(frozen=True, eq=False)
class Stretch:
    """Speech with a little of the quiet around it; `start` in seconds from the start of the stream."""

    start: float
    audio: Audio

    @property
    def end(self) -> float:
        return self.start + self.audio.duration


def find_speech(
    blocks: Iterable[np.ndarray],
    detector: SpeechDetector,
    *,
    thresholds: Thresholds = Thresholds(),
    pad: float = 0.3,
    longest: float = 29.0,
) -> Iterator[Stretch]:
    """Cut a stream of (T,) blocks at the detector's rate into stretches of speech.

    Each stretch has up to `pad` seconds of what surrounds it, none overlaps another, and none
    is longer than `longest` seconds: longer speech is cut where speech is least likely. The
    result does not depend on how the stream is divided into blocks; memory holds one stretch.
    """
    cutter = _Cutter(detector, thresholds, pad, longest)
    for frame, chance in _judged(blocks, detector):
        yield from cutter.take(frame, chance)
    yield from cutter.finish()


def _judged(blocks: Iterable[np.ndarray], detector: SpeechDetector) -> Iterator[tuple[np.ndarray, float]]:
    """(T,) blocks → (hop,) frames, the last one shorter, each with P(speech)."""
    judge, hop = _judge(detector), detector.hop
    rest = np.zeros(0, np.float32)
    for block in blocks:
        block = np.concatenate((rest, block))
        whole = len(block) // hop * hop
        frames = block[:whole].reshape(-1, hop)
        for first in range(0, len(frames), TOGETHER):
            several = frames[first : first + TOGETHER]
            yield from zip(several, judge(several), strict=True)
        rest = block[whole:]
    if len(rest):
        yield rest, judge(np.pad(rest, (0, hop - len(rest)))[None])[0]


def raised_stream(detector: SpeechDetector) -> Callable[[np.ndarray], float]:
    """Begin a session of a detector that hears quiet sound too: successive (hop,) frames → P(speech)."""
    judge = _judge(detector)
    return lambda frame: judge(frame[None])[0]


def _judge(detector: SpeechDetector) -> Callable[[np.ndarray], Sequence[float]]:
    """(N, hop) frames → P(speech) of each, all at once where the detector can; quiet ones are raised."""
    raised = Gain(detector.hop / detector.rate)
    if isinstance(detector, BatchSpeechDetector):
        several = detector.stream_several()
        return lambda frames: several(raised(frames)).tolist()
    one = detector.stream()
    return lambda frames: [one(frame) for frame in raised(frames)]


class _Cutter:
    """The state of `find_speech`: the frames that may still be needed, and their probabilities."""

    def __init__(self, detector: SpeechDetector, thresholds: Thresholds, pad: float, longest: float) -> None:
        self._rate, self._hop = detector.rate, detector.hop
        self._hysteresis = Hysteresis(thresholds, self._hop / self._rate)
        self._pad = round(pad * self._rate / self._hop)
        self._longest = int(longest * self._rate / self._hop)
        self._held: list[np.ndarray] = []
        self._chances: list[float] = []
        self._first = 0  # number of the first frame held

    def take(self, frame: np.ndarray, chance: float) -> Iterator[Stretch]:
        self._held.append(frame)
        self._chances.append(chance)
        region = self._hysteresis(chance)
        if region:
            yield from self._rest(region)
        elif self._hysteresis.speaking and len(self._held) >= self._longest:
            edge = self._first + self._least_likely()
            yield self._emit(edge)
            self._hysteresis.cut(edge)
        elif self._hysteresis.since is None:
            self._forget(len(self._held) - self._pad)

    def finish(self) -> Iterator[Stretch]:
        region = self._hysteresis.finish()
        if region:
            yield from self._rest(region)

    def _rest(self, region: Region) -> Iterator[Stretch]:
        """What of a region has not gone out yet: nothing, where it was cut in the silence after it."""
        if region.last + self._pad > self._first:
            yield self._emit(region.last + self._pad)

    def _emit(self, last: int) -> Stretch:
        """The frames held before frame number `last`, which are let go."""
        count = min(last - self._first, len(self._held))
        stretch = Stretch(
            self._first * self._hop / self._rate, Audio(np.concatenate(self._held[:count]), self._rate)
        )
        self._forget(count)
        return stretch

    def _forget(self, count: int) -> None:
        if count > 0:
            del self._held[:count], self._chances[:count]
            self._first += count

    def _least_likely(self) -> int:
        """Where to cut speech that is too long: the least likely fifth of a second of its later half."""
        width = 7
        smooth = np.convolve(self._chances, np.ones(width) / width, mode="valid")
        begin = len(smooth) // 2
        return begin + int(np.argmin(smooth[begin:])) + width // 2

"""Incremental recognition: frames of sound in as they come, words out that stay, and a tail that may change.

The recognizer hears a short window again and again as it grows. Words on which successive hypotheses
agree (local agreement: Liu, Spanakis and Niehues 2020), and those before a pause, are settled; the window
then begins a few settled words earlier, which tell where in the next hypothesis the new words begin. So
the cost of a partial result does not grow with the length of the speech.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from voice.asr.local_agreement import agreed_words, new_words
from voice.asr.segmenting import separate_times, split_segments
from voice.audio import resample
from voice.text.languages import WITHOUT_SPACES, language_for
from voice.types import UNDETERMINED, Audio, Recognizer, Segment, Transcript, Word
from voice.vad import Hysteresis, Thresholds

RATE = 16_000
_LEAD = 0.2  # seconds of sound before the first word of a window that begins within speech
_NOTHING = np.zeros(0, np.float32)


@dataclass(frozen=True)
class PartialTranscript:
    """What has been understood up to `until` seconds of the stream.

    `stable` only ever grows (until `forget` or `take_settled` takes it away); `tail` may still change.
    """

    stable: str
    tail: str
    until: float

    @property
    def text(self) -> str:
        """Return both as one text."""
        return " ".join(filter(None, (self.stable, self.tail)))


@dataclass(frozen=True)
class Pacing:
    """When words are looked for, shown and settled; seconds of sound."""

    step: float = 0.6  # from one partial to the next while somebody speaks
    hold: float = 0.6  # words that end this close to the edge of the sound are not shown yet
    doubt: float = 0.5  # words with less confidence than this are not shown before they are
    sure: float = 1.5  # words that end this long before the edge are settled if two hypotheses agree
    widest: float = 7.0  # a window that holds settled words and is longer than this is cut,
    context: float = 3.0  # to begin this long before the end of the settled words
    trust: float = 0.8  # when `finish` is called, words that end this far from the edge are final
    glance: float = 2.0  # and this much of them is heard again
    ahead: float = 0.16  # after a silence this long the final words are made before anybody asks for them
    pause: float = 0.8  # a silence this long settles what was said before it
    pre_roll: float = 0.5  # of sound from before the first sure speech
    longest: float = 10.0  # of sound that is ever recognized at once
    load: float = 0.5  # share of the time that partials may take, where there is a stopwatch


class IncrementalRecognizer:
    """One stream of frames that a detector of speech has judged. Holds at most `pacing.longest` seconds.

    `hop` is the length of a frame in samples at 16 kHz. `stopwatch` (seconds, such as `time.perf_counter`)
    lets partials become rarer where recognizing is slower than the sound comes; without one, the same
    sound gives the same partials on every machine, however it is cut into pieces.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        hop: int,
        *,
        language: str | None = None,
        hotwords: Sequence[str] = (),
        pacing: Pacing = Pacing(),
        stopwatch: Callable[[], float] | None = None,
    ) -> None:
        self._recognizer, self._hotwords, self._pacing = recognizer, hotwords, pacing
        self._language, self._stopwatch = language_for(recognizer, language), stopwatch or _no_time
        self._hop = hop
        self._pauses = Hysteresis(Thresholds(shortest_silence=pacing.pause), hop / RATE)
        self._waiting: deque[tuple[np.ndarray, float]] = deque()  # frames not taken yet
        self._held: list[np.ndarray] = []  # the window's frames
        self._count = 0  # frames so far
        self._voiced = 0  # frame after the last one with speech
        self._words: list[Word] = []  # settled
        self._closed = 0  # how many of them a pause has followed
        self._known: list[Word] = []  # settled too, and in the window
        self._hypothesis = _WindowHypothesis((), 0)

    @property
    def partial(self) -> PartialTranscript:
        """What is understood of what `forget` and `take_settled` have not taken away."""
        tail = self._hypothesis.words[: self._hypothesis.shown]
        return PartialTranscript(self._text(self._words), self._text(tail), self._time(self._hypothesis.edge))

    def feed(self, samples: np.ndarray, probabilities: Sequence[float]) -> PartialTranscript | None:
        """Take the next (N * hop,) float32 samples, P(speech) of each frame; return what is new, or None.

        Recognition happens in here, at fixed places of the stream: most calls only take the samples.
        Raises VoiceError as the recognizer does; no sound is lost by that, and the stream may go on.
        """
        self._waiting += zip(samples.reshape(-1, self._hop), probabilities, strict=True)
        before = self.partial
        while self._waiting:
            self._take(*self._waiting.popleft())
        now = self.partial
        return None if (now.stable, now.tail) == (before.stable, before.tail) else now

    def finish(self, rest: np.ndarray = _NOTHING) -> Transcript:
        """Return all words since the beginning or the last `forget` or `take_settled`, in final quality.

        Times count from the start of the stream, and `duration` is how much of it was fed, with the samples
        `rest` that are no whole frame yet. Nothing ends with it: it may be called at a likely end of a turn,
        and feeding may go on. It costs nothing where nobody has spoken since the last call.
        """
        if self._pauses.speaking and self._voiced > self._hypothesis.edge:
            self._recognize(rest, glance=True)
            self._show(0.0)
        segments = tuple(self._segments((*self._words, *self._hypothesis.words)))
        duration = self._time(self._count) + len(rest) / RATE
        language = self._language or (self._hypothesis.language if segments else None)
        return Transcript(segments, language or UNDETERMINED, duration)

    def take_settled(self) -> tuple[Segment, ...]:
        """Hand over the segments that can no longer change; partials and `finish` then begin after them.

        A sentence that is still being said is not handed over before it ends or a pause follows.
        """
        segments = list(self._segments(self._words))
        if segments and self._closed < len(self._words):
            segments.pop()
        count = sum(len(segment.words) for segment in segments)
        del self._words[:count]
        self._closed = max(0, self._closed - count)
        return tuple(segments)

    def forget(self) -> None:
        """Begin a new turn: drop all words so far, and keep only the sound after the last speech."""
        self._words, self._closed = [], 0
        if self._pauses.speaking:
            self._pauses.cut(self._count)
        self._begin_window(self._count - self._voiced)

    def _take(self, frame: np.ndarray, probability: float) -> None:
        self._count += 1
        self._held.append(frame)
        if self._pauses(probability):
            self._close()
        elif not self._pauses.speaking:
            since = self._pauses.since
            self._trim(self._frames(self._pacing.pre_roll) + (0 if since is None else self._count - since))
        elif not self._pauses.quiet:
            self._voiced = self._count
            if self._is_due():
                self._advance(self._pacing.hold)
        elif self._pauses.quiet == self._frames(self._pacing.ahead) and self._voiced > self._hypothesis.edge:
            self._advance(0.0)

    def _is_due(self) -> bool:
        """Tell whether it is time for a partial, or there is as much sound as may be recognized at once."""
        wait = max(self._pacing.step, self._hypothesis.cost / self._pacing.load)
        waited = self._count - max(self._hypothesis.edge, self._pauses.since or 0)
        return waited >= self._frames(wait) or self._is_full

    @property
    def _is_full(self) -> bool:
        return len(self._held) >= self._frames(self._pacing.longest)

    def _advance(self, hold: float) -> None:
        """Recognize the window, settle what this hypothesis and the one before agree on, show the others."""
        before = self._hypothesis
        self._recognize()
        words, sure = self._hypothesis.words, self._time(self._count) - self._pacing.sure
        old = sum(word.end <= sure for word in words[:-1])  # what follows a word may change its mark
        self._settle(old if self._is_full else min(old, agreed_words(before.words, words)))
        if self._is_full:  # hardly a word for that long
            self._settle(len(self._hypothesis.words))
            self._begin_window(self._frames(self._pacing.pre_roll))
        self._show(hold)

    def _close(self) -> None:
        """Settle all that was said before a pause."""
        if self._voiced > self._hypothesis.edge:
            self._recognize()
        self._settle(len(self._hypothesis.words))
        self._closed = len(self._words)
        self._begin_window(self._frames(self._pacing.pre_roll))

    def _recognize(self, rest: np.ndarray = _NOTHING, glance: bool = False) -> None:
        """Recognize what the window, and `rest` after it, holds after the settled words.

        With `glance` the last hypothesis is trusted except for its edge, so that little has to be recognized.
        """
        kept: tuple[Word, ...] = ()
        known, frames = self._known, len(self._held)
        if glance:
            edge = self._time(self._hypothesis.edge) - self._pacing.trust
            kept = tuple(word for word in self._hypothesis.words if word.end <= edge)
            known, frames = self._overlap([*self._known, *kept], self._pacing.glance)
        window = Audio(np.concatenate((*self._held[-frames:], rest)), RATE)
        window, begun = resample(window, self._recognizer.rate), self._stopwatch()
        heard = self._recognizer.transcribe(window, language=self._language, hotwords=self._hotwords)
        cost = self._stopwatch() - begun
        start = self._time(self._count - frames)
        fresh = new_words(known, [word.shifted(start) for word in _words(heard)])
        clock = known[-1].end if known else 0.0
        words = separate_times(fresh, clock, start + window.duration)
        self._hypothesis = _WindowHypothesis((*kept, *words), self._count, heard.language, cost=cost)

    def _overlap(self, known: list[Word], context: float) -> tuple[list[Word], int]:
        """Return the words of the last `context` seconds of `known`, and how many frames back they begin."""
        frames = len(self._held)
        overlap = [word for word in known if word.start >= known[-1].end - context] or known[-1:]
        dropped = len(known) - len(overlap)
        if not dropped:
            return known, frames
        start = max(overlap[0].start - _LEAD, (known[dropped - 1].end + overlap[0].start) / 2)
        return overlap, min(frames, self._count - int(start * RATE / self._hop))

    def _settle(self, count: int) -> None:
        """Settle the first `count` words of the hypothesis: they will not change any more."""
        words = self._hypothesis.words[:count]
        self._words += words
        self._known = [*self._known, *words]
        self._hypothesis = replace(self._hypothesis, words=self._hypothesis.words[count:])
        if words:
            self._language = self._language or self._hypothesis.language
        if self._known and len(self._held) > self._frames(self._pacing.widest):
            self._known, keep = self._overlap(self._known, self._pacing.context)
            self._trim(keep)

    def _show(self, hold: float) -> None:
        """Show the words that end `hold` seconds before the edge, up to a doubtful one; 0 shows all."""
        edge = self._time(self._hypothesis.edge)
        shown = 0
        for word in self._hypothesis.words:
            doubtful = word.confidence < self._pacing.doubt and word.end > edge - self._pacing.sure
            if hold and (doubtful or word.end > edge - hold):
                break
            shown += 1
        self._hypothesis = replace(self._hypothesis, shown=shown)

    def _begin_window(self, keep: int) -> None:
        """Keep only the last `keep` frames to be recognized again; no words of them are known."""
        self._trim(keep)
        self._known = []
        self._hypothesis = _WindowHypothesis((), self._count, cost=self._hypothesis.cost)

    def _trim(self, keep: int) -> None:
        del self._held[: max(0, len(self._held) - keep)]

    def _segments(self, words: Sequence[Word]) -> Iterator[Segment]:
        return split_segments((self._space + word.text for word in words), words)

    def _text(self, words: Sequence[Word]) -> str:
        return self._space.join(word.text for word in words)

    @property
    def _space(self) -> str:
        return "" if self._language in WITHOUT_SPACES else " "

    def _frames(self, seconds: float) -> int:
        return max(1, round(seconds * RATE / self._hop))

    def _time(self, frame: int) -> float:
        return frame * self._hop / RATE


@dataclass(frozen=True)
class _WindowHypothesis:
    """The words of one recognition after the settled ones; it covers the stream up to frame `edge`."""

    words: tuple[Word, ...]
    edge: int
    language: str | None = None
    shown: int = 0  # how many of them are shown
    cost: float = 0.0  # seconds that it took


def _words(heard: Transcript) -> Iterator[Word]:
    """Yield all words; those of a segment without times share its time evenly."""
    for segment in heard.segments:
        if segment.words:
            yield from segment.words
            continue
        texts = segment.text.split()
        edges = np.linspace(segment.start, segment.end, len(texts) + 1)
        for text, start, end in zip(texts, edges, edges[1:], strict=False):
            yield Word(text, float(start), float(end))


def _no_time() -> float:
    return 0.0

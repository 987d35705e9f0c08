"""Words of one turn from its sound as it comes: where the user's turn meets a recognizer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from voice.agent.events import Event, Partial
from voice.agent.listening.voice_activity import JudgedFrame
from voice.agent.work import Lane, Task
from voice.types import UNDETERMINED, Audio, Recognizer, Segment, Transcript, Word


class TurnHypothesis(Protocol):
    """The words so far; see voice.asr.incremental.PartialTranscript."""

    @property
    def stable(self) -> str: ...

    @property
    def tail(self) -> str: ...


class Listener(Protocol):
    """Recognizes one turn: fed as it is said, finished at each likely end, perhaps fed again after that.

    `feed` takes the next (N * hop,) samples and P(speech) of each of the N frames. voice.asr.incremental has
    one that makes partial words. Times of words count from the first sample fed.
    """

    def feed(self, samples: np.ndarray, probabilities: Sequence[float]) -> TurnHypothesis | None: ...

    def finish(self) -> Transcript: ...


OpenListener = Callable[[Recognizer, int, str | None, tuple[str, ...]], Listener]
# The recognizer, the rate of the sound (Hz), its language and hotwords


class WholeTurn:
    """A recognizer without partial words recognizes a turn again from its beginning at each likely end.

    What is older than `settle_after` seconds at such an end is final, and so is each `longest` seconds.
    """

    settle_after, longest = 20.0, 29.0

    def __init__(
        self, recognizer: Recognizer, rate: int, language: str | None, hotwords: tuple[str, ...]
    ) -> None:
        self._recognizer, self._rate = recognizer, rate
        self._language, self._hotwords = language, hotwords
        self._sound: list[np.ndarray] = []
        self._begin = self._length = 0  # samples before the sound that is held, and of it
        self._settled: list[Segment] = []
        self._found = UNDETERMINED

    def feed(self, samples: np.ndarray, probabilities: Sequence[float]) -> None:
        """Hold the next samples; recognize them for good once there is as much as is recognized at once."""
        most = round(self.longest * self._rate)
        while self._length + len(samples) > most:
            room = most - self._length
            self._hold(samples[:room])
            samples = samples[room:]
            self._settle(self._recognize())
        self._hold(samples)

    def finish(self) -> Transcript:
        """Return the whole turn so far."""
        segments = self._recognize()
        everything = (*self._settled, *segments)
        duration = (self._begin + self._length) / self._rate
        if self._length > self.settle_after * self._rate:
            self._settle(segments)
        return Transcript(everything, self._language or self._found, duration)

    def _hold(self, samples: np.ndarray) -> None:
        self._sound.append(samples)
        self._length += len(samples)

    def _settle(self, segments: tuple[Segment, ...]) -> None:
        self._settled += segments
        self._begin += self._length
        self._sound, self._length = [], 0

    def _recognize(self) -> tuple[Segment, ...]:
        """Return the segments of the sound that is held."""
        if not self._length:
            return ()
        audio = Audio(np.concatenate(self._sound), self._rate)
        if self._recognizer.rate != self._rate:
            from voice.audio import resample

            audio = resample(audio, self._recognizer.rate)
        heard = self._recognizer.transcribe(audio, language=self._language, hotwords=self._hotwords)
        self._found = heard.language if heard.segments else self._found
        return tuple(each.shifted(self._begin / self._rate) for each in heard.segments)


def live(hop: int, stopwatch: Callable[[], float] | None = None) -> OpenListener:
    """Open listeners with partial words, of any recognizer; `hop` is the detector's, in samples at 16 kHz.

    With a `stopwatch` partials become rarer where recognizing is slow; without, a recording replays exactly.
    """

    def open_listener(
        recognizer: Recognizer, rate: int, language: str | None, hotwords: tuple[str, ...]
    ) -> Listener:
        from voice.asr.incremental import IncrementalRecognizer

        return IncrementalRecognizer(
            recognizer, hop, language=language, hotwords=hotwords, stopwatch=stopwatch
        )

    return open_listener


class TurnRecognition:
    """The words of one turn: recognized in a lane, while the turn goes on.

    `text` and `words` are those so far, in `language`; `is_final` says whether they are final for the speech
    up to now, `finals` how often they were, `ready` since when (see Task.ready), and `news` when there was a
    new word.
    """

    def __init__(
        self, listener: Listener, lane: Lane, frames: Iterable[JudgedFrame], origin: float, began: float
    ) -> None:
        """`frames` are the first ones, which begin at the time `origin`."""
        self.text = ""
        self.words: tuple[Word, ...] = ()
        self.language = UNDETERMINED
        self.is_final = False
        self.finals = 0
        self.ready = 0.0
        self.news = began
        self._listener, self._lane, self._origin = listener, lane, origin
        self._unfed = [*frames]
        self._feeding: Task[TurnHypothesis | None] | None = None
        self._finishing: Task[Transcript] | None = None
        self._again = False  # whether there is more to finish than what is being finished

    @property
    def unfed_count(self) -> int:
        """How many frames the recognizer has not been given."""
        return len(self._unfed)

    @property
    def finishing(self) -> bool:
        """Whether the final words so far are being made."""
        return self._finishing is not None

    @property
    def pending(self) -> list[Task[TurnHypothesis | None] | Task[Transcript]]:
        """What is being worked on just now."""
        return [task for task in (self._feeding, self._finishing) if task]

    @property
    def end_of_sentence(self) -> float | None:
        """How likely a sentence ends with the last word, if that is known."""
        return self.words[-1].end_of_sentence if self.words else None

    def hold(self, frame: JudgedFrame) -> None:
        """Take the next frame, to be fed later."""
        self._unfed.append(frame)

    def feed(self, now: float, *, speech: bool) -> None:
        """Feed what is held, unless work is under way; with `speech` the words are no longer final."""
        if self._feeding or self._finishing:
            return
        self.is_final = self.is_final and not speech
        samples, probabilities = self._take_unfed()
        listener = self._listener
        self._feeding = self._lane.start(lambda: listener.feed(samples, probabilities), now)

    def finish(self, now: float) -> bool:
        """Have the final words so far made; return False where that is under way, to be done again."""
        self._again = self._finishing is not None
        if self._again:
            return False
        samples, probabilities = self._take_unfed()
        listener = self._listener
        self.is_final = False

        def words() -> Transcript:
            listener.feed(samples, probabilities)
            return listener.finish()

        self._finishing = self._lane.start(words, now)
        return True

    def collect_partial(self, now: float) -> Iterator[Event]:
        """Yield what feeding has brought. Raises VoiceError as the recognizer does."""
        if not (self._feeding and self._feeding.done):
            return
        task, self._feeding = self._feeding, None
        hypothesis = task.result()
        if hypothesis and not self.is_final:
            yield from self._update(hypothesis.stable, hypothesis.tail, now)

    @property
    def has_finished(self) -> bool:
        """Whether the final words that were asked for have been made, or have failed."""
        return self._finishing is not None and self._finishing.done

    def collect_final(self, now: float) -> Generator[Event, None, bool]:
        """Yield what finishing has brought; return False where it has to be done again.

        Raises VoiceError as the recognizer does.
        """
        task, self._finishing = self._finishing, None
        if task is None:
            return True
        transcript = task.result()
        text, words = text_of(transcript)
        if self._again:
            return False
        self.words = tuple(word.shifted(self._origin) for word in words)
        self.language = transcript.language
        self.is_final, self.finals, self.ready = True, self.finals + 1, max(task.ready, now)
        yield from self._update(text, "", now)
        return True

    def _take_unfed(self) -> tuple[np.ndarray, list[float]]:
        frames, self._unfed = self._unfed, []
        samples = np.concatenate([np.zeros(0, np.float32), *(frame.samples for frame in frames)])
        return samples, [frame.probability for frame in frames]

    def _update(self, stable: str, tail: str, now: float) -> Iterator[Event]:
        text = f"{stable} {tail}".strip()
        if text != self.text:
            self.text, self.news = text, now
            yield Partial(now, stable, tail)


def text_of(transcript: Transcript) -> tuple[str, tuple[Word, ...]]:
    """Return a transcript's text, without gaps where a segment is empty, and its words."""
    return " ".join(filter(None, (each.text.strip() for each in transcript.segments))), transcript.words

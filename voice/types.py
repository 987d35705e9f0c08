"""The types that the whole pipeline speaks: NumPy and the standard library, nothing else.

Times are seconds, counted from the start of the audio at hand. Samples are float32, mono,
in [-1, 1]. A result is frozen; whoever wants another makes another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound: `samples` (T,) float32 in [-1, 1] at `rate` Hz."""

    samples: np.ndarray
    rate: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate

    def cut(self, start: float, end: float) -> Audio:
        """The part from `start` to `end` seconds, clipped to what there is (a view)."""
        first, last = (max(0, round(t * self.rate)) for t in (start, end))
        return Audio(self.samples[first:last], self.rate)


@dataclass(frozen=True)
class Word:
    """A written word, when it was said, and how sure its source is of it (0 to 1).

    `end_of_sentence` is how likely a sentence ends with it, where the source weighs what to write after it.
    """

    text: str
    start: float
    end: float
    confidence: float = 1.0
    end_of_sentence: float | None = None

    @property
    def closing(self) -> float | None:
        """Return `end_of_sentence`, by the name that it had before version 0.2."""
        return self.end_of_sentence

    def shifted(self, offset: float) -> Word:
        return replace(self, start=self.start + offset, end=self.end + offset)


@dataclass(frozen=True)
class Segment:
    """A stretch of speech that reads as one: a sentence or a clause between pauses.

    `speaker` is who says all of it ("Speaker 1"), where that was asked for.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    speaker: str | None = None

    def shifted(self, offset: float) -> Segment:
        words = tuple(word.shifted(offset) for word in self.words)
        return replace(self, start=self.start + offset, end=self.end + offset, words=words)


@dataclass(frozen=True)
class Mark:
    """A place in a text that its writer gave a name, and the time at which it is reached."""

    name: str
    time: float

    def shifted(self, offset: float) -> Mark:
        return replace(self, time=self.time + offset)


UNDETERMINED = "und"  # the language of what has no words, where none was given (ISO 639-2)


@dataclass(frozen=True)
class Transcript:
    """What was said in `duration` seconds of audio, in `language` (ISO 639-1).

    Where no speech was found there are no segments, and the language is the one that was asked for or
    UNDETERMINED.
    """

    segments: tuple[Segment, ...]
    language: str
    duration: float
    marks: tuple[Mark, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(segment.text.strip() for segment in self.segments)

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for segment in self.segments for word in segment.words)


@dataclass(frozen=True, eq=False)
class Speech:
    """A piece of synthesized speech; `words` are as written, timed from the start of `audio`, and so
    are the `marks`."""

    audio: Audio
    text: str
    words: tuple[Word, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Pronunciation:
    """How something is pronounced whatever is written: by `phonemes`, or by other `words`.

    The phonemes are those of voice.text.alphabet. Without either it is silent.
    """

    phonemes: str = ""
    words: str = ""


@dataclass(frozen=True)
class Controls:
    """How to speak.

    `speed` scales durations: 2 is twice as fast. `pitch` moves the voice by semitones, `energy` its
    level by decibels. `pause` scales all pauses; the others give those between clauses (at commas),
    sentences and paragraphs in seconds. `lexicon` says how words are spoken (see voice.text.lexicon).
    Raises ValueError for what is out of range.
    """

    speed: float = 1.0
    pitch: float = 0.0
    energy: float = 0.0
    pause: float = 1.0
    clause_pause: float | None = None
    sentence_pause: float | None = None
    paragraph_pause: float | None = None
    lexicon: Mapping[str, Pronunciation] | None = None

    def __post_init__(self) -> None:
        for name, (lowest, highest, hint) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not lowest <= value <= highest:
                shown = name.replace("_", " ")
                raise ValueError(f"{shown} is {value:g}; it goes from {hint.format(lowest, highest)}")


RANGES = {
    "speed": (0.5, 2.0, "{:g} (slow) to {:g} (fast)"),
    "pitch": (-12.0, 12.0, "{:g} to {:g} semitones"),
    "energy": (-24.0, 12.0, "{:g} to {:g} dB"),
    "pause": (0.0, 5.0, "{:g} (none) to {:g} (five times as long)"),
    "clause_pause": (0.0, 2.0, "{:g} to {:g} seconds"),
    "sentence_pause": (0.0, 10.0, "{:g} to {:g} seconds"),
    "paragraph_pause": (0.0, 10.0, "{:g} to {:g} seconds"),
}  # of Controls: lowest, highest and how the two are named


@dataclass(frozen=True)
class Pace:
    """The person wants speech `times` as fast as now (0.85 is slower), or as at first if that is None."""

    times: float | None

    def applied(self, controls: Controls, first: Controls = Controls()) -> Controls:
        """The controls from now on, within what can be spoken; `first` are those of the beginning."""
        if self.times is None:
            return replace(controls, speed=first.speed)
        return replace(controls, speed=min(2.0, max(0.5, controls.speed * self.times)))


@dataclass(frozen=True)
class Message:
    """One turn of a conversation; `role` is "system", "user", "assistant" or "tool"."""

    role: str
    content: str


class Recognizer(Protocol):
    """Speech of at most 30 s → text. Holds no state between calls."""

    rate: int

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript: ...


class Synthesizer(Protocol):
    """Text of any length → speech, a sentence at a time. Holds no state between calls."""

    rate: int

    def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]: ...


class SpeechDetector(Protocol):
    """`stream()` begins a fresh session: a function from (hop,) samples to P(speech)."""

    rate: int
    hop: int

    def stream(self) -> Callable[[np.ndarray], float]: ...


class TurnDetector(Protocol):
    """How many seconds of silence end a turn, judged by its sound and its words so far.

    In each pause, a little into it, `probability` says how likely the sound up to the last speech is
    complete, while the words are being recognized; then `endpoint_after` quickly gives the seconds. It is
    told how likely a sentence ends with the last word, if that is known (see Word). Infinity leaves the end
    to the host.
    """

    def probability(self, turn: Audio) -> float: ...

    def endpoint_after(
        self, partial: str, probability: float, end_of_sentence: float | None = None
    ) -> float: ...


class Brain(Protocol):
    """A conversation so far → the reply, in pieces as they are thought of.

    A message of role "system" holds the conversation's instructions. A brain with nothing but
    `reply` is asked once the person is done; one that can think before that has `prepare` too.
    """

    def reply(self, messages: Sequence[Message]) -> Iterator[str]: ...


class ThinksAhead(Protocol):
    """A brain that may be asked while the person perhaps goes on (see SpeculativeReply)."""

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply: ...


class SpeculativeReply(Protocol):
    """A reply in the making, begun before it is certain that it is wanted.

    Each next piece is text to say, a wish about how it is said, or None: the reply cannot go on
    before `commit`, since what comes next has an effect (a timer set, a note written). None comes
    again each time that it is asked before; after `commit`, None only says that the next piece takes a
    while, so that what was said whole can be spoken. `commit` says that the turn has ended and only
    allows: nothing happens until the next piece is asked for. `close` throws the rest away,
    without effects if nothing was committed. `next` may take long and raises BrainError; it is
    asked by one thread at a time, while `commit` and `close` may come from another.
    """

    def __iter__(self) -> Iterator[str | Pace | None]: ...

    def __next__(self) -> str | Pace | None: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...

"""The types that all parts of the pipeline share. They need NumPy and the standard library, nothing else.

Times are seconds, counted from the start of the audio at hand. Samples are float32, mono, in [-1, 1]. A
result is frozen; `dataclasses.replace` makes a changed copy. The protocols say what is required of a model;
what it can do besides is in voice.abilities. All of them are one module because the protocols name the types.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # (T,) of sound
Frames = NDArray[np.float32]  # (F, D) features of sound, a row for each frame
LogProbs = NDArray[np.float32]  # (F, C) natural logarithms of the probabilities of C classes in each frame


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound: `samples` (T,) float32 in [-1, 1] at `rate` Hz."""

    samples: Samples
    rate: int

    @property
    def duration(self) -> float:
        """Return the length in seconds."""
        return len(self.samples) / self.rate

    def cut(self, start: float, end: float) -> Audio:
        """Return the part from `start` to `end` seconds as a view; times outside of the audio are clipped."""
        first, last = (max(0, round(t * self.rate)) for t in (start, end))
        return Audio(self.samples[first:last], self.rate)


@dataclass(frozen=True)
class Word:
    """A written word, the time at which it is said, and its `confidence` (0 to 1).

    `end_of_sentence` is the probability that a sentence ends with it, for sources that compute one.
    """

    text: str
    start: float
    end: float
    confidence: float = 1.0
    end_of_sentence: float | None = None

    @property
    def closing(self) -> float | None:
        """Return `end_of_sentence`; the old name, for one more version."""
        warnings.warn("Word.closing is now Word.end_of_sentence", DeprecationWarning, stacklevel=2)
        return self.end_of_sentence

    def shifted(self, offset: float) -> Word:
        """Return the word `offset` seconds later."""
        return replace(self, start=self.start + offset, end=self.end + offset)


@dataclass(frozen=True)
class Segment:
    """A sentence, or a part of one between two pauses.

    `speaker` names the person who says all of it ("Speaker 1") if diarization was asked for.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    speaker: str | None = None

    def shifted(self, offset: float) -> Segment:
        """Return the segment and its words `offset` seconds later."""
        words = tuple(word.shifted(offset) for word in self.words)
        return replace(self, start=self.start + offset, end=self.end + offset, words=words)


@dataclass(frozen=True)
class Mark:
    """A named place in a marked-up text, and the time at which the speech reaches it."""

    name: str
    time: float

    def shifted(self, offset: float) -> Mark:
        """Return the mark `offset` seconds later."""
        return replace(self, time=self.time + offset)


LOUDNESS = -20.0  # LUFS, of all voices unless another level is asked for
DATE_ORDERS = ("dmy", "mdy")  # of figures: day first, month first
UNDETERMINED = "und"  # the language of a recording without words if none was given (ISO 639-2)


@dataclass(frozen=True)
class Transcript:
    """The text of `duration` seconds of audio, in `language` (ISO 639-1).

    Without speech there are no segments, and the language is the one that was asked for or
    UNDETERMINED.
    """

    segments: tuple[Segment, ...]
    language: str
    duration: float
    marks: tuple[Mark, ...] = ()

    @property
    def text(self) -> str:
        """Return the texts of all segments, separated by spaces."""
        return " ".join(segment.text.strip() for segment in self.segments)

    @property
    def words(self) -> tuple[Word, ...]:
        """Return the words of all segments."""
        return tuple(word for segment in self.segments for word in segment.words)


@dataclass(frozen=True, eq=False)
class Speech:
    """A piece of synthesized speech.

    `words` are as the text has them; their times and those of the `marks` count from the start of `audio`.
    """

    audio: Audio
    text: str
    words: tuple[Word, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Pronunciation:
    """How a word is spoken: by `phonemes` (see voice.text.alphabet), by other `words`, or not at all."""

    phonemes: str = ""
    words: str = ""


@dataclass(frozen=True)
class Controls:
    """Options of synthesis.

    `speed` divides durations: 2 is twice as fast. `pitch` moves the voice by semitones, `energy` its level
    by decibels. `pause` scales all pauses; `clause_pause` (at commas), `sentence_pause` and `paragraph_pause`
    set them in seconds. `lexicon` maps words to pronunciations (see voice.text.lexicon). `loudness` is that
    of every voice in LUFS, None for its network's. `dates` is the order of dates such as 03/04/2025, "dmy" or
    "mdy", None for that of the voice's language. Raises ValueError for a value out of range.
    """

    speed: float = 1.0
    pitch: float = 0.0
    energy: float = 0.0
    pause: float = 1.0
    clause_pause: float | None = None
    sentence_pause: float | None = None
    paragraph_pause: float | None = None
    lexicon: Mapping[str, Pronunciation] | None = None
    loudness: float | None = LOUDNESS
    dates: str | None = None

    def __post_init__(self) -> None:
        if self.dates not in (None, *DATE_ORDERS):
            raise ValueError(f"dates are {self.dates!r}; their order is one of {', '.join(DATE_ORDERS)}")
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
    "loudness": (-40.0, -10.0, "{:g} to {:g} LUFS"),
}  # of Controls: lowest, highest, and a format that names both


@dataclass(frozen=True)
class SpeedChange:
    """Multiply the current speed by `times` (0.85 is slower); None restores the initial speed."""

    times: float | None

    def apply_to(self, controls: Controls, initial: Controls = Controls()) -> Controls:
        """Return `controls` with the new speed, kept within RANGES; `initial` has the initial speed."""
        if self.times is None:
            return replace(controls, speed=initial.speed)
        lowest, highest, _ = RANGES["speed"]
        return replace(controls, speed=min(highest, max(lowest, controls.speed * self.times)))


@dataclass(frozen=True)
class LanguageChange:
    """Speak what follows in the language `code` (ISO 639-1); "" is the voice's own."""

    code: str


ReplyPiece = str | SpeedChange | LanguageChange | None  # see SpeculativeReply


@dataclass(frozen=True)
class Message:
    """One turn of a conversation; `role` is "system", "user", "assistant" or "tool".

    `language` is the one that was heard (ISO 639-1), "" where that is not known.
    """

    role: str
    content: str
    language: str = field(default="", compare=False)


class Recognizer(Protocol):
    """A model that turns speech of at most 30 s at `rate` Hz into text. It holds no state between calls.

    `language` is an ISO 639-1 code, or None to detect it; `hotwords` are terms to expect. A recognizer
    that cannot use one of them ignores it. The transcript's times are seconds from the start of `speech`, its
    duration is that of `speech`; `words` may be empty if the model knows no times of words. If there is no
    speech, there are no segments. Its language is the given one, or else the detected one (UNDETERMINED
    without speech). Raises VoiceError, whose message the user sees, for what cannot be transcribed:
    AudioError for speech that is too long.
    """

    @property
    def rate(self) -> int: ...

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript: ...


class Synthesizer(Protocol):
    """A voice that turns text into speech, a sentence at a time, at `rate` Hz; it holds no state."""

    @property
    def rate(self) -> int: ...

    def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]: ...


class SpeechDetector(Protocol):
    """A model that tells speech from other sound.

    `stream()` begins a session: a function from each next (hop,) samples at `rate` Hz to P(speech).
    """

    @property
    def rate(self) -> int: ...

    @property
    def hop(self) -> int: ...

    def stream(self) -> Callable[[Samples], float]: ...


class TurnDetector(Protocol):
    """A model or rule that tells after how much silence the turn of a person has ended.

    Early in each pause `probability` is asked how likely the sound of the turn is complete; this may
    take as long as the recognition of the words, which runs meanwhile. Then `endpoint_after` returns the
    seconds of silence that end the turn, and must be quick. Its arguments are the words so far, that
    probability, and the `end_of_sentence` of the last word (see Word) if it is known. Infinity means
    that silence never ends the turn.
    """

    def probability(self, turn: Audio) -> float: ...

    def endpoint_after(
        self, partial: str, probability: float, end_of_sentence: float | None = None
    ) -> float: ...


class Brain(Protocol):
    """A model that continues a conversation: messages so far → the pieces of the reply as they are made.

    A message of role "system" holds the instructions of the conversation. A brain that has only `reply`
    is asked once the person has finished; see voice.abilities.SpeculativeBrain.
    """

    def reply(self, messages: Sequence[Message]) -> Iterator[str]: ...


class SpeculativeReply(Protocol):
    """A reply that was begun before it is certain that it is wanted.

    Each next piece is text to say, a SpeedChange, a LanguageChange, or None: the reply cannot go on before
    `commit`, because its next step has an effect (a timer is set, a note is written). It yields None again
    each time that it is asked before `commit`; after it, None means that the next piece takes a while, so
    that the text so far can be spoken. `commit` says that the turn has ended; it allows effects, and nothing
    happens until the next piece is asked for. `close` drops the rest, without effects if nothing was
    committed. `next` may take long and raises BrainError; one thread at a time calls it, while `commit` and
    `close` may come from another.
    """

    def __iter__(self) -> Iterator[ReplyPiece]: ...

    def __next__(self) -> ReplyPiece: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...

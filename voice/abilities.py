"""What a recognizer, a voice or a brain can do besides what voice.types requires of it.

Each ability is a small Protocol. The one function that uses it asks for it by `isinstance`, and does
without if it is missing:

    BatchRecognizer         voice.asr.batching.batched
    MultilingualRecognizer  voice.text.languages.languages_of
    LetterRecognizer        voice.commands.letters.letters_of
    EndOfTurnRecognizer     voice.agent.session.load_turns
    StreamingSynthesizer    voice.tts.streaming.pieces
    IncrementalSynthesizer  voice.tts.streaming.begin
    MultilingualSynthesizer voice.tts.streaming.voice_for
    BatchSpeechDetector     voice.vad._batch_session
    SpeculativeBrain        voice.agent.speculative.prepare
    SkillCaller             voice.agent.speculative.call_skill

ToolUser, which needs skills, is defined in voice.agent.skills.registry.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from voice.types import (
    Audio,
    Controls,
    LogProbs,
    Message,
    Samples,
    SpeculativeReply,
    Speech,
    SpeechDetector,
    Synthesizer,
    Transcript,
)


@dataclass(frozen=True)
class Traits:
    """The windows of a long recording that suit a recognizer.

    One call takes `longest` seconds of sound at most. Stretches of speech are packed into windows of
    `packed` seconds, and speech without a pause is cut if it is longer than `uncut` seconds. A call
    takes `batch` windows, and `workers` calls run side by side.
    """

    longest: float = 30.0
    packed: float = 30.0
    uncut: float = 30.0
    batch: int = 4
    workers: int = 1


@runtime_checkable
class BatchRecognizer(Protocol):
    """A recognizer that transcribes several windows of one recording in one call.

    A detected language holds for all of them. `task` is "transcribe" or "translate" (to English).
    Raises VoiceError for a task that it does not know.
    """

    @property
    def traits(self) -> Traits: ...

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]: ...


@runtime_checkable
class MultilingualRecognizer(Protocol):
    """A recognizer that names the `languages` that it knows, as ISO 639-1 codes."""

    @property
    def languages(self) -> Collection[str]: ...


@runtime_checkable
class LetterRecognizer(Protocol):
    """A recognizer that also computes log-probabilities of letters, from which commands are understood.

    `letter_log_probs` returns (F, 29), a row for each 20 ms, in the alphabet of voice.asr.ctc.alphabet.
    Raises VoiceError if the model at hand has no layer for it.
    """

    @property
    def rate(self) -> int: ...

    def letter_log_probs(self, speech: Audio) -> LogProbs: ...


@runtime_checkable
class EndOfTurnRecognizer(Protocol):
    """A recognizer whose encoder also tells whether a sentence is complete.

    `end_of_turn` returns the probability that a sentence ends at the last sound of `speech`, which is at
    `rate` Hz. Only a model for which `detects_end_of_turn` is true can be asked.
    """

    @property
    def rate(self) -> int: ...

    @property
    def detects_end_of_turn(self) -> bool: ...

    def end_of_turn(self, speech: Audio) -> float: ...


@runtime_checkable
class StreamingSynthesizer(Synthesizer, Protocol):
    """A voice whose `stream` yields the speech of `speak` in pieces shorter than a sentence."""

    def stream(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]: ...


class TextStream(Protocol):
    """A text on its way to speech while it is still being written.

    Each sentence is spoken once the text after it shows its end, with the pause before it that the sentence
    before asks for. `push` yields the sentences that more text completes; `flush` yields the rest, and a text
    after it begins a new sentence. `controls` may be replaced: they hold for the sentences that follow.
    """

    controls: Controls

    def push(self, text: str) -> Iterator[Speech]: ...

    def flush(self) -> Iterator[Speech]: ...


@runtime_checkable
class IncrementalSynthesizer(Synthesizer, Protocol):
    """A voice that itself turns a text into speech while it is being written, such as a language model's."""

    def begin(self, controls: Controls = Controls()) -> TextStream: ...


@runtime_checkable
class MultilingualSynthesizer(Synthesizer, Protocol):
    """A voice that knows which voice speaks another language."""

    def for_language(self, code: str) -> Synthesizer:
        """Return the voice for a language (ISO 639-1), itself for its own and for "".

        It has the same rate. Raises ModelError where there is none.
        """
        ...


@runtime_checkable
class BatchSpeechDetector(SpeechDetector, Protocol):
    """A detector whose sessions also take (N, hop) samples at once and return (N,) probabilities."""

    def stream_several(self) -> Callable[[Samples], Samples]: ...


@runtime_checkable
class SpeculativeBrain(Protocol):
    """A brain that may be asked before the turn of the person has certainly ended."""

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply: ...


@runtime_checkable
class SkillCaller(Protocol):
    """A brain with skills that can be called by name, as a spoken command does.

    `arguments` map the skill's parameters to values, as words or as JSON has them. `call_skill` returns
    None if there is no skill of that name.
    """

    def call_skill(self, name: str, arguments: Mapping[str, Any]) -> SpeculativeReply | None: ...

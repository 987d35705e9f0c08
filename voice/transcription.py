"""A recording of any length to its transcript: the one way for the command, Python, the server and the page.

Sound comes in as blocks and is forgotten once it is recognized, so that memory does not grow with the
recording. `Transcriber.stream` is the primitive; `Transcriber.transcribe` is its fold.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from voice.asr.diarization.attribution import attribute_speakers
from voice.asr.longform import transcripts
from voice.text.languages import language_for
from voice.types import UNDETERMINED, Recognizer, Samples, Segment, SpeechDetector, Transcript

if TYPE_CHECKING:
    from voice.asr.diarization.speakers import DiarizationStream, Diarizer

Task = Literal["transcribe", "translate"]


def _ignore(seconds: float) -> None:
    """Do nothing with the seconds that were read."""


@dataclass(frozen=True)
class TranscriptionRequest:
    """What is asked of a recording.

    `language` is a code or a name, None or "auto" detects it: then the language of the first speech holds
    for all. `hotwords` are terms to expect; `task` "translate" answers in English. `speaker_count`
    is how many people speak, for a Transcriber with a diarizer; None lets it find out.
    """

    language: str | None = None
    hotwords: Sequence[str] = ()
    task: Task = "transcribe"
    speaker_count: int | None = None


class Transcriber:
    """A recognizer, a speech detector and, to name who speaks, a diarizer. It holds no state between calls.

    With a `diarizer` the segments of the whole transcript name who says them. `batch` is how many windows of
    the recording go to the recognizer in one call; None leaves that to its traits.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        detector: SpeechDetector,
        diarizer: Diarizer | None = None,
        *,
        batch: int | None = None,
    ) -> None:
        self._recognizer, self._detector, self._diarizer = recognizer, detector, diarizer
        self._batch = batch

    @property
    def rate(self) -> int:
        """Return the rate in Hz of the sound that `stream` and `transcribe` take."""
        return self._detector.rate

    def stream(
        self,
        blocks: Iterable[Samples],
        request: TranscriptionRequest = TranscriptionRequest(),
        progress: Callable[[float], None] = _ignore,
    ) -> TranscriptionStream:
        """Begin to transcribe (T,) blocks of sound; nothing is read before the first part is asked for.

        `progress` is called with the seconds of sound that have been read. Raises VoiceError for a language
        that the recognizer does not know.
        """
        language = language_for(self._recognizer, request.language)
        diarization = self._diarizer.stream() if self._diarizer else None
        counter = _Counter(progress)
        parts = transcripts(
            diarization.through(blocks) if diarization else blocks,
            self._recognizer,
            self._detector,
            language=language,
            hotwords=request.hotwords,
            task=request.task,
            batch=self._batch,
            progress=counter,
        )
        return TranscriptionStream(parts, counter, language, diarization, request.speaker_count)

    def transcribe(
        self,
        blocks: Iterable[Samples],
        request: TranscriptionRequest = TranscriptionRequest(),
        progress: Callable[[float], None] = _ignore,
    ) -> Transcript:
        """Return the whole transcript of (T,) blocks of sound; see `stream`."""
        return self.stream(blocks, request, progress).whole()


class TranscriptionStream:
    """A recording that is being transcribed: an iterator of its parts, in order, as they are recognized.

    A part names no speakers: they can be told apart only when the recording has ended. `whole` does so.
    """

    def __init__(
        self,
        parts: Generator[Transcript, None, None],
        counter: _Counter,
        language: str | None,
        diarization: DiarizationStream | None,
        speaker_count: int | None,
    ) -> None:
        self._parts, self._counter, self._language = parts, counter, language
        self._diarization, self._speaker_count = diarization, speaker_count
        self._segments: list[Segment] = []
        self._detected: str | None = None

    def __iter__(self) -> Iterator[Transcript]:
        return self

    def __next__(self) -> Transcript:
        part = next(self._parts)
        self._segments += part.segments
        if part.segments:
            self._detected = self._detected or part.language
        return part

    def close(self) -> None:
        """Drop what is left; no thread of the recognition runs on."""
        self._parts.close()

    def whole(self) -> Transcript:
        """Recognize what is left, and return the transcript of the whole recording.

        Its language is that of the first speech; without speech the one that was asked for, or UNDETERMINED.
        """
        for _ in self:
            pass
        language = self._detected or self._language or UNDETERMINED
        transcript = Transcript(tuple(self._segments), language, self._counter.seconds)
        if self._diarization is None or not transcript.segments:
            return transcript
        return attribute_speakers(transcript, self._diarization.turns(self._speaker_count))


class _Counter:
    """Remembers how many seconds were read, and passes them on."""

    def __init__(self, progress: Callable[[float], None]) -> None:
        self._progress, self.seconds = progress, 0.0

    def __call__(self, seconds: float) -> None:
        self.seconds = seconds
        self._progress(seconds)

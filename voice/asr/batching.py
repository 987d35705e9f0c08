"""Several windows in one call, for every recognizer: the one place that asks whether it takes them."""

from __future__ import annotations

from collections.abc import Sequence

from voice.abilities import BatchRecognizer, Traits
from voice.audio import resample
from voice.errors import VoiceError
from voice.types import Audio, Recognizer, Transcript


def as_batch_recognizer(recognizer: Recognizer) -> BatchRecognizer:
    """Return the recognizer itself if it takes several windows at once, else one that calls it for each."""
    return recognizer if isinstance(recognizer, BatchRecognizer) else OneByOne(recognizer)


class OneByOne:
    """A BatchRecognizer from one that has only `transcribe`; a window has at most 30 s."""

    traits = Traits(batch=1)

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self.rate = recognizer.rate

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        """Return the transcript of one stretch of speech, at whatever rate it is."""
        return self._recognizer.transcribe(
            resample(speech, self.rate), language=language, hotwords=tuple(hotwords)
        )

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]:
        """Return a transcript for each window; the first speech decides the language of what follows.

        Raises VoiceError for a task other than "transcribe".
        """
        refuse_translation(task)
        found: list[Transcript] = []
        for speech in speeches:
            found.append(self.transcribe(speech, language=language, hotwords=hotwords))
            if found[-1].segments:
                language = language or found[-1].language
        return found


def refuse_translation(task: str) -> None:
    """Raise VoiceError for a task other than "transcribe", of a recognizer that can do nothing else."""
    if task != "transcribe":
        raise VoiceError("this recognizer does not translate; use whisper-base")

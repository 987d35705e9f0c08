"""A recognizer that writes down what a recording says: to align texts, to judge them, to replace them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voice.metrics import word_errors
from voice.types import Transcript

QUICK = "quick"  # English only
OTHERS = "whisper-base"


@dataclass(frozen=True)
class Listener:
    """What `name` hears.

    `hear(path)` returns the transcript of a recording of any length, words with times.
    """

    name: str
    hear: Callable[[Path], Transcript]


def open_listener(model: str | None = None, language: str | None = None) -> Listener:
    """Open a recognizer.

    Without a name quick, for languages other than English whisper-base. Raises ModelError.
    """
    from voice import audio
    from voice.loading import load_recognizer
    from voice.simple import detector
    from voice.transcription import Transcriber, TranscriptionRequest

    name = model or (QUICK if (language or "en").lower().startswith("en") else OTHERS)
    transcriber = Transcriber(load_recognizer(name), detector())
    request = TranscriptionRequest(language)

    def hear(path: Path) -> Transcript:
        return transcriber.transcribe(audio.blocks(path, transcriber.rate), request)

    return Listener(name, hear)


def disagreement(text: str, heard: str) -> float:
    """Return the word errors of what was heard against a text, per word of the longer.

    0 is the same, 1 nothing.
    """
    errors = word_errors(text, heard)
    return min(1.0, errors.errors / max(errors.words, len(heard.split()), 1))

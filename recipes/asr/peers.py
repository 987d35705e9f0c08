"""Recognizers of others, to stand beside ours in a table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from voice.asr.batching import as_batch_recognizer
from voice.asr.whisper.recognizer import Whisper
from voice.errors import ModelError
from voice.features import WHISPER_RATE
from voice.loading import load_recognizer
from voice.transcription import Transcriber, TranscriptionRequest
from voice.types import Audio, Recognizer

POCKETSPHINX = "pocketsphinx"
SILENCE = 1.0  # s of it at the end, without which pocketsphinx loses a last word

Hear = Callable[[np.ndarray, str], str]  # samples (T,) at 16 kHz and their language → what is said


def hearing(name: str, threads: int) -> Hear:
    """Return what hears as `name`: pocketsphinx with its wheel's model, or one of ours as `voice` runs it."""
    return _sphinx() if name == POCKETSPHINX else _ours(name, threads)


def _ours(name: str, threads: int) -> Hear:
    """Return what does all that `voice transcribe` does: speech found, cut, recognized, words timed."""
    from voice.simple import detector

    recognizer, speech = load_recognizer(name, threads=threads), detector()
    transcriber = Transcriber(recognizer, speech)
    return lambda samples, language: transcriber.transcribe([samples], TranscriptionRequest(language)).text


def recognize(recognizer: Recognizer, sound: Audio, language: str) -> str:
    """Return the words alone: at once if they are no more than it takes, else by `voice.transcription`."""
    from voice.simple import detector

    if sound.duration <= as_batch_recognizer(recognizer).traits.longest:
        if isinstance(recognizer, Whisper):  # whose times of words cost as much again
            return recognizer.transcribe(sound, language=language, words=False).text
        return recognizer.transcribe(sound, language=language).text
    transcriber = Transcriber(recognizer, detector())
    return transcriber.transcribe([sound.samples], TranscriptionRequest(language)).text


def _sphinx() -> Hear:
    """Return a function that recognizes by pocketsphinx. Raises ModelError where it is not installed."""
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise ModelError(
            "pocketsphinx is not installed; `pip install pocketsphinx`, or leave it out"
        ) from error
    decoder = Decoder(samprate=WHISPER_RATE, loglevel="FATAL")

    def hear(samples: np.ndarray, language: str) -> str:
        padded = np.pad(samples, (0, round(SILENCE * WHISPER_RATE)))
        decoder.start_utt()
        decoder.process_raw(np.round(padded * 32767).astype(np.int16).tobytes(), full_utt=True)
        decoder.end_utt()
        best = decoder.hyp()
        return best.hypstr if best else ""

    return hear

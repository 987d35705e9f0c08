"""The two calls that most programs need: a recording to a transcript, a text to speech.

Models stay loaded between calls. A program that wants streams uses voice.transcription or a voice from
`voice.load_voice`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from voice.errors import AudioError
from voice.loading import load_recognizer, load_speakers, load_voice
from voice.types import LOUDNESS, Audio, Controls, Pronunciation, Samples, Speech, SpeechDetector, Transcript

KEPT = 4  # models of one kind that stay loaded

_recognizer = lru_cache(maxsize=KEPT)(load_recognizer)
_voice = lru_cache(maxsize=KEPT)(load_voice)
_speakers = lru_cache(maxsize=1)(load_speakers)


def transcribe(
    source: str | Path | BinaryIO | Samples | Audio,
    *,
    rate: int | None = None,
    model: str = "whisper-base",
    language: str | None = None,
    hotwords: Sequence[str] = (),
    translate: bool = False,
    speakers: bool | int = False,
    threads: int | None = None,
) -> Transcript:
    """Return the transcript of a recording of any length.

    `source` is a media file, an open one, or samples: (T,), (T, channels) or (channels, T) at
    `rate` Hz. `language` is a code or a name ("es", "es-MX", "Spanish"), None or "auto" detects it;
    `hotwords` are names and terms to expect; `translate` answers in English. `speakers` names who says
    each segment ("Speaker 1"); a number says how many there are. Raises AudioError for a source without
    sound, ModelError for a model that is missing or damaged, VoiceError for an unknown language,
    ValueError for a number of speakers below one.
    """
    from voice import audio
    from voice.text.languages import parse_language
    from voice.transcription import Task, Transcriber, TranscriptionRequest

    language = parse_language(language)
    if isinstance(source, np.ndarray):
        source = _sound(source, rate)
    if not isinstance(speakers, bool) and speakers < 1:
        raise ValueError(f"speakers is {speakers}; give True or how many there are")
    recognizer = _recognizer(model, threads=threads)
    diarizer = None if speakers is False else _speakers(threads=threads)
    transcriber = Transcriber(recognizer, detector(), diarizer)
    task: Task = "translate" if translate else "transcribe"
    speaker_count = None if isinstance(speakers, bool) else speakers
    request = TranscriptionRequest(language, hotwords, task, speaker_count)
    if isinstance(source, Audio):
        return transcriber.transcribe([audio.resample(source, transcriber.rate).samples], request)
    return transcriber.transcribe(audio.blocks(source, transcriber.rate), request)


def _sound(samples: Samples, rate: int | None) -> Audio:
    """Return samples as Audio. Raises AudioError without their rate."""
    from voice import audio

    if rate is None:
        raise AudioError("samples need their rate: voice.transcribe(samples, rate=16000)")
    return audio.from_array(samples, rate)


@lru_cache(maxsize=1)
def detector() -> SpeechDetector:
    """Return the speech detector, loaded once."""
    from voice.silero import Silero

    return Silero.open()


def speak(
    text: str,
    *,
    voice: str = "heart",
    speed: float = 1.0,
    pitch: float = 0.0,
    energy: float = 0.0,
    pause: float = 1.0,
    loudness: float | None = LOUDNESS,
    dates: str | None = None,
    lexicon: str | Path | Mapping[str, Pronunciation] | None = None,
    threads: int | None = None,
) -> Speech:
    """Return a text of any length, plain or SSML, as speech with the time of every word.

    `speed` 2 is twice as fast (0.5 to 2), `pitch` is in semitones (-12 to 12), `energy` in dB (-24 to
    12), `pause` a factor on all pauses (0 to 5), `loudness` in LUFS (-40 to -10; None for as loud as the
    voice's network speaks), `dates` the order of dates such as 03/04/2025 ("dmy" or "mdy"; None for the usual
    one of the voice's language). `lexicon` is a file of pronunciations, or a mapping from
    words to Pronunciation. Raises ValueError for a value out of range, TextError for a text with nothing
    to be spoken, malformed markup or a wrong lexicon, ModelError for a voice that is missing or damaged.
    For pauses in seconds give `Controls` to the `speak` of a voice from `voice.load_voice`.
    """
    from voice.text.lexicon import read_lexicon
    from voice.tts.voice import join

    if isinstance(lexicon, str | Path):
        lexicon = read_lexicon(lexicon)
    controls = Controls(
        speed=speed, pitch=pitch, energy=energy, pause=pause, lexicon=lexicon, loudness=loudness, dates=dates
    )
    return join(_voice(voice, threads=threads).speak(text, controls))

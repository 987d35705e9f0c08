"""The two calls that most programs need: a recording to a transcript, a text to speech.

Models stay loaded between calls. Who wants streams, or two of a kind, uses `voice.load`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from voice.errors import AudioError
from voice.loading import load
from voice.types import Audio, Controls, Pronunciation, Speech, Transcript

KEPT = 4  # models that stay loaded

_load = lru_cache(maxsize=KEPT)(load)


def transcribe(
    source: str | Path | BinaryIO | np.ndarray | Audio,
    *,
    rate: int | None = None,
    model: str = "whisper-base",
    language: str | None = None,
    hotwords: Sequence[str] = (),
    translate: bool = False,
    speakers: bool | int = False,
    threads: int | None = None,
) -> Transcript:
    """What is said in a recording of any length.

    `source` is a media file, an open one, or samples: (T,), (T, channels) or (channels, T) at
    `rate` Hz. `language` is a code or a name ("es", "es-MX", "Spanish"), None or "auto" detects it;
    `hotwords` are names and terms to expect; `translate` answers in English. `speakers` names who says
    each segment ("Speaker 1"); a number says how many there are. Raises AudioError for what holds no
    sound, ModelError for a model that cannot be had, VoiceError for a language that is unknown,
    ValueError for a number of speakers below one.
    """
    from voice import audio
    from voice.asr import longform
    from voice.asr.diarization import attribution
    from voice.text.languages import language_for, parse_language

    language = parse_language(language)
    if isinstance(source, np.ndarray):
        source = _sound(source, rate)
    if speakers is not True and speakers is not False and speakers < 1:
        raise ValueError(f"speakers is {speakers}; give True or how many there are")
    recognizer = _load(model, kind="recognizer", threads=threads)
    language = language_for(recognizer, language)
    whole = isinstance(source, Audio)
    wanted = recognizer.rate
    blocks = [audio.resample(source, wanted).samples] if whole else audio.blocks(source, wanted)
    listening = None
    if speakers is not False:
        listening = _load("speakers", kind="speakers", threads=threads).listen()
    transcript = longform.whole(
        listening.through(blocks) if listening else blocks,
        recognizer,
        detector(),
        language=language,
        hotwords=hotwords,
        task="translate" if translate else "transcribe",
    )
    if listening is None:
        return transcript
    return attribution.attributed(transcript, listening.turns(None if speakers is True else speakers))


def _sound(samples: np.ndarray, rate: int | None) -> Audio:
    from voice import audio

    if rate is None:
        raise AudioError("samples need their rate: voice.transcribe(samples, rate=16000)")
    return audio.from_array(samples, rate)


@lru_cache(maxsize=1)
def detector():
    """The speech detector, loaded once."""
    from voice.vad import Silero

    return Silero.open()


def speak(
    text: str,
    *,
    voice: str = "heart",
    speed: float = 1.0,
    pitch: float = 0.0,
    energy: float = 0.0,
    pause: float = 1.0,
    lexicon: str | Path | Mapping[str, Pronunciation] | None = None,
    threads: int | None = None,
) -> Speech:
    """A text of any length as speech, with the time of every word; a document in SSML as it asks.

    `speed` 2 is twice as fast (0.5 to 2), `pitch` is in semitones (-12 to 12), `energy` in dB (-24 to
    12), `pause` a factor on all pauses (0 to 5); `lexicon` a file, or what `voice.text.lexicon` read,
    that says how words are spoken. Raises ValueError for what is out of range, TextError for a text
    with nothing to be spoken, malformed markup or a wrong lexicon, ModelError for a voice that cannot
    be had. Whoever wants pauses in seconds gives `Controls` to `voice.load(…).speak`.
    """
    from voice.text.lexicon import read_lexicon
    from voice.tts.voice import join

    if isinstance(lexicon, str | Path):
        lexicon = read_lexicon(lexicon)
    controls = Controls(speed=speed, pitch=pitch, energy=energy, pause=pause, lexicon=lexicon)
    return join(_load(voice, kind="voice", threads=threads).speak(text, controls))

"""What judges speech on the way to a voice: a recognizer, a score of quality, whose voice it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recipes.asr.peers import recognize
from recipes.tts.preparation.consent import Embed, Hear
from recipes.vocoder.scores import distill_mos
from voice import audio
from voice.asr.diarization.speakers import RATE, Diarizer
from voice.errors import AudioError
from voice.features import VOICE_RATE
from voice.loading import load_recognizer, load_speakers
from voice.types import Audio


def open_recognizer(name: str, threads: int) -> Hear:
    """Return what writes down what it hears. Raises ModelError."""
    recognizer = load_recognizer(name, threads=threads)
    return lambda sound: recognize(recognizer, audio.resample(sound, recognizer.rate), "en")


def open_quality() -> Callable[[Audio], float]:
    """Return Distill-MOS: how good a sound is, 1 to 5."""
    return lambda sound: distill_mos(audio.resample(sound, VOICE_RATE).samples)


def open_speakers(threads: int) -> Embed:
    """Return what tells whose voice a sound is, by the model that tells speakers apart."""
    diarizer = load_speakers(threads=threads)
    return lambda sound: speaker_vector(diarizer, sound)


def speaker_vector(diarizer: Diarizer, sound: Audio) -> np.ndarray:
    """Return the mean (D,) of the embeddings of what one voice says, at length 1. Raises AudioError."""
    stream = diarizer.stream()
    stream.feed(audio.resample(sound, RATE).samples)
    pieces = [piece for window in stream.windows() for piece in window.embeddings]
    if not pieces:
        raise AudioError("there is no speech in it that could be compared; record a whole sentence")
    mean = sum((piece.last - piece.first) * piece.vector for piece in pieces)
    return np.asarray(mean / np.linalg.norm(mean))

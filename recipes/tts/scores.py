"""How like a recording made speech is: mel-cepstral distortion, and how far the pitch moves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recipes.tts.align import DYNAMICS
from voice import audio, pitch
from voice.features import VOICE_BANDS, VOICE_HOP, VOICE_RATE, voice_log_mel
from voice.types import Audio

CEPSTRA = 24  # without the zeroth: loudness does not count


def log_f0(sound: Audio) -> np.ndarray:
    """Natural logarithm of the pitch in Hz of every voiced frame."""
    hertz = pitch.f0(audio.resample(sound, VOICE_RATE).samples, VOICE_RATE, VOICE_HOP)
    return np.log(hertz[hertz > 0])


def pitch_spread(voiced: Iterable[np.ndarray]) -> float:
    """Standard deviation of log-F0 over the voiced frames of all sounds; 0.06 is about a semitone."""
    every = np.concatenate([np.zeros(0), *voiced])
    return float(every.std()) if len(every) else float("nan")


def distortion(reference: Audio, made: Audio) -> float:
    """Mel-cepstral distortion in dB (Kubichek 1993), frames paired by dynamic time warping.

    Cepstra of the voices' log-mel spectrum, what lies 60 dB below each sound's loudest point leveled.
    """
    import librosa

    a, b = (mel_cepstra(audio.resample(sound, VOICE_RATE).samples) for sound in (reference, made))
    _, path = librosa.sequence.dtw(a.T, b.T, metric="euclidean")
    apart = a[path[:, 0]] - b[path[:, 1]]
    return float(10 / np.log(10) * np.sqrt(2 * np.square(apart).sum(1)).mean())


def mel_cepstra(samples: np.ndarray) -> np.ndarray:
    """(T,) at 24 kHz → (T // 300, 24): a spectrum's natural logarithm is their cosine series."""
    from scipy.fft import dct

    mel = voice_log_mel(samples)
    heard = np.maximum(mel, mel.max() - DYNAMICS).T
    return dct(heard, norm="ortho")[:, 1 : CEPSTRA + 1] * np.sqrt(2 / VOICE_BANDS)

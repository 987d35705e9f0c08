"""How like a recording made speech is: spectrum, melody, timing, and whose voice it seems to be."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from recipes.tts.align import DYNAMICS
from voice import audio, pitch
from voice.features import VOICE_BANDS, VOICE_HOP, VOICE_RATE, voice_log_mel
from voice.types import Audio

CEPSTRA = 24  # without the zeroth: loudness does not count
LEVEL = 10 ** (-30 / 20)  # root mean square that the speaker's embedding was trained to expect
EMBEDDED = 16_000  # Hz


def hertz(sound: Audio) -> np.ndarray:
    """(T // 300,) at 24 kHz: the pitch of every frame, 0 where unvoiced."""
    return pitch.f0(audio.resample(sound, VOICE_RATE).samples, VOICE_RATE, VOICE_HOP)


def log_f0(sound: Audio) -> np.ndarray:
    """Natural logarithm of the pitch in Hz of every voiced frame."""
    found = hertz(sound)
    return np.log(found[found > 0])


def pitch_spread(voiced: Iterable[np.ndarray]) -> float:
    """Return Standard deviation of log-F0 over the voiced frames of all sounds; 0.06 is about a semitone."""
    every = np.concatenate([np.zeros(0), *voiced])
    return float(every.std()) if len(every) else float("nan")


@dataclass(frozen=True, eq=False)
class Likeness:
    """A sound beside the recording of the same sentence, frames paired by dynamic time warping.

    `distortion`: mel-cepstral (Kubichek 1993), dB. `melody`: (2, N) log-F0 of the recording and of the sound
    where both are voiced, each without its median, for voices differ in height. `duration`: how much
    longer than the recording's the sound's is, from its first to its last sound; 0.1 is a tenth, either way.
    """

    distortion: float
    melody: np.ndarray
    duration: float


def likeness(reference: Audio, made: Audio) -> Likeness:
    import librosa

    sounds = [sounding(audio.resample(sound, VOICE_RATE)) for sound in (reference, made)]
    a, b = (mel_cepstra(sound.samples) for sound in sounds)
    _, path = librosa.sequence.dtw(a.T, b.T, metric="euclidean")
    apart = a[path[:, 0]] - b[path[:, 1]]
    distortion = float(10 / np.log(10) * np.sqrt(2 * np.square(apart).sum(1)).mean())
    f0 = np.stack([hertz(sound)[path[:, i]] for i, sound in enumerate(sounds)])
    voiced = np.log(f0[:, (f0 > 0).all(0)])
    melody = voiced - np.median(voiced, axis=1, keepdims=True) if voiced.size else voiced
    return Likeness(distortion, melody, abs(sounds[1].duration / sounds[0].duration - 1))


def sounding(sound: Audio) -> Audio:
    """`sound` from its first to its last frame within 40 dB of the loudest one."""
    level = np.abs(sound.samples[: len(sound.samples) // VOICE_HOP * VOICE_HOP]).reshape(-1, VOICE_HOP).max(1)
    loud = np.flatnonzero(level > 0.01 * level.max(initial=0.0))
    if not len(loud):
        return sound
    return Audio(sound.samples[loud[0] * VOICE_HOP : (loud[-1] + 1) * VOICE_HOP], sound.rate)


def melody_error(found: Sequence[Likeness]) -> float:
    """Root mean square difference of F0 in cents, beside a constant one for each sentence."""
    both = np.concatenate([one.melody for one in found], axis=1)
    if not both.size:
        return float("nan")
    return float(1200 / np.log(2) * np.sqrt(np.square(both[1] - both[0]).mean()))


def melody_correlation(found: Sequence[Likeness]) -> float:
    """Of log-F0 within sentences."""
    both = np.concatenate([one.melody for one in found], axis=1)
    return float(np.corrcoef(both)[0, 1]) if both.shape[1] > 1 else float("nan")


def distortion(reference: Audio, made: Audio) -> float:
    """Mel-cepstral distortion in dB."""
    return likeness(reference, made).distortion


def mel_cepstra(samples: np.ndarray) -> np.ndarray:
    """(T,) at 24 kHz → (T // 300, 24): a spectrum's natural logarithm is their cosine series.

    Of the voices' log-mel spectrum, what lies 60 dB below its loudest point leveled.
    """
    from scipy.fft import dct

    mel = voice_log_mel(samples)
    heard = np.maximum(mel, mel.max() - DYNAMICS).T
    return dct(heard, norm="ortho")[:, 1 : CEPSTRA + 1] * np.sqrt(2 / VOICE_BANDS)


def embedding(sound: Audio) -> np.ndarray | None:
    """(256,) of length 1: whose voice it is (Wan et al. 2018); None where resemblyzer is not installed.

    Sounds of one voice have a cosine of 0.8 and more, of two usually less than 0.7.
    """
    encoder = _encoder()
    if encoder is None:
        return None
    samples = audio.resample(sounding(sound), EMBEDDED).samples
    return encoder.embed_utterance(samples * (LEVEL / (np.sqrt(np.square(samples).mean()) + 1e-9)))


@lru_cache
def _encoder() -> Any:
    """Return Resemblyzer's encoder of speakers, or None where it is not installed."""
    # Its import wants webrtcvad, which comes as source, for a part of it that is not used here.
    sys.modules.setdefault("webrtcvad", ModuleType("webrtcvad"))
    try:
        from resemblyzer import VoiceEncoder
    except ImportError:
        return None
    return VoiceEncoder("cpu", verbose=False)


def similarity(voice: np.ndarray, recorded: Sequence[np.ndarray]) -> float:
    """Cosine of one voice with the mean of others."""
    center = np.mean(recorded, axis=0)
    return float(voice @ center / (np.linalg.norm(voice) * np.linalg.norm(center)))


def similarities(made: Sequence[np.ndarray], recorded: Sequence[np.ndarray]) -> list[float]:
    """Cosines of the voice of each sound with that of all recordings but the one of the same sentence."""
    found = []
    for index, one in enumerate(made):
        others = [other for number, other in enumerate(recorded) if number != index] or recorded
        found.append(similarity(one, others))
    return found

"""Log-mel spectra, in NumPy: the features that the models take.

Whisper's (16 kHz, 100 frames a second, 80 bands or 128, log10 squeezed to about [-1, 1]) for recognition, our
own voices' (24 kHz, 80 frames a second, 100 bands, natural log), and Kaldi's for telling people apart.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

WHISPER_RATE = 16_000
WHISPER_HOP = 160
WHISPER_WINDOW = 400
WHISPER_BANDS = 80  # of most models; large-v3 and what was made from it take 128

KALDI_RATE = 16_000
KALDI_HOP = 160
KALDI_WINDOW = 400
KALDI_FFT = 512
KALDI_BANDS = 80

VOICE_RATE = 24_000
VOICE_HOP = 300
VOICE_WINDOW = 1200
VOICE_BANDS = 100
VOICE_FLOOR = 1e-5


def whisper_log_mel(samples: np.ndarray, bands: int = WHISPER_BANDS) -> np.ndarray:
    """Compute Whisper's spectrum: (T,) at 16 kHz → (bands, T // 160) float32.

    Follows Radford et al. 2022: power, log10, everything more than 80 dB below the loudest
    point raised to there, then shifted and scaled.
    """
    if len(samples) < WHISPER_HOP:
        return np.zeros((bands, 0), np.float32)
    power = _magnitudes(samples, WHISPER_WINDOW, WHISPER_HOP) ** 2  # (T // 160, 201)
    mel = mel_filters(WHISPER_RATE, WHISPER_WINDOW, bands) @ power.T
    log = np.log10(np.maximum(mel, 1e-10))
    spectrum: np.ndarray = (np.maximum(log, log.max() - 8.0) + 4.0) / 4.0
    return spectrum.astype(np.float32)


def voice_log_mel(samples: np.ndarray) -> np.ndarray:
    """Compute the spectrum that our vocoder takes: (T,) at 24 kHz → (100, T // 300) float32, natural log."""
    if len(samples) < VOICE_HOP:
        return np.zeros((VOICE_BANDS, 0), np.float32)
    magnitudes = _magnitudes(samples, VOICE_WINDOW, VOICE_HOP)  # (T // 300, 601)
    mel: np.ndarray = mel_filters(VOICE_RATE, VOICE_WINDOW, VOICE_BANDS) @ magnitudes.T
    spectrum: np.ndarray = np.log(np.maximum(mel, VOICE_FLOOR))
    return spectrum.astype(np.float32)


def kaldi_log_mel(samples: np.ndarray) -> np.ndarray:
    """Compute Kaldi's filter bank without dither: (T,) at 16 kHz → (1 + (T - 400) // 160, 80) float32.

    The natural logarithm, of frames of 25 ms without their mean, pre-emphasized, in Povey's window; no
    frames if T < 400.
    """
    if len(samples) < KALDI_WINDOW:
        return np.zeros((0, KALDI_BANDS), np.float32)
    samples = np.asarray(samples, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, KALDI_WINDOW)[::KALDI_HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(KALDI_WINDOW) / (KALDI_WINDOW - 1))) ** 0.85
    spectrum = np.fft.rfft((frames - 0.97 * before) * window.astype(np.float32), KALDI_FFT)
    power = np.abs(spectrum[:, :-1]).astype(np.float32) ** 2
    mel: np.ndarray = np.log(np.maximum(power @ _kaldi_filters().T, np.finfo(np.float32).eps))
    return mel


@lru_cache
def _kaldi_filters() -> np.ndarray:
    """Compute triangles of equal height on the mel scale 1127 ln(1 + f / 700), 20 to 8000 Hz: (80, 256)."""
    low, high = (1127 * np.log1p(hertz / 700) for hertz in (20.0, KALDI_RATE / 2))
    edges = np.linspace(low, high, KALDI_BANDS + 2)
    bins = 1127 * np.log1p(np.arange(KALDI_FFT // 2) * KALDI_RATE / KALDI_FFT / 700)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles: np.ndarray = np.maximum(0.0, np.minimum(rising, falling))
    return triangles.astype(np.float32)


def _magnitudes(samples: np.ndarray, window: int, hop: int) -> np.ndarray:
    """Compute (T // hop, window // 2 + 1) magnitudes of centered frames, reflected at both ends."""
    padded = np.pad(np.asarray(samples, np.float32), window // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    magnitudes: np.ndarray = np.abs(np.fft.rfft(frames[: len(samples) // hop] * _hann(window)))
    return magnitudes


@lru_cache
def _hann(length: int) -> np.ndarray:
    """Return the periodic Hann window, (length,) float32."""
    return np.hanning(length + 1)[:-1].astype(np.float32)


@lru_cache
def mel_filters(rate: int, n_fft: int, bands: int) -> np.ndarray:
    """Compute triangles of equal area on Slaney's mel scale, 0 Hz to rate / 2: (bands, n_fft // 2 + 1)."""
    edges = _mel_to_hertz(np.linspace(0.0, _hertz_to_mel(rate / 2), bands + 2))
    bins = np.fft.rfftfreq(n_fft, 1 / rate)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters: np.ndarray = triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters.astype(np.float32)


# Slaney's scale (Auditory Toolbox, 1998): 200/3 Hz a mel up to 1 kHz, then 27 mels to each factor of 6.4.
_LINEAR = 200.0 / 3
_KNEE_HERTZ = 1000.0
_KNEE_MEL = _KNEE_HERTZ / _LINEAR
_LOG_STEP = float(np.log(6.4)) / 27


def _hertz_to_mel(hertz: float) -> float:
    """Convert Hz to Slaney's mel."""
    if hertz < _KNEE_HERTZ:
        return hertz / _LINEAR
    return _KNEE_MEL + float(np.log(hertz / _KNEE_HERTZ)) / _LOG_STEP


def _mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    """Convert Slaney's mel to Hz."""
    above = _KNEE_HERTZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _LINEAR, above)

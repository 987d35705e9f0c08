"""The pitch of speech: one F0 value a frame, from autocorrelation and the smoothest path through its peaks.

After Boersma 1993 ("Accurate short-term analysis of the fundamental frequency…"): the
autocorrelation of each windowed frame is divided by the window's own, its peaks are candidates, and
Viterbi's algorithm weighs their strength against jumps in pitch and changes of voicing. NumPy only.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LOWEST = 60.0  # Hz
HIGHEST = 500.0
PERIODS = 3.0  # of the lowest pitch in a window
CANDIDATES = 6  # voiced ones; one more stands for "unvoiced"
WORK_RATE = 8_000  # Hz: pitch needs no more, and the cost falls with the square of it
VOICING = 0.4  # strength of the unvoiced candidate, between 0 and 1
QUIET_SHARE = 0.03  # frames with a peak below this share of the loudest one lean towards unvoiced
OCTAVE_COST = 0.03  # a bias to higher candidates, per octave
JUMP_COST = 0.7  # per octave and 10 ms
VOICING_COST = 0.14  # per change and 10 ms
BLOCK = 4096  # frames computed together, to bound memory


def f0(
    samples: np.ndarray, rate: int, hop: int, lowest: float = LOWEST, highest: float = HIGHEST
) -> np.ndarray:
    """Return the pitch of (T,) samples as (T // hop,) float32 Hz, 0 for unvoiced.

    Frame i is centered on sample i · hop."""
    count = len(samples) // hop
    if count == 0 or not np.any(samples):
        return np.zeros(count, np.float32)
    samples, step, rate_now = _decimate(np.asarray(samples, np.float32), rate)
    starts = np.round(np.arange(count) * hop / step).astype(np.int64)
    frequencies, strengths, peaks = _all_candidates(samples, starts, rate_now, lowest, highest)
    unvoiced = VOICING + np.maximum(0.0, 2.0 - (peaks / peaks.max()) / (QUIET_SHARE / (1 + VOICING)))
    return _best_path(frequencies, strengths, unvoiced, seconds=hop / rate)


def _decimate(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int, float]:
    """Low-pass and decimate by a whole number; return samples, that number, and the new rate."""
    step = max(1, rate // WORK_RATE)
    if step == 1:
        return samples, 1, float(rate)
    reach = np.arange(-16 * step, 16 * step + 1)
    taps = np.sinc(reach * 0.9 / step) * np.hanning(len(reach) + 2)[1:-1]
    smooth = _convolve(samples, (taps / taps.sum()).astype(np.float32))
    return smooth[::step], step, rate / step


def _convolve(samples: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """Convolve to the same length, in blocks through the FFT."""
    size, reach = 1 << 15, len(taps) // 2
    stride = size - len(taps) + 1
    padded = np.pad(samples, (reach, reach + size))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, size)[::stride][: -(-len(samples) // stride)]
    spectra = np.fft.rfft(blocks) * np.fft.rfft(taps, size)
    return np.fft.irfft(spectra, size)[:, len(taps) - 1 :].reshape(-1)[: len(samples)].astype(np.float32)


def _all_candidates(
    samples: np.ndarray, centers: np.ndarray, rate: float, lowest: float, highest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frequencies (F, CANDIDATES) Hz of each frame, their strengths, and the peak amplitudes (F,)."""
    length = 2 * int(PERIODS / lowest * rate / 2)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(samples, length // 2 + 1), length)
    parts = [
        _candidates(windows[centers[i : i + BLOCK]], rate, lowest, highest)
        for i in range(0, len(centers), BLOCK)
    ]
    frequencies, strengths, peaks = (np.concatenate(column) for column in zip(*parts, strict=True))
    return frequencies, strengths, peaks


def _candidates(
    frames: np.ndarray, rate: float, lowest: float, highest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frames = frames - frames.mean(1, keepdims=True)
    peaks = np.abs(frames).max(1)
    shortest, longest = int(rate / highest), int(np.ceil(rate / lowest)) + 1
    correlation = _autocorrelation(frames, longest + 2)[:, shortest - 1 :]  # lags shortest - 1 …
    left, here, right = correlation[:, :-2], correlation[:, 1:-1], correlation[:, 2:]
    curve = left - 2 * here + right
    offset = np.clip(0.5 * (left - right) / np.where(curve < 0, curve, -1.0), -0.5, 0.5)  # parabola's top
    height = here - 0.25 * (left - right) * offset
    frequency = rate / (np.arange(shortest, shortest + here.shape[1]) + offset)
    is_peak = (here > left) & (here >= right) & (here > 0.5 * VOICING)
    is_peak &= (frequency >= lowest) & (frequency <= highest)
    strength = np.where(is_peak, np.minimum(height, 1.0) + OCTAVE_COST * np.log2(frequency / lowest), -1.0)
    best = np.argpartition(-strength, CANDIDATES - 1, axis=1)[:, :CANDIDATES]
    return np.take_along_axis(frequency, best, 1), np.take_along_axis(strength, best, 1), peaks


def _autocorrelation(frames: np.ndarray, lags: int) -> np.ndarray:
    """Return the autocorrelation (N, lags) of (N, length), 1 at lag 0, divided by that of the window."""
    window, size = _window(frames.shape[1])
    spectra = np.fft.rfft(frames * window, size)
    raw = np.fft.irfft(spectra.real**2 + spectra.imag**2, size)[:, :lags]
    own = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2, size)[:lags]
    normal: np.ndarray = raw / np.maximum(raw[:, :1], 1e-12) / (own / own[0])
    return normal


@lru_cache
def _window(length: int) -> tuple[np.ndarray, int]:
    """Return a Hann window and the size of the FFT, which is twice as long against wrapping around."""
    return np.hanning(length + 2)[1:-1].astype(np.float32), 1 << (2 * length - 1).bit_length()


def _best_path(
    frequencies: np.ndarray, strengths: np.ndarray, unvoiced: np.ndarray, seconds: float
) -> np.ndarray:
    """Return the best path (F,) Hz over the candidates and unvoiced, the last column (Viterbi)."""
    scale = 0.01 / seconds
    pitch = np.log2(frequencies)
    scores = np.concatenate([np.where(strengths < 0, -1e3, strengths), unvoiced[:, None]], 1)
    total, back = scores[0], np.empty(scores.shape, np.int8)
    step_cost = np.full((CANDIDATES + 1, CANDIDATES + 1), scale * VOICING_COST)  # (from, to)
    step_cost[-1, -1] = 0.0
    voiced = step_cost[:-1, :-1]
    for i in range(1, len(scores)):
        np.abs(pitch[i - 1][:, None] - pitch[i], out=voiced)
        np.multiply(voiced, scale * JUMP_COST, out=voiced)
        reached = total[:, None] - step_cost
        back[i] = reached.argmax(0)
        total = reached[back[i], _COLUMNS] + scores[i]
    return _trace_back(np.pad(frequencies, ((0, 0), (0, 1))), back, int(total.argmax()))


_COLUMNS = np.arange(CANDIDATES + 1)


def _trace_back(choices: np.ndarray, back: np.ndarray, last: int) -> np.ndarray:
    """Follow the back pointers; the padded last column holds the 0 of "unvoiced"."""
    path = np.empty(len(choices), np.int64)
    for i in range(len(choices) - 1, -1, -1):
        path[i] = last
        last = back[i, last]
    return choices[np.arange(len(choices)), path].astype(np.float32)

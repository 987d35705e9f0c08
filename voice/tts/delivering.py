"""What a `Delivery` asks of durations, pitch and level, in frames and samples; both engines share it."""

from __future__ import annotations

import numpy as np

from voice.text.delivery import Delivery

REACH = 3  # frames (38 ms) over which pitch and level pass from one phoneme's to the next one's
RISE = 5.0  # semitones over the median of a sentence at the end of a question for yes or no
KNEE = 0.85  # of full scale: what is louder is rounded off rather than cut


def lengths_asked(lengths: np.ndarray, asked: Delivery, frame: float) -> np.ndarray:
    """(L,) lengths in frames of `frame` seconds, as long as is asked."""
    return np.where(np.isnan(asked.hold), lengths / asked.pace, asked.hold / frame)


def per_frame(values: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """(L,) values of phonemes, (L,) whole frames of each, together F → (F,) float32, without steps."""
    steps = np.repeat(values, durations).astype(np.float32)
    if not len(steps) or np.all(steps == steps[0]):
        return steps
    window = np.hanning(2 * REACH + 3)[1:-1].astype(np.float32)
    return np.convolve(np.pad(steps, REACH, mode="edge"), window / window.sum(), mode="valid")


def pitch_asked(asked: Delivery, durations: np.ndarray, own: np.ndarray) -> np.ndarray | None:
    """(F,) float32 semitones to move F0 by, None where it stays. `own`: (F,) the voice's melody in semitones,
    which a question leaves on its way to RISE above the median."""
    if not asked.moves_pitch:
        return None
    moved = per_frame(asked.pitch, durations)
    if asked.rise is None or not len(moved):
        return moved
    said, lasting = own[durations[0] : len(own) - durations[-1]], durations > 0
    middle = np.median(said if len(said) else own)
    done = np.interp(np.arange(len(moved)) + 0.5, np.cumsum(durations)[lasting], asked.rise[lasting])
    return (moved + done * np.maximum(middle + RISE - own, 0.0)).astype(np.float32)


def leveled(samples: np.ndarray, energy: np.ndarray, hop: int, first: int = 0) -> np.ndarray:
    """Samples from the `first` one of a sentence on, louder by (F,) `energy` in dB for each frame of `hop`
    samples; what would be cut off is rounded."""
    if not energy.any():
        return samples
    places = (np.arange(first, first + len(samples)) + 0.5) / hop - 0.5
    gain = np.interp(places, np.arange(len(energy)), 10 ** (energy / 20))
    return limited(samples * gain.astype(np.float32))


def limited(samples: np.ndarray) -> np.ndarray:
    """Samples within ±1: those beyond KNEE approach it smoothly, all others stay as they are."""
    size = np.abs(samples)
    if size.max(initial=0.0) <= KNEE:
        return samples
    rounded = KNEE + (1 - KNEE) * np.tanh((size - KNEE) / (1 - KNEE))
    return np.where(size <= KNEE, samples, np.copysign(rounded, samples)).astype(np.float32)

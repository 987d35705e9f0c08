"""Silences in recordings of single sentences: which of them end the sentence, and what is heard before them.

The features before a silence are those that `voice.asr.whisper.end_of_turn` judges: the output of a
recognizer's encoder for the last seconds of speech, cut off at the last sound, so that nothing of the
silence is learned. Each silence is heard twice, once as it is and once in noise.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from data.augmentation import with_noise
from data.batching import rng_for
from voice.agent.listening.endpointing import HANGOVER
from voice.agent.listening.options import ListeningOptions
from voice.asr.whisper.end_of_turn import average_stretches
from voice.features import WHISPER_RATE
from voice.manifest import Clip
from voice.silero import Silero
from voice.types import Audio
from voice.vad import Hysteresis

QUIET = 1.0  # seconds around a recording
QUIET_LEVEL = 2e-4  # of the sound in them, root mean square
LEVEL = 0.06  # loudness of speech, root mean square
SPOKEN = 8.0  # seconds before a silence that are kept
FURTHER = 0.036  # seconds that the noisy copy is cut off earlier at most, for a detector that is less sure
SNR = (8.0, 30.0)  # dB of the noise
LONGEST = 12.0  # seconds of a recording that is one sentence
LONGEST_PAUSE = 1.2  # seconds: who pauses for longer has begun another sentence
MARKS = frozenset(".?!;:")
CLOSING = "\"'”’»)"

Encode = Callable[[Audio], np.ndarray]  # what a recognizer's encoder makes of speech: (F, D)


@dataclass(frozen=True, eq=False)
class Silence:
    """`clean` and `noisy` are (6, D) of the speech before it, which ends at `at` seconds of the recording.

    A pause lasts `seconds`; where the sentence ends, they are infinite.
    """

    clean: np.ndarray
    noisy: np.ndarray
    seconds: float
    clip: str
    at: float

    @property
    def is_end(self) -> bool:
        """Tell whether the sentence ends here."""
        return self.seconds == np.inf


def why_unfit(clip: Clip) -> str | None:
    """Return why a recording shows no end of a turn, None if it does; one without a text is taken for one."""
    if clip.duration > LONGEST:
        return f"longer than {LONGEST:.0f} s, so more than a sentence"
    if clip.text is None:
        return None
    text = clip.text.strip().rstrip(CLOSING).rstrip()
    if set(text.rstrip(".?!…")) & MARKS:
        return "more than one sentence"
    if text.endswith((",", "-", "–", "...", "…")):
        return "breaks off before its end"
    return None


def find_silences(clip: Clip, samples: np.ndarray, detector: Silero, encode: Encode) -> list[Silence]:
    """Return the silences of one recording (T,) at 16 kHz, the one at its end last.

    Empty where it holds no speech, or a pause that ends a sentence.
    """
    rng = rng_for(0, zlib.crc32(clip.id.encode()))
    quiet = (QUIET_LEVEL * rng.standard_normal(round(QUIET * WHISPER_RATE))).astype(np.float32)
    track = np.concatenate((quiet, level_speech(samples), quiet))
    found = []
    for begin, end, seconds in spans(track, detector):
        if LONGEST_PAUSE <= seconds < np.inf:
            return []
        before = track[begin:end]
        cut = len(before) - round(rng.uniform(0, FURTHER) * WHISPER_RATE)
        noisy = with_noise(before[:cut], _pink(len(track), rng), rng.uniform(*SNR), rng)
        clean, other = (average_stretches(Audio(each, WHISPER_RATE), encode) for each in (before, noisy))
        found.append(Silence(clean, other, seconds, clip.id, end / WHISPER_RATE - QUIET))
    return found


def spans(track: np.ndarray, detector: Silero) -> Iterator[tuple[int, int, float]]:
    """Yield where speech before each silence begins and ends, in samples, and the seconds of the silence.

    The last one lasts for ever. Silences are those that the conversation's detector finds.
    """
    hop, options = detector.hop, ListeningOptions()
    probabilities = detector.stream_several()(track[: len(track) // hop * hop].reshape(-1, hop))
    hysteresis = Hysteresis(options.thresholds, hop / WHISPER_RATE)
    regions = [region for region in map(hysteresis, probabilities.tolist()) if region]
    for index, region in enumerate(regions):
        end = region.last * hop - round(HANGOVER * WHISPER_RATE)
        begin = regions[0].first * hop - round(options.pre_roll * WHISPER_RATE)
        begin = max(0, begin, end - round(SPOKEN * WHISPER_RATE))
        later = regions[index + 1].first if index + 1 < len(regions) else np.inf
        yield begin, end, (later - region.last) * hop / WHISPER_RATE


def level_speech(samples: np.ndarray) -> np.ndarray:
    """Return speech (T,) at the loudness of speech; silence as it is."""
    loudest = float(np.abs(samples).max(initial=0.0))
    spoken = samples[np.abs(samples) > 0.1 * loudest]
    if not len(spoken):
        return samples.astype(np.float32)
    return (samples * LEVEL / np.sqrt(np.mean(spoken**2))).astype(np.float32)


def _pink(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise (T,) whose power falls by 3 dB an octave, as that of rooms and streets does about."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return np.fft.irfft(spectrum, length).astype(np.float32)

"""What happens to speech between a mouth and a recognizer, as pure functions of samples and randomness.

Samples are (T,) float32 mono in [-1, 1]. Nothing here shifts a word in time except `at_speed`,
which scales all times by 1 / speed. The same randomness gives the same output, so take it
from `data.batching.rng_for(seed, epoch, clip)` and there is nothing to save.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from data.loading import AudioCache
from voice.manifest import read_manifest

Sounds = Sequence[np.ndarray] | AudioCache  # either has a length and gives (T,) samples by index

TELEPHONE_RATE = 8000
TELEPHONE_BAND = (300.0, 3400.0)  # Hz
MU = 255  # ITU-T G.711
ACTIVE = 0.01  # power beside the loudest frame's, −20 dB: quieter frames count as pauses


def with_gain(samples: np.ndarray, decibels: float) -> np.ndarray:
    """Louder or softer, but never beyond full scale."""
    peak = float(np.abs(samples).max(initial=0.0))
    factor = 10 ** (decibels / 20)
    return samples * np.float32(min(factor, 1 / peak) if peak > 0 else factor)


def speech_power(samples: np.ndarray, frame: int = 320) -> float:
    """Mean square of the frames that hold speech, so that pauses do not make speech seem quiet."""
    whole = len(samples) // frame * frame
    if whole == 0:
        return float(np.mean(np.square(samples))) if len(samples) else 0.0
    powers = np.square(samples[:whole]).reshape(-1, frame).mean(axis=1)
    return float(powers[powers >= ACTIVE * powers.max()].mean())


def with_noise(samples: np.ndarray, noise: np.ndarray, snr: float, rng: np.random.Generator) -> np.ndarray:
    """Speech with a random stretch of `noise` (repeated if short), `snr` dB below the speech.

    Where either is silent the speech comes back as it is.
    """
    if len(samples) == 0 or len(noise) == 0:
        return samples
    start = int(rng.integers(len(noise)))
    stretch = np.take(noise, np.arange(start, start + len(samples)), mode="wrap")
    power = float(np.mean(np.square(stretch)))
    wanted = speech_power(samples) / 10 ** (snr / 10)
    return samples + stretch * np.float32(np.sqrt(wanted / power)) if power > 0 else samples


def in_room(samples: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Speech as a room's impulse response (R,) colors it, at the level it had.

    The response's strongest path counts as time zero, so that words stay where they were.
    """
    from scipy import signal  # here, because it takes 50 MB and evaluation needs none of it

    wet = signal.fftconvolve(samples, response)
    direct = int(np.abs(response).argmax())
    wet = wet[direct : direct + len(samples)]
    level = np.sqrt(speech_power(samples) / max(speech_power(wet), 1e-12))
    return (wet * level).astype(np.float32)


def at_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Played `speed` times as fast, pitch included: (T,) → about (T / speed,)."""
    import soxr

    return soxr.resample(samples, speed * 1000, 1000)


def band_limited(samples: np.ndarray, rate: int, low: float, high: float) -> np.ndarray:
    """Keep only what lies between `low` and `high` Hz; no phase shift, 3 dB lost at the edges twice."""
    from scipy import signal

    edges = signal.butter(6, [low, high], "bandpass", fs=rate, output="sos")
    limited: np.ndarray = signal.sosfiltfilt(edges, samples)
    return limited.astype(np.float32)


def mu_law(samples: np.ndarray) -> np.ndarray:
    """Through 8 bits of G.711's continuous μ-law and back."""
    compressed = np.sign(samples) * np.log1p(MU * np.minimum(np.abs(samples), 1)) / np.log1p(MU)
    steps = np.round(compressed * 127) / 127
    return (np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(MU)) / MU).astype(np.float32)


def on_telephone(samples: np.ndarray, rate: int) -> np.ndarray:
    """300 to 3400 Hz at 8 kHz in μ-law, as telephones carry it; back at `rate`."""
    import soxr

    narrow = soxr.resample(band_limited(samples, rate, *TELEPHONE_BAND), rate, TELEPHONE_RATE)
    wide = soxr.resample(mu_law(narrow), TELEPHONE_RATE, rate)
    return _to_length(wide, len(samples))


def opus_coded(samples: np.ndarray, rate: int, compression: float) -> np.ndarray:
    """Through Ogg Opus; `compression` from 0 (transparent) to 1 (about 6 kbit/s a channel).

    `rate` is one that Opus knows: 8, 12, 16, 24 or 48 kHz.
    """
    import soundfile

    buffer = BytesIO()
    soundfile.write(buffer, samples, rate, format="OGG", subtype="OPUS", compression_level=compression)
    buffer.seek(0)
    return _to_length(soundfile.read(buffer, dtype="float32")[0], len(samples))


def overdrive(samples: np.ndarray, share: float) -> np.ndarray:
    """Cut off what exceeds `share` of the peak, and restore the peak."""
    peak = float(np.abs(samples).max(initial=0.0))
    limit = share * peak
    return np.clip(samples, -limit, limit) / np.float32(share) if peak > 0 else samples


def _to_length(samples: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


@dataclass(frozen=True, eq=False)
class Augment:
    """How likely each change is, and within which limits: `augment(samples, rng)` → samples.

    Applied in the order of nature: the speaker's speed, the room, the noise in it, the overdriven
    microphone, the line, the level. Only speed changes the length.
    """

    rate: int
    noises: Sounds = ()  # at `rate`; none means no noise
    rooms: Sounds = ()  # impulse responses at `rate`
    speed: float = 0.3
    speeds: tuple[float, float] = (0.9, 1.1)
    room: float = 0.3
    noise: float = 0.5
    snrs: tuple[float, float] = (3.0, 30.0)  # dB
    clip: float = 0.05
    clip_shares: tuple[float, float] = (0.3, 0.9)
    telephone: float = 0.05
    band: float = 0.1
    band_tops: tuple[float, float] = (2500.0, 7000.0)  # Hz
    codec: float = 0.05  # the encoder takes a few per cent of real time
    compressions: tuple[float, float] = (0.8, 1.0)
    gain: float = 0.5
    gains: tuple[float, float] = (-15.0, 6.0)  # dB

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(T,) float32 → (T',) float32 in [-1, 1]; T' = T unless the speed changed."""
        if rng.random() < self.speed:
            samples = at_speed(samples, rng.uniform(*self.speeds))
        if rng.random() < self.room and len(self.rooms):
            samples = in_room(samples, self.rooms[int(rng.integers(len(self.rooms)))])
        if rng.random() < self.noise and len(self.noises):
            noise = self.noises[int(rng.integers(len(self.noises)))]
            samples = with_noise(samples, noise, rng.uniform(*self.snrs), rng)
        if rng.random() < self.clip:
            samples = overdrive(samples, rng.uniform(*self.clip_shares))
        samples = self._through_the_line(samples, rng)
        decibels = rng.uniform(*self.gains) if rng.random() < self.gain else 0.0
        return with_gain(samples, decibels).astype(np.float32, copy=False)

    def _through_the_line(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Pass the samples through a telephone line, a band limit, a codec, or nothing, at random."""
        kind, place = rng.random(), rng.random()
        if kind < self.telephone:
            return on_telephone(with_gain(samples, 0.0), self.rate)
        if kind < self.telephone + self.band:
            return band_limited(samples, self.rate, 20.0, _between(self.band_tops, place))
        if kind < self.telephone + self.band + self.codec:
            return opus_coded(with_gain(samples, 0.0), self.rate, _between(self.compressions, place))
        return samples


def _between(limits: tuple[float, float], place: float) -> float:
    return limits[0] + place * (limits[1] - limits[0])


def augment_from(corpora: Path, rate: int) -> Augment:
    """Return an `Augment` with the noises and rooms of the corpora's train splits (never the test noises).

    The rooms were recorded at 16 kHz: at a higher `rate` they take away what lies above 8 kHz,
    as many microphones do. Raises ManifestError where a manifest is missing.
    """
    noises, rooms = (read_manifest(corpora / name / "train.jsonl") for name in ("noise", "rir"))
    return Augment(rate, AudioCache(noises, rate), AudioCache(rooms, rate))

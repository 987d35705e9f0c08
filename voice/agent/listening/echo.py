"""Echo detection: whether what is heard is only what is being played, coming back from the loudspeaker.

The loudness of each band of what is heard is compared with that of what was played, at each delay
and with each of some lengths of reverberation. How much louder or softer the echo is there is
learnt while it is heard alone; the delay is the one at which that varies least. What stands out
from the echo so expected is somebody else. Only loudness is compared, not the wave, so that a
loudspeaker that distorts, a clock that drifts and a buffer that jumps do no harm.
"""

from __future__ import annotations

import numpy as np

WINDOW, STEP = 512, 256  # samples at 16 kHz
BANDS, LOWEST, HIGHEST = 24, 150.0, 7000.0  # Hz
DELAYS = 36  # steps of 16 ms
DECAYS = (0.45, 0.85, 0.95)  # of reverberated energy, in a step: an office, a classroom, a hall
GUESSED = -6.0  # dB of echo where nothing has been learnt
STEPS_LEARNT = 20  # steps of echo after which the delay is trusted
STEPS_KNOWN = 80  # and after which the loudness is
MEMORY = 80  # steps over which the loudness is averaged
MARGIN, SPREAD = 3.0, 1.2  # dB, and standard deviations, above the expected echo
PERSON = 0.1  # share of the bands that stand out
INAUDIBLE_ENERGY = 1e-4  # band energy below which nothing is played
TAIL = 60  # steps for which something played may come back
RETURNING = 0.05  # share of the steps in which something did, from which on there is a way back


class Echo:
    """One loudspeaker and microphone, at `rate` Hz."""

    def __init__(self, rate: int) -> None:
        self._heard, self._played = _Bands(rate), _Bands(rate)
        self._reverberated = np.zeros((len(DECAYS), BANDS))
        self._past = np.zeros((DELAYS, len(DECAYS), BANDS))  # of what was played, the newest first
        self._mean = np.full(self._past.shape, GUESSED)  # dB of what is heard above that
        self._variance = np.full(self._past.shape, 36.0)
        self._steps = np.zeros(self._past.shape)  # that were learnt from
        self._floor = np.zeros(0)  # (BANDS,) of the noise, once something was heard
        self._scores = [0.0, 0.0]
        self._since = TAIL  # steps since something was played
        self._returned = 0.0  # share of the last steps in which an echo was heard

    @property
    def returning(self) -> bool:
        """Whether the microphone hears the loudspeaker at all; with headphones it does not."""
        return self._returned > RETURNING

    def __call__(self, heard: np.ndarray, played: np.ndarray) -> bool:
        """Tell whether a moment (T,) holds nothing but what was (T,) played by then, up to 0.6 s before."""
        if self._since >= TAIL and not played.any():
            self._heard.keep(heard)
            self._played.keep(played)
            return False
        pairs = zip(self._heard(heard), self._played(played), strict=True)
        self._scores = [self._scores[-1], float(np.mean([self._step(*pair) for pair in pairs]))]
        return self._since < TAIL and sum(self._scores) < 2 * PERSON

    def _step(self, heard: np.ndarray, played: np.ndarray) -> float:
        """Return the share of the bands in which a step, (BANDS,) each, holds more than an echo."""
        self._since = 0 if played.max() > INAUDIBLE_ENERGY else min(TAIL, self._since + 1)
        for place, decay in enumerate(DECAYS):
            self._reverberated[place] = (1 - decay) * played + decay * self._reverberated[place]
        self._past = np.roll(self._past, 1, axis=0)
        self._past[0] = self._reverberated
        self._track_floor(heard)
        loudness, past = _decibels(heard), _decibels(self._past)
        noise = _decibels(4 * self._floor)
        over = loudness - np.logaddexp2(self._loudest_echo(past) / 3, noise / 3) * 3  # 3 dB double a power
        weights = np.clip((loudness - noise) / 10, 0, 1)
        score = float((np.clip(over / 6, 0, 1) * weights).sum() / max(weights.sum(), 2.0))
        if self._since < TAIL:
            self._returned += (float(weights.sum() > 2.0 and score < PERSON) - self._returned) / MEMORY
        self._learn(loudness, past, score)
        return score

    def _track_floor(self, heard: np.ndarray) -> None:
        if not len(self._floor):
            self._floor = heard.copy()
        lower = 0.7 * self._floor + 0.3 * heard
        self._floor = np.where(heard < self._floor, lower, self._floor * 1.01)

    def _loudest_echo(self, past: np.ndarray) -> np.ndarray:
        """Return the loudest that an echo may be in each band (BANDS,) dB, from what was played."""
        spread = self._variance.mean(-1) + np.where(self._steps.any(-1), 0.0, 1e3)
        delay = int(np.argmin(spread.min(axis=1)))
        known = self._steps[delay].max(axis=0).mean()
        near = past[max(0, delay - 1) : delay + 2].max(axis=0)  # (DECAYS, BANDS)
        doubt = MARGIN * (1 + max(0.0, 1 - known / STEPS_KNOWN))
        each = near + self._mean[delay] + SPREAD * np.sqrt(self._variance[delay])
        learnt: np.ndarray = each.max(axis=0) + doubt
        if known >= STEPS_LEARNT:
            return learnt
        guessed: np.ndarray = past.max(axis=(0, 1)) + GUESSED
        louder: np.ndarray = np.maximum(guessed, learnt)
        return louder if known > STEPS_LEARNT / 3 else guessed

    def _learn(self, loudness: np.ndarray, past: np.ndarray, score: float) -> None:
        """Learn how loud the echo is at each delay; little is learnt where somebody else may be heard."""
        loudest = past.max(axis=(0, 1))
        taught = past > np.maximum(loudest - 30, -50.0)
        rate = np.where(taught, np.maximum(1 / (self._steps + 1), 1 / MEMORY), 0.0)
        if score > PERSON and self._steps.max() > STEPS_LEARNT:
            rate = rate * 0.1
        ceiling = np.where(self._steps > STEPS_LEARNT, 6.0, 12.0)
        off = np.clip(loudness - past - self._mean, -12.0, ceiling)
        self._mean += rate * off
        self._variance += rate * (off**2 - self._variance)
        self._steps += taught


class _Bands:
    """The energy of the bands of a stream, in steps."""

    def __init__(self, rate: int) -> None:
        self._before = np.zeros(WINDOW - STEP, np.float32)
        self._window = np.hanning(WINDOW).astype(np.float32)
        self._filters = _filters(rate)

    def keep(self, frame: np.ndarray) -> None:
        """Take the next (T,) samples without analysing them."""
        self._before = np.concatenate((self._before, frame))[STEP - WINDOW :]

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the energies of the next (T,) samples: (T / STEP, BANDS)."""
        sound = np.concatenate((self._before, frame))
        self._before = sound[STEP - WINDOW :]
        windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::STEP]
        power = np.abs(np.fft.rfft(windows * self._window)) ** 2
        energies: np.ndarray = power @ self._filters + 1e-7
        return energies


def _filters(rate: int) -> np.ndarray:
    """Return (WINDOW // 2 + 1, BANDS) filters: triangles, evenly spaced in mel."""
    mel = np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    frequencies = np.fft.rfftfreq(WINDOW, 1 / rate)[:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    filters: np.ndarray = np.clip(np.minimum(rising, falling), 0, None)
    return filters


def _mel(frequency: float) -> float:
    return float(2595 * np.log10(1 + frequency / 700))


def _decibels(power: np.ndarray) -> np.ndarray:
    decibels: np.ndarray = 10 * np.log10(power + 1e-9)
    return decibels

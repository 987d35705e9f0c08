"""From frames, of a mel spectrum or of a voice's own, and a pitch curve to sound, without torch.

A small network around a harmonic source.

The network says, frame by frame and bin by bin, how to filter a pulse train, how loud noise is, and
what else there is; the rest is one inverse STFT. `recipes/vocoder` trains it and explains the idea.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from voice.errors import ModelDamaged, VoiceError
from voice.features import VOICE_BANDS, VOICE_HOP, VOICE_RATE, VOICE_WINDOW
from voice.tts.graphs import open_graph, reach_of

FILE = "vocoder.onnx"
BINS = VOICE_WINDOW // 2 + 1
OVERLAP = VOICE_WINDOW // VOICE_HOP
PULSE_SCALE = 4.0 / VOICE_WINDOW  # a cosine of amplitude 1 then peaks at 1 in the STFT
NOISE_SCALE = (8.0 / (3.0 * VOICE_WINDOW)) ** 0.5  # white noise of variance 1 then has power 1 in each bin
SINGULAR = 1e-3  # |sin| below which a pulse is at its peak
UNHEARD = 100.0  # Hz, the pitch before anything was voiced: the pulses are silent there, and only turn
VOCODER_REACH = 27  # frames on both sides of each that the network sees, unless its file says otherwise


class Vocoder:
    """(bands, F) frames, log-mel unless a voice has its own, and (F,) Hz → (F · 300,) float32 at 24 kHz.

    Frame i is centered on sample 300 · i. The network sees `reach` frames on both sides of each. The same
    seed gives the same samples; nothing is kept between calls, so that threads may share it.
    """

    rate = VOICE_RATE

    def __init__(
        self,
        session: object,
        reach: int = VOCODER_REACH,
        bands: int = VOICE_BANDS,
        speaker: int | None = None,
    ) -> None:
        self._session, self.reach, self.bands = session, reach, bands
        self._given = {} if speaker is None else {"speaker": np.array([speaker], np.int64)}

    @classmethod
    def open(cls, path: Path, *, threads: int = 1, speaker: int | None = None) -> Vocoder:
        """`path`: an ONNX file, or a folder with `vocoder.onnx`; `speaker`: for one that has several. Raises
        ModelMissing, ModelDamaged."""
        path = Path(path)
        session = open_graph(path / FILE if path.is_dir() else path, threads=threads)
        if [each.name for each in session.get_inputs()][:2] != ["frames", "f0"]:
            hint = "export it again with the recipe that trained it"
            raise ModelDamaged(f"{path} is of an older version; {hint}")
        return cls(session, reach_of(session, VOCODER_REACH), session.get_inputs()[0].shape[1], speaker)

    @property
    def lookahead(self) -> int:
        """Frames after one that decide how the 12.5 ms from it on sound: `reach`, and the two whose
        windows hang over them; 29 frames (362.5 ms) where `reach` is 27."""
        return max(self.reach, OVERLAP - 1) + 2

    def stream(self, chunks: Iterable[tuple[np.ndarray, np.ndarray]], seed: int = 0) -> Iterator[np.ndarray]:
        """The samples of frames and pitch that come in `chunks`, as soon as nothing can change them.

        After F frames in all, (F − lookahead) · 300 samples are out; the rest follows when the chunks end.
        Together they are what a call gives for the whole, to 1e-4 (in eight bits from FEW frames on, a second
        of sound); memory holds one chunk and some hundred frames.
        """
        flow = self.begin(seed)
        for frames, f0 in chunks:
            samples = flow.push(*self._checked(frames, f0))
            if len(samples):
                yield samples
        samples = flow.push(np.zeros((self.bands, 0), np.float32), np.zeros(0, np.float32), last=True)
        if len(samples):
            yield samples

    def begin(self, seed: int = 0) -> VocoderStream:
        """A stream for those who know which frames are the last."""
        return VocoderStream(self._parts, self.bands, self.reach, seed)

    def __call__(self, frames: np.ndarray, f0: np.ndarray, seed: int = 0) -> np.ndarray:
        """`frames`: for a vocoder, log-mel as `voice_log_mel` gives it; `f0`: Hz, 0 where unvoiced."""
        frames, f0 = self._checked(frames, f0)
        if len(f0) == 0:
            return np.zeros(0, np.float32)
        noise = np.random.default_rng(seed).standard_normal(len(f0) * VOICE_HOP, dtype=np.float32)
        return self.render(frames, f0, pulses(f0), noise)

    def render(self, frames: np.ndarray, f0: np.ndarray, pulse: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The same from a given pulse train and white noise, (F · 300,) each."""
        return istft(combined(self._parts(frames, f0), stft(pulse), stft(noise)))

    def _parts(self, frames: np.ndarray, f0: np.ndarray) -> np.ndarray:
        """→ (5, F, 601)"""
        (parts,) = self._session.run(None, {"frames": frames[None], "f0": f0[None]} | self._given)
        return parts[0]

    def _checked(self, frames: np.ndarray, f0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        frames, f0 = np.asarray(frames, np.float32), np.asarray(f0, np.float32)
        if frames.shape != (self.bands, len(f0)):
            shapes = f"not {frames.shape} and {f0.shape}"
            raise VoiceError(f"the vocoder takes ({self.bands}, F) frames and (F,) pitch, {shapes}")
        return frames, f0


# Kernels take frames in groups, and few frames in another way than many: how a frame is rounded depends on
# its place, and in eight bits a rounding may grow to 40 dB below the sound. A stream keeps to the groups.
GROUP, FEW = 16, 80
Network = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (bands, F) frames, (F,) Hz → (5, F, 601)


class VocoderStream:
    """One stream through the vocoder: frames go in as they come, samples come out once they are certain."""

    def __init__(self, network: Network, bands: int, reach: int, seed: int) -> None:
        self._network = network
        self._reach = max(reach, OVERLAP - 1)  # the pulses come two frames late, and a window needs one more
        self._random = np.random.default_rng(seed)
        self._frames = np.zeros((bands, 0), np.float32)  # still needed, from a GROUP's first on
        self._f0 = np.zeros(0, np.float32)
        self._done = 0  # of them, how many have been drawn
        self._train, self._sum = Pulses(), OverlapAdd()
        # Both sources from two hops before the first frame that is to be drawn.
        self._pulse = self._noise = np.zeros(VOICE_WINDOW // 2, np.float32)

    def push(self, frames: np.ndarray, f0: np.ndarray, last: bool = False) -> np.ndarray:
        """(bands, n) and (n,) more frames → what they make certain of the samples, with `last` all."""
        self._frames, self._f0 = np.concatenate([self._frames, frames], 1), np.append(self._f0, f0)
        self._source(f0, last)
        stop = len(self._f0) if last else len(self._f0) - self._reach
        if stop <= self._done:
            return np.zeros(0, np.float32)
        parts = self._parts(last)
        count = stop - self._done
        length = (count + OVERLAP - 1) * VOICE_HOP
        sources = transformed(self._pulse[:length]), transformed(self._noise[:length])
        samples = self._sum.push(combined(parts[:, self._done : stop], *sources), last)
        self._forget(stop, count)
        return samples

    def _source(self, f0: np.ndarray, last: bool) -> None:
        noise = self._random.standard_normal(len(f0) * VOICE_HOP, dtype=np.float32)
        silence = np.zeros(VOICE_WINDOW // 2 if last else 0, np.float32)
        self._pulse = np.concatenate([self._pulse, self._train.push(f0, last), silence])
        self._noise = np.concatenate([self._noise, noise, silence])

    def _parts(self, last: bool) -> np.ndarray:
        """What the network makes of the frames that are here; before the last, of whole groups."""
        here = len(self._f0)
        more = 0 if last else max(FEW - here, -here % GROUP)
        frames, f0 = np.pad(self._frames, ((0, 0), (0, more))), np.pad(self._f0, (0, more))
        return self._network(frames, f0)[:, :here]

    def _forget(self, stop: int, count: int) -> None:
        """Keeps of the past what the network will look back to, and FEW frames with what is here."""
        first = max(0, min(stop - self._reach, len(self._f0) - FEW)) // GROUP * GROUP
        self._frames, self._f0, self._done = self._frames[:, first:], self._f0[first:], stop - first
        self._pulse, self._noise = self._pulse[count * VOICE_HOP :], self._noise[count * VOICE_HOP :]


def combined(parts: np.ndarray, pulse: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Network's (5, F, 601) and both sources' (F, 601) spectra → (F, 601) complex64 spectrum.

    Parts: the pulse filter's real and imaginary part, the noise's magnitude, the rest's real and
    imaginary part.
    """
    spectrum = pulse * (PULSE_SCALE * _complex(parts[0], parts[1]))
    spectrum += noise * (NOISE_SCALE * parts[2])
    spectrum += _complex(parts[3], parts[4])
    return spectrum


def _complex(real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
    both = np.empty(real.shape, np.complex64)
    both.real, both.imag = real, imaginary
    return both


def pulses(f0: np.ndarray) -> np.ndarray:
    """(F,) Hz, 0 where unvoiced → (F · 300,) float32: all harmonics below 12 kHz, cosines of amplitude 1.

    The sum over h ≤ H of cos(h t) is sin((H + ½) t) / (2 sin(t / 2)) − ½. Pitch is interpolated between
    frames; at the edges of voicing it is level and the pulses fade over one frame.
    """
    return Pulses().push(f0, last=True)


class Pulses:
    """The pulse train of a pitch curve that comes in pieces; two frames late, since a frame's samples
    lead to the next one, whose pitch, where it is unvoiced, may be that of the one after it."""

    def __init__(self) -> None:
        self._f0 = np.zeros(0)
        self._pitch, self._turns = UNHEARD, 0.0  # before the next frame: Hz, and a share of a period

    def push(self, f0: np.ndarray, last: bool = False) -> np.ndarray:
        """(n,) more frames → the samples that follow from them, 300 a frame; with `last` all."""
        self._f0 = np.append(self._f0, f0)
        count = max(0, len(self._f0) - (0 if last else 2))
        if not count:
            return np.zeros(0, np.float32)
        voiced, pitch = self._f0 > 0, _filled(self._f0, self._pitch)
        hertz = between_frames(pitch)[: count * VOICE_HOP]
        turns = np.cumsum(np.append(self._turns, hertz / VOICE_RATE))[1:]
        fade = between_frames(voiced.astype(np.float64))[: count * VOICE_HOP]
        heard, train = fade > 0, np.zeros(len(fade), np.float32)
        turned = turns[heard]
        # Around 0, where peaks are, it is exact.
        angle = (2 * np.pi * (turned - np.rint(turned))).astype(np.float32)
        train[heard] = _harmonics(hertz[heard].astype(np.float32), angle) * fade[heard]
        self._f0, self._pitch, self._turns = self._f0[count:], pitch[count - 1], turns[-1] % 1.0
        return train


def _harmonics(hertz: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """(T,) frequencies and angles of the fundamental → (T,) the sum of its harmonics' cosines."""
    harmonics = np.floor(VOICE_RATE / 2 / hertz - 0.5) + 0.5
    below = 2 * np.sin(angle / 2)
    peak = np.abs(below) < SINGULAR
    return np.where(peak, harmonics, np.sin(harmonics * angle) / np.where(peak, 1.0, below)) - 0.5


def _filled(f0: np.ndarray, before: float) -> np.ndarray:
    """Pitch in unvoiced frames is that of the voiced frame right after, else the last, at first `before`."""
    f0 = f0.astype(np.float64)
    known = np.concatenate([[before], np.where(f0 > 0, f0, np.append(f0[1:], 0.0))])
    at = np.where(known > 0, np.arange(len(known)), 0)
    return known[np.maximum.accumulate(at)][1:]


def between_frames(values: np.ndarray) -> np.ndarray:
    """(F,) values at samples 0, 300, … → (F · 300,), linear between them, the last one held."""
    following = np.append(values[1:], values[-1])
    share = np.arange(VOICE_HOP) / VOICE_HOP
    return (values[:, None] + (following - values)[:, None] * share).reshape(-1)


def stft(samples: np.ndarray) -> np.ndarray:
    """(F · 300,) → (F, 601) complex64; frame i is centered on sample 300 · i, zeros beyond the ends."""
    return transformed(np.pad(samples, (VOICE_WINDOW // 2, VOICE_WINDOW // 2 - VOICE_HOP)))


def transformed(samples: np.ndarray) -> np.ndarray:
    """((F + 3) · 300,) → (F, 601) complex64; frame i begins with sample 300 · i."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, VOICE_WINDOW)[::VOICE_HOP]
    return np.fft.rfft(frames * hann()).astype(np.complex64, copy=False)


def istft(spectrum: np.ndarray) -> np.ndarray:
    """(F, 601) complex → (F · 300,) float32: overlap-add of windowed frames over the windows' power."""
    return OverlapAdd().push(spectrum, last=True)


class OverlapAdd:
    """An inverse transform whose frames come in pieces; two hops late, which two more windows overlap."""

    def __init__(self) -> None:
        self._sum = np.zeros((OVERLAP - 1, VOICE_HOP), np.float32)  # what hangs over the next frames
        self._weight = np.zeros_like(self._sum)
        self._before = OVERLAP // 2  # hops of the first window that lie before the first sample

    def push(self, spectrum: np.ndarray, last: bool = False) -> np.ndarray:
        """(n, 601) more frames → the samples that they complete, with `last` all."""
        count = len(spectrum)
        frames = np.fft.irfft(spectrum, VOICE_WINDOW).astype(np.float32, copy=False) * hann()
        frames = frames.reshape(count, OVERLAP, VOICE_HOP)
        power = (hann() ** 2).reshape(OVERLAP, VOICE_HOP)
        total, weight = (np.pad(kept, ((0, count), (0, 0))) for kept in (self._sum, self._weight))
        for k in range(OVERLAP):
            total[k : k + count] += frames[:, k]
            weight[k : k + count] += power[k]
        ready = count + (OVERLAP // 2 if last else 0)
        first = min(self._before, ready)
        self._before -= first
        self._sum, self._weight = total[count:], weight[count:]
        return total[first:ready].reshape(-1) / weight[first:ready].reshape(-1)


@lru_cache
def hann() -> np.ndarray:
    """Periodic Hann window, (1200,) float32."""
    return np.hanning(VOICE_WINDOW + 1)[:-1].astype(np.float32)

"""A vocoder: frames, of a mel spectrum or of a voice's own, and a pitch curve → samples, without torch.

A small network around a harmonic source.

The network says, frame by frame and bin by bin, how to filter a pulse train, how loud noise is, and
what else there is; the rest is one inverse STFT. `recipes/vocoder` trains it and explains the idea.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from voice.errors import ModelDamaged, VoiceError
from voice.features import VOICE_BANDS, VOICE_HOP, VOICE_RATE, VOICE_WINDOW
from voice.tts.graphs import open_graph, reach_of
from voice.tts.stft import OVERLAP, OverlapAdd, istft, short_time_spectrum, stft

FILE = "vocoder.onnx"
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
        session: Any,
        reach: int = VOCODER_REACH,
        bands: int = VOICE_BANDS,
        speaker: int | None = None,
    ) -> None:
        self._session, self.reach, self.bands = session, reach, bands
        self._given = {} if speaker is None else {"speaker": np.array([speaker], np.int64)}

    @classmethod
    def open(cls, path: Path, *, threads: int = 1, speaker: int | None = None) -> Vocoder:
        """Open `path`, an ONNX file or a folder with `vocoder.onnx`; `speaker` is for one that has several.

        Raises ModelMissing, ModelDamaged.
        """
        path = Path(path)
        session = open_graph(path / FILE if path.is_dir() else path, threads=threads)
        if [each.name for each in session.get_inputs()][:2] != ["frames", "f0"]:
            hint = "export it again with the recipe that trained it"
            raise ModelDamaged(f"{path} is of an older version; {hint}")
        return cls(session, reach_of(session, VOCODER_REACH), session.get_inputs()[0].shape[1], speaker)

    @property
    def lookahead(self) -> int:
        """Return how many frames after one decide on the 12.5 ms of sound that begin with it.

        Those are `reach` and the two whose windows overlap it; 29 frames (362.5 ms) where `reach` is 27.
        """
        return max(self.reach, OVERLAP - 1) + 2

    def stream(self, chunks: Iterable[tuple[np.ndarray, np.ndarray]], seed: int = 0) -> Iterator[np.ndarray]:
        """Yield the samples of frames and pitch that come in `chunks`, as soon as nothing can change them.

        After F frames in all, (F − lookahead) · 300 samples are out; the rest follows when the chunks end.
        Together they are what a call gives for the whole, to 1e-4 (in eight bits from FEW frames on, a second
        of sound); memory holds one chunk and some hundred frames.
        """
        stream = self.begin(seed)
        for frames, f0 in chunks:
            samples = stream.push(*self._check_shapes(frames, f0))
            if len(samples):
                yield samples
        samples = stream.push(np.zeros((self.bands, 0), np.float32), np.zeros(0, np.float32), last=True)
        if len(samples):
            yield samples

    def begin(self, seed: int = 0) -> VocoderStream:
        """Return a stream for a caller that knows which frames are the last."""
        return VocoderStream(self._parts, self.bands, self.reach, seed)

    def __call__(self, frames: np.ndarray, f0: np.ndarray, seed: int = 0) -> np.ndarray:
        """Return the samples of frames and pitch.

        `frames` are log-mel as `voice_log_mel` gives it, unless a voice has its own; `f0` in Hz, 0 where
        unvoiced.
        """
        frames, f0 = self._check_shapes(frames, f0)
        if len(f0) == 0:
            return np.zeros(0, np.float32)
        noise = np.random.default_rng(seed).standard_normal(len(f0) * VOICE_HOP, dtype=np.float32)
        return self.render(frames, f0, pulses(f0), noise)

    def render(self, frames: np.ndarray, f0: np.ndarray, pulse: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Return the samples that a given pulse train and white noise make, (F · 300,) each."""
        return istft(combine_spectra(self._parts(frames, f0), stft(pulse), stft(noise)))

    def _parts(self, frames: np.ndarray, f0: np.ndarray) -> np.ndarray:
        """Run the network: → (5, F, 601)."""
        (parts,) = self._session.run(None, {"frames": frames[None], "f0": f0[None]} | self._given)
        spectra: np.ndarray = parts[0]
        return spectra

    def _check_shapes(self, frames: np.ndarray, f0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
        """Take (bands, n) and (n,) more frames; return the samples that are certain now, with `last` all."""
        self._frames, self._f0 = np.concatenate([self._frames, frames], 1), np.append(self._f0, f0)
        self._source(f0, last)
        stop = len(self._f0) if last else len(self._f0) - self._reach
        if stop <= self._done:
            return np.zeros(0, np.float32)
        parts = self._parts(last)
        count = stop - self._done
        length = (count + OVERLAP - 1) * VOICE_HOP
        sources = short_time_spectrum(self._pulse[:length]), short_time_spectrum(self._noise[:length])
        samples = self._sum.push(combine_spectra(parts[:, self._done : stop], *sources), last)
        self._forget(stop, count)
        return samples

    def _source(self, f0: np.ndarray, last: bool) -> None:
        noise = self._random.standard_normal(len(f0) * VOICE_HOP, dtype=np.float32)
        silence = np.zeros(VOICE_WINDOW // 2 if last else 0, np.float32)
        self._pulse = np.concatenate([self._pulse, self._train.push(f0, last), silence])
        self._noise = np.concatenate([self._noise, noise, silence])

    def _parts(self, last: bool) -> np.ndarray:
        """Run the network on the frames that are here; before the last of all, in whole groups."""
        here = len(self._f0)
        more = 0 if last else max(FEW - here, -here % GROUP)
        frames, f0 = np.pad(self._frames, ((0, 0), (0, more))), np.pad(self._f0, (0, more))
        return self._network(frames, f0)[:, :here]

    def _forget(self, stop: int, count: int) -> None:
        """Keep of the past what the network will look back to, and FEW frames with what is here."""
        first = max(0, min(stop - self._reach, len(self._f0) - FEW)) // GROUP * GROUP
        self._frames, self._f0, self._done = self._frames[:, first:], self._f0[first:], stop - first
        self._pulse, self._noise = self._pulse[count * VOICE_HOP :], self._noise[count * VOICE_HOP :]


def combine_spectra(parts: np.ndarray, pulse: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Combine the network's (5, F, 601) and both sources' (F, 601) spectra → (F, 601) complex64.

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
    """Return (F · 300,) float32: all harmonics below 12 kHz of (F,) Hz, 0 where unvoiced, of amplitude 1.

    The sum over h ≤ H of cos(h t) is sin((H + ½) t) / (2 sin(t / 2)) − ½. Pitch is interpolated between
    frames; at the edges of voicing it is level and the pulses fade over one frame.
    """
    return Pulses().push(f0, last=True)


class Pulses:
    """The pulse train of a pitch curve that comes in pieces.

    It is two frames late: the samples of a frame lead to the next one, whose pitch, if that is unvoiced, may
    be that of the one after it.
    """

    def __init__(self) -> None:
        self._f0 = np.zeros(0)
        self._pitch, self._turns = UNHEARD, 0.0  # before the next frame: Hz, and a share of a period

    def push(self, f0: np.ndarray, last: bool = False) -> np.ndarray:
        """Take (n,) more frames; return the samples that follow from them, 300 a frame; with `last` all."""
        self._f0 = np.append(self._f0, f0)
        count = max(0, len(self._f0) - (0 if last else 2))
        if not count:
            return np.zeros(0, np.float32)
        voiced, pitch = self._f0 > 0, _fill_unvoiced(self._f0, self._pitch)
        hertz = between_frames(pitch)[: count * VOICE_HOP]
        turns = np.cumsum(np.append(self._turns, hertz / VOICE_RATE))[1:]
        fade = between_frames(voiced.astype(np.float64))[: count * VOICE_HOP]
        audible, train = fade > 0, np.zeros(len(fade), np.float32)
        turned = turns[audible]
        # Around 0, where peaks are, it is exact.
        angle = (2 * np.pi * (turned - np.rint(turned))).astype(np.float32)
        train[audible] = _harmonics(hertz[audible].astype(np.float32), angle) * fade[audible]
        self._f0, self._pitch, self._turns = self._f0[count:], pitch[count - 1], turns[-1] % 1.0
        return train


def _harmonics(hertz: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Return (T,) sums of the harmonics' cosines for (T,) frequencies and angles of the fundamental."""
    harmonics = np.floor(VOICE_RATE / 2 / hertz - 0.5) + 0.5
    below = 2 * np.sin(angle / 2)
    peak = np.abs(below) < SINGULAR
    total: np.ndarray = (
        np.where(peak, harmonics, np.sin(harmonics * angle) / np.where(peak, 1.0, below)) - 0.5
    )
    return total


def _fill_unvoiced(f0: np.ndarray, before: float) -> np.ndarray:
    """Give unvoiced frames the pitch of the next frame if voiced, else of the last, at first `before`."""
    f0 = f0.astype(np.float64)
    known = np.concatenate([[before], np.where(f0 > 0, f0, np.append(f0[1:], 0.0))])
    at = np.where(known > 0, np.arange(len(known)), 0)
    return known[np.maximum.accumulate(at)][1:]


def between_frames(values: np.ndarray) -> np.ndarray:
    """Draw (F,) values at samples 0, 300, … as lines → (F · 300,), the last one held."""
    following = np.append(values[1:], values[-1])
    share = np.arange(VOICE_HOP) / VOICE_HOP
    lines: np.ndarray = values[:, None] + (following - values)[:, None] * share
    return lines.reshape(-1)

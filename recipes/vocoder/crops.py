"""What the vocoder trains on: random pieces of recordings with their mel, pitch and sources."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data.batching import rng_for
from data.left_out import LeftOut
from data.loading import FULL_SCALE, coded_16_bit
from data.parallel import in_order
from data.shards.arrays import ArrayWriter, map_arrays
from data.shards.index import ClipIndex
from data.shards.reading import read_sound
from recipes.recordings import missing_treble
from voice import pitch
from voice.errors import AudioError
from voice.features import VOICE_HOP, VOICE_RATE, voice_log_mel
from voice.manifest import Clip
from voice.tts.vocoder import pulses

EDGE = 2  # frames on each side of a crop that losses don't see: their windows hang over


@dataclass(frozen=True)
class Augmentation:
    """Makes input like predicted input: `noise` in nats, `blur` a share of crops, `jitter` of pitch."""

    noise: float
    blur: float
    jitter: float


@dataclass(frozen=True)
class Crops:
    """A batch: mel [B, 100, F], f0 [B, F] in Hz, pulse, noise and the recording [B, F · 300]."""

    mel: Tensor
    f0: Tensor
    pulse: Tensor
    noise: Tensor
    real: Tensor

    def to(self, device: torch.device) -> Crops:
        return Crops(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    @property
    def inputs(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.mel, self.f0, self.pulse, self.noise


@dataclass(frozen=True)
class Corpus:
    """Recordings with their features, clip after clip; crops follow from a seed and a batch's number alone.

    The arrays may lie in a file and not in memory.
    """

    frames: np.ndarray  # (clips,)
    samples: np.ndarray  # (sum of frames · 300,) int16
    mel: np.ndarray  # (sum of frames, 100) float16
    f0: np.ndarray  # (sum of frames,) float32 Hz

    @cached_property
    def ends(self) -> np.ndarray:
        """The frame (clips,) that follows each clip's last."""
        return np.cumsum(self.frames)

    @property
    def minutes(self) -> float:
        return len(self.samples) / VOICE_RATE / 60

    def whole(self, index: int, seed: int = 0) -> Crops:
        """One clip from start to end, as a batch of one."""
        frames = int(self.frames[index])
        return _stack([self._piece(index, 0, frames, np.random.default_rng(seed))])

    def crops(self, seed: int, step: int, count: int, frames: int, augmentation: Augmentation) -> Crops:
        """`count` pieces of `frames` frames, each frame of the corpus about equally likely."""
        rng = rng_for(seed, step)
        clips = np.searchsorted(self.ends, rng.integers(len(self.f0), size=count), side="right")
        starts = [int(rng.integers(max(1, self.frames[clip] - frames + 1))) for clip in clips]
        chosen = zip(clips.tolist(), starts, strict=True)
        pieces = [self._piece(clip, start, frames, rng) for clip, start in chosen]
        return _stack([_augment(piece, augmentation, rng) for piece in pieces])

    def _piece(self, index: int, start: int, frames: int, rng: np.random.Generator) -> _Piece:
        """Silence follows where the clip is shorter."""
        first = int(self.ends[index] - self.frames[index]) + start
        count = min(frames, int(self.frames[index]) - start)
        mel = self.mel[first : first + count].T.astype(np.float32)
        real = self.samples[first * VOICE_HOP : (first + count) * VOICE_HOP].astype(np.float32) / FULL_SCALE
        noise = rng.standard_normal(frames * VOICE_HOP, dtype=np.float32)
        missing = frames - count
        mel = np.pad(mel, ((0, 0), (0, missing)), constant_values=mel.min())
        f0 = np.pad(self.f0[first : first + count], (0, missing))
        return mel, f0, noise, np.pad(real, (0, missing * VOICE_HOP))


def load_corpus(manifests: Sequence[Path], cache: Path | None = None) -> Corpus:
    """Decode and measure every clip, a minute of one core for an hour of speech.

    With a folder `cache` it is done once, and what is found stays in a file there instead of memory.
    """
    if cache is None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "crops.npz"
            _write(manifests, path)
            return Corpus(**{name: np.array(rows) for name, rows in map_arrays(path).items()})
    kept = cache / f"crops-{_fingerprint(manifests)}.npz"
    if not kept.exists():
        _write(manifests, kept)
    return Corpus(**map_arrays(kept))


def _write(manifests: Sequence[Path], path: Path) -> None:
    """Write the arrays of a corpus, whole or not at all, clip by clip; many clips by several processes.

    What cannot be opened is left out and told. Raises ManifestError where that is a tenth or more.
    """
    clips = ClipIndex.join(map(ClipIndex.read, manifests))
    if told := missing_treble(clips):
        print(told, flush=True)
    left_out = LeftOut(len(clips))
    with ArrayWriter(path) as writer:
        for name, arrays in in_order(clips, _clip_arrays):
            if isinstance(arrays, AudioError):
                left_out.add_unopened(name, arrays)
            else:
                writer.append(**arrays)
    if left_out:
        print(left_out, flush=True)


def _fingerprint(manifests: Sequence[Path]) -> str:
    """Of what the manifests say, in this order."""
    text = b"".join(Path(manifest).read_bytes() for manifest in manifests)
    return hashlib.sha256(text).hexdigest()[:16]


def _clip_arrays(clip: Clip) -> tuple[str, dict[str, np.ndarray] | AudioError]:
    """Return one clip's id and its rows of each array of `Corpus`, or why it cannot be opened."""
    try:
        samples = read_sound(clip, VOICE_RATE).samples
    except AudioError as error:
        return clip.id, error
    mel, f0 = voice_log_mel(samples), pitch.f0(samples, VOICE_RATE, VOICE_HOP)
    coded = coded_16_bit(samples[: len(f0) * VOICE_HOP])
    frames = np.array([len(f0)])
    return clip.id, {"frames": frames, "samples": coded, "mel": mel.T.astype(np.float16), "f0": f0}


_Piece = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # mel, f0, noise, real


def _augment(piece: _Piece, how: Augmentation, rng: np.random.Generator) -> _Piece:
    """Add noise to the mel spectrogram, blur it at times, and vary F0."""
    mel, f0, noise, real = piece
    level = rng.uniform(0, how.noise)
    mel = mel + rng.standard_normal(mel.shape, dtype=np.float32) * np.float32(level)
    if rng.random() < how.blur:
        mel = _blur(mel)
    f0 = f0 * np.exp(slow(len(f0), rng) * how.jitter).astype(np.float32)
    return mel, f0, noise, real


def _blur(mel: np.ndarray) -> np.ndarray:
    """Average (100, F) over three frames and three bands, as an L1 or L2 model would draw it."""
    for axis in (0, 1):
        before = np.take(mel, np.maximum(np.arange(mel.shape[axis]) - 1, 0), axis)
        after = np.take(mel, np.minimum(np.arange(mel.shape[axis]) + 1, mel.shape[axis] - 1), axis)
        mel = 0.5 * mel + 0.25 * (before + after)
    return mel


def slow(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) a curve of variance about 1 that takes a tenth of a second to change."""
    points = rng.standard_normal(count // 8 + 2)
    return np.interp(np.arange(count) / 8, np.arange(len(points)), points)


def without_edges(samples: Tensor) -> Tensor:
    """Cut off what losses don't see: [B, T] → [B, T − 2 · EDGE · 300]."""
    return samples[:, EDGE * VOICE_HOP : -EDGE * VOICE_HOP]


def _stack(pieces: Sequence[_Piece]) -> Crops:
    mel, f0, noise, real = (torch.from_numpy(np.stack(column)) for column in zip(*pieces, strict=True))
    pulse = torch.from_numpy(np.stack([pulses(piece[1]) for piece in pieces]))
    return Crops(mel, f0, pulse, noise, real)

"""What an encoder takes of a clip: features of its sound, changed in speed and by noise, or what a frozen
encoder gives of them, kept on disk."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from data.augmentation import with_noise
from data.batching import rng_for
from data.loading import AudioCache
from recipes.options import option
from recipes.scaling import Precision
from voice.asr.ctc.recognizer import SAMPLE_RATE, WHOLE, FeatureKind, features_of
from voice.manifest import Clip

NOISE_SNR = (5.0, 25.0)  # dB


@dataclass(frozen=True)
class AugmentOptions:
    """What changes the sounds of training."""

    speed: tuple[float, ...] = option(
        (0.9, 1.0, 1.1), "play at one of these speeds, drawn for each; repeatable"
    )
    noise: tuple[str, ...] = option((), "a manifest of noises that are added; repeatable")
    noisy: float = option(0.5, "share of the sounds that get one of the noises, 5 to 25 dB below")
    masks: bool = option(True, "SpecAugment: mask two stretches of time and two of frequency")


@dataclass(frozen=True, eq=False)
class Changes:
    """How sounds are changed for training, and the seed that decides each change."""

    augment: AugmentOptions
    noises: AudioCache | None
    seed: int

    def apply(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return samples (T,) at another speed and with a noise, as `rng` draws them."""
        from torchaudio.functional import speed

        augment, noises = self.augment, self.noises
        factor = augment.speed[int(rng.integers(len(augment.speed)))] if augment.speed else 1.0
        if factor != 1.0:
            samples = speed(torch.from_numpy(samples), SAMPLE_RATE, factor)[0].numpy()
        if noises is not None and len(noises) and rng.random() < augment.noisy:
            noise = noises[int(rng.integers(len(noises)))]
            samples = with_noise(samples, noise, float(rng.uniform(*NOISE_SNR)), rng)
        return samples


class Features(Protocol):
    """The features (T, D) of clips by index: as the batch `number` hears them, or without one as they are."""

    def __call__(self, index: int, number: int | None = None) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class SoundFeatures:
    """The features of sounds, changed anew for each batch. Without `changes` they are as they are."""

    sounds: AudioCache
    kind: FeatureKind
    changes: Changes | None = None

    def __call__(self, index: int, number: int | None = None) -> np.ndarray:
        if number is None or self.changes is None:
            return self.hear(index)
        return self.hear(index, rng_for(self.changes.seed, 2, number, index))

    def hear(self, index: int, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the features of a clip, changed as `rng` draws it."""
        samples = self.sounds[index]
        if rng is not None and self.changes is not None:
            samples = self.changes.apply(samples, rng)
        return features_of(samples, self.kind)


class FrozenFeatures:
    """What a frozen encoder gives of the features of `source`, computed when first asked for and kept.

    There is a file for each clip, changed in one way; a clip that is listed again is changed in another. The
    files are named by what decides them, so that other runs find them too. Values are halves. `base` tells
    the encoder from others.
    """

    def __init__(
        self, source: SoundFeatures, encoder: Any, base: str, folder: Path, precision: Precision
    ) -> None:
        self._source, self._encoder, self._precision = source, encoder.eval(), precision
        self._folder = folder
        self._names = file_names(source.sounds.clips, f"{base} {_describe(source.changes)}")
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, index: int, number: int | None = None) -> np.ndarray:
        path = self._folder / f"{self._names[index]}.npy"
        if not path.exists():
            self._write(path, self._encode(index))
        kept: np.ndarray = np.load(path)
        return kept.astype(np.float32)

    def _encode(self, index: int) -> np.ndarray:
        """Compute what the encoder gives of a clip (F, D)."""
        rng = rng_for(int(self._names[index][:8], 16)) if self._source.changes else None
        features = torch.from_numpy(self._source.hear(index, rng))[None].to(self._precision.device)
        frames = torch.tensor([features.shape[1]], device=features.device)
        with torch.no_grad(), self._precision.autocast():
            encoded, _ = self._encoder(features, frames, torch.tensor(WHOLE, device=features.device))
        half: np.ndarray = encoded[0].half().cpu().numpy()
        return half

    @staticmethod
    def _write(path: Path, encoded: np.ndarray) -> None:
        """Write a file, whole or not at all."""
        beside = path.with_name(f".{path.stem}.{os.getpid()}.npy")
        np.save(beside, encoded)
        beside.replace(path)


def file_names(clips: Sequence[Clip], how: str) -> list[str]:
    """Return the name of each clip's file: by what it is, how it is encoded, and how often it came before."""
    seen: Counter[str] = Counter()
    names = []
    for clip in clips:
        what = f"{clip.audio.resolve()} {clip.id}"
        names.append(hashlib.sha256(f"{how}\n{what}\n{seen[what]}".encode()).hexdigest()[:32])
        seen[what] += 1
    return names


def _describe(changes: Changes | None) -> str:
    """Return all that decides how sounds are changed, as a text."""
    if changes is None:
        return "unchanged"
    augment = changes.augment
    return f"{augment.speed} {augment.noise} {augment.noisy} {changes.seed}"

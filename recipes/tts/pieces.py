"""Recordings with the symbols of their frames, and random pieces of them: what `train.py` learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from data.batching import pad, prefetch, rng_for
from data.loading import FULL_SCALE, coded_16_bit
from recipes.tts import corpus
from recipes.tts.corpus import Utterance
from recipes.vocoder.crops import slow
from voice import audio
from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE
from voice.manifest import read_manifest
from voice.tts.vocoder import pulses

CONTEXT = 12  # frames on either side of a piece that the network sees too


@dataclass(frozen=True, eq=False)
class Recording:
    """L symbols, F frames."""

    speaker: str
    tokens: np.ndarray  # (L,) int64
    index: np.ndarray  # (F,) the token of each frame
    f0: np.ndarray  # (F,) Hz, 0 where unvoiced
    loud: np.ndarray  # (F,) natural logarithm of the amplitude
    samples: np.ndarray  # (F · 300,) int16


@dataclass(frozen=True, eq=False)
class Pieces:
    """B pieces of F frames, CONTEXT of them at either end; of each the whole sentence's L symbols."""

    speaker: Tensor  # (B,)
    tokens: Tensor  # (B, L)
    mask: Tensor  # (B, L, 1) 0 or 1
    index: Tensor  # (B, F)
    f0: Tensor  # (B, F)
    loud: Tensor  # (B, F)
    pulse: Tensor  # (B, F · 300)
    noise: Tensor  # (B, F · 300)
    real: Tensor  # (B, F · 300)

    def to(self, device: torch.device) -> Pieces:
        return Pieces(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return self.tokens, self.speaker, self.mask, self.index, self.f0, self.loud


def load(features: Sequence[Path], manifests: Sequence[Path]) -> list[Recording]:
    """Return the utterances of feature files with their audio, which the manifests name.

    Once decoded, it is kept beside the features. Raises VoiceError where a clip is in none of the
    manifests, or in two as two recordings.
    """
    sounds: dict[str, Path] = {}
    for clip in (clip for path in manifests for clip in read_manifest(path)):
        if sounds.setdefault(clip.id, clip.audio) != clip.audio:
            raise VoiceError(f"{sounds[clip.id]} and {clip.audio} have the same id, {clip.id}: rename one")
    return [recording for path in features for recording in _recordings(path, sounds)]


def _recordings(features: Path, sounds: Mapping[str, Path]) -> Iterator[Recording]:
    """Yield each utterance of a file of features with its samples, decoded once and kept beside it."""
    utterances, kept = corpus.read(features), features.with_suffix(".samples.npy")
    ends = np.cumsum([len(u.f0) for u in utterances]) * VOICE_HOP
    fresh = kept.exists() and kept.stat().st_mtime >= features.stat().st_mtime
    if not fresh or len(np.load(kept, mmap_mode="r")) != ends[-1]:
        _decode(utterances, sounds, kept)
    for utterance, samples in zip(utterances, np.split(np.load(kept, mmap_mode="r"), ends[:-1]), strict=True):
        tokens, durations = utterance.tokens.astype(np.int64), utterance.durations.astype(np.int64)
        index = np.repeat(np.arange(len(durations)), durations)
        yield Recording(utterance.speaker, tokens, index, utterance.f0, utterance.loud, samples)


def _decode(utterances: Sequence[Utterance], sounds: Mapping[str, Path], kept: Path) -> None:
    """Write the samples of all utterances into one file, some of them in memory at a time."""
    missing = [u.clip for u in utterances if u.clip not in sounds]
    if missing:
        raise VoiceError(f"no --manifest names the audio of {missing[0]} ({len(missing)} clips in all)")
    places = [(sounds[u.clip], u.first * VOICE_HOP, len(u.f0) * VOICE_HOP) for u in utterances]
    beside, total = kept.with_suffix(".tmp.npy"), sum(count for _, _, count in places)
    whole = np.lib.format.open_memmap(beside, "w+", np.int16, (total,))
    end = 0
    for samples in prefetch(places, lambda place: _read_16_bit(*place), 2, ahead=16):
        whole[end : end + len(samples)] = samples
        end += len(samples)
    whole.flush()
    beside.replace(kept)


def _read_16_bit(path: Path, first: int, count: int) -> np.ndarray:
    """Return (count,) int16 samples of a recording from the one with number `first` on."""
    samples = coded_16_bit(audio.read(path, VOICE_RATE).samples[first : first + count])
    return np.pad(samples, (0, count - len(samples)))


@dataclass(frozen=True)
class Errors:
    """What is added to what is given, so that predictions will do: `loud` in nats, `pitch` relative."""

    loud: float = 0.15
    pitch: float = 0.002


class Collection:
    """All recordings, each speaker as likely whatever there is of it, unless `shares` say otherwise."""

    def __init__(
        self,
        spoken: Sequence[Recording],
        speakers: Sequence[str],
        shares: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.spoken, self.speakers = spoken, speakers
        self._shares = _summing_to_one([shares.get(name, 1.0) for name in speakers])
        self._own = [np.flatnonzero([s.speaker == name for s in spoken]) for name in speakers]
        self._probabilities = [_summing_to_one([len(spoken[int(i)].f0) for i in own]) for own in self._own]

    def pieces(self, seed: int, step: int, count: int, frames: int, errors: Errors) -> Pieces:
        """`count` pieces of `frames` frames and CONTEXT around them; they follow from seed and step alone."""
        rng = rng_for(seed, step)
        cut = []
        for _ in range(count):
            spoken, speaker, start = self.draw(rng, frames)
            cut.append(_piece(spoken, speaker, start - CONTEXT, frames + 2 * CONTEXT, rng, errors))
        return _stack(cut)

    def draw(self, rng: np.random.Generator, frames: int) -> tuple[Recording, int, int]:
        """Draw a recording, the number of its speaker, and the first of `frames` frames of it."""
        speaker = int(rng.choice(len(self.speakers), p=self._shares))
        number = int(rng.choice(self._own[speaker], p=self._probabilities[speaker]))
        spoken = self.spoken[number]
        return spoken, speaker, int(rng.integers(max(1, len(spoken.f0) - frames + 1)))

    def whole(self, number: int, seed: int = 0) -> Pieces:
        """One recording from start to end, with nothing around it."""
        spoken = self.spoken[number]
        speaker = self.speakers.index(spoken.speaker)
        rng = np.random.default_rng(seed)
        return _stack([_piece(spoken, speaker, 0, len(spoken.f0), rng, Errors(0.0, 0.0))])


def _summing_to_one(values: Sequence[float]) -> np.ndarray:
    return np.array(values, float) / sum(values)


_Piece = tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _piece(
    spoken: Recording, speaker: int, first: int, frames: int, rng: np.random.Generator, errors: Errors
) -> _Piece:
    """Silence where the piece reaches beyond the recording."""
    before, after = max(0, -first), max(0, first + frames - len(spoken.f0))
    kept = slice(first + before, first + frames - after)
    f0 = np.pad(spoken.f0[kept] * np.exp(errors.pitch * slow(kept.stop - kept.start, rng)), (before, after))
    loud = np.pad(spoken.loud[kept], (before, after), constant_values=spoken.loud.min())
    loud = loud + errors.loud * slow(frames, rng)
    index = np.pad(spoken.index[kept], (before, after), mode="edge")
    samples = spoken.samples[kept.start * VOICE_HOP : kept.stop * VOICE_HOP].astype(np.float32) / FULL_SCALE
    real = np.pad(samples, (before * VOICE_HOP, after * VOICE_HOP))
    noise = rng.standard_normal(frames * VOICE_HOP, dtype=np.float32)
    f0 = f0.astype(np.float32)
    return speaker, spoken.tokens, index, f0, loud.astype(np.float32), pulses(f0), noise, real


def _stack(cut: Sequence[_Piece]) -> Pieces:
    """Make a batch of pieces of equal length."""
    speaker, tokens, *rest = zip(*cut, strict=True)
    ones = [np.ones((len(each), 1), np.float32) for each in tokens]
    padded, mask = (torch.from_numpy(pad(list(each), axis=0)[0]) for each in (tokens, ones))
    return Pieces(torch.tensor(speaker), padded, mask, *(torch.from_numpy(np.stack(each)) for each in rest))

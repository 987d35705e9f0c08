"""Recordings with the symbols of their frames, and random pieces of them: what `train.py` learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from data.batching import pad, rng_for
from data.loading import FULL_SCALE
from recipes.tts.preparation.recordings import Recording, Recordings
from recipes.vocoder.crops import slow
from voice.features import VOICE_HOP
from voice.tts.vocoder import pulses

CONTEXT = 12  # frames on either side of a piece that the network sees too


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


@dataclass(frozen=True)
class Errors:
    """What is added to what is given, so that predictions will do: `loud` in nats, `pitch` relative."""

    loud: float = 0.15
    pitch: float = 0.002


class Collection:
    """All recordings, each speaker as likely whatever there is of it, unless `shares` say otherwise."""

    def __init__(
        self,
        spoken: Recordings,
        speakers: Sequence[str],
        shares: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.spoken, self.speakers = spoken, speakers
        self._shares = _summing_to_one([shares.get(name, 1.0) for name in speakers])
        self._own = [spoken.numbers_of(name) for name in speakers]
        self._ends = [np.cumsum(spoken.frames[own]) for own in self._own]

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
        ends = self._ends[speaker]  # each frame of a speaker is as likely as any other
        number = int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))
        spoken = self.spoken[int(self._own[speaker][number])]
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

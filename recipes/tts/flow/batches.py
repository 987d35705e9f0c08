"""Random pieces of recordings as the flow meets them: whole sentences of symbols, some of their frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from data.batching import pad, rng_for
from data.loading import FULL_SCALE
from recipes.tts.corpus import Range, continuous
from recipes.tts.pieces import Collection
from recipes.tts.preparation.recordings import Recording
from voice.features import VOICE_BANDS, VOICE_FLOOR, VOICE_HOP, voice_log_mel
from voice.tts.frames import frame_features

HALO = 2  # frames on either side of a piece whose samples its outermost windows reach into


@dataclass(frozen=True, eq=False)
class Batch:
    """B pieces of F frames out of sentences of L symbols; the masks say where there is something."""

    speaker: Tensor  # (B,)
    tokens: Tensor  # (B, L)
    durations: Tensor  # (B, L)
    token_mask: Tensor  # (B, L, 1) 0 or 1
    index: Tensor  # (B, F) the token of each frame
    features: Tensor  # (B, F, FEATURES)
    wanted: Tensor  # (B, F, CHANNELS) log-mel, pitch in the speaker's standard deviations, voicing −1 or 1
    frame_mask: Tensor  # (B, F, 1)

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


_Piece = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def cut(
    collection: Collection, ranges: Mapping[str, Range], seed: int, number: int, count: int, frames: int
) -> Batch:
    """Return `count` pieces of at most `frames` frames; they follow from seed and number alone."""
    rng = rng_for(seed, number)
    drawn = [collection.draw(rng, frames) for _ in range(count)]
    return _stack(
        [speaker for _, speaker, _ in drawn],
        [_piece(spoken, ranges[spoken.speaker], start, frames) for spoken, _, start in drawn],
    )


def whole(collection: Collection, ranges: Mapping[str, Range], number: int) -> Batch:
    """Return one recording from start to end, as a batch of one."""
    spoken = collection.spoken[number]
    speaker = collection.speakers.index(spoken.speaker)
    return _stack([speaker], [_piece(spoken, ranges[spoken.speaker], 0, len(spoken.f0))])


def _piece(spoken: Recording, span: Range, start: int, frames: int) -> _Piece:
    """Return tokens, durations, and of the piece's frames the token, its place and what is to be drawn."""
    kept = slice(start, min(start + frames, len(spoken.f0)))
    nothing = np.zeros(len(spoken.durations))  # neither pitch nor loudness is given
    index, features = frame_features(spoken.durations, nothing, nothing)
    curve = np.nan_to_num((continuous(spoken.f0)[kept] - span.pitch_mean) / span.pitch_spread)
    voicing = np.where(spoken.f0[kept] > 0, 1.0, -1.0)
    wanted = np.concatenate([log_mel(spoken, kept.start, kept.stop), np.stack([curve, voicing], 1)], 1)
    return spoken.tokens, spoken.durations, index[kept], features[kept], wanted.astype(np.float32)


def log_mel(spoken: Recording, start: int, stop: int) -> np.ndarray:
    """Return the log-mel (stop − start, 100) of some frames of a recording."""
    first, last = max(0, start - HALO), min(len(spoken.f0), stop + HALO)
    samples = spoken.samples[first * VOICE_HOP : last * VOICE_HOP].astype(np.float32) / FULL_SCALE
    mel = voice_log_mel(samples)[:, start - first :][:, : stop - start].T
    missing = ((0, stop - start - len(mel)), (0, 0))
    return np.pad(mel, missing, constant_values=np.log(VOICE_FLOOR)).reshape(-1, VOICE_BANDS)


def _stack(speakers: Sequence[int], pieces: Sequence[_Piece]) -> Batch:
    tokens, durations, index, features, wanted = zip(*pieces, strict=True)
    return Batch(
        speaker=torch.tensor(speakers),
        tokens=_pad(tokens),
        durations=_pad(durations),
        token_mask=_mask(tokens),
        index=_pad(index),
        features=_pad(features),
        wanted=_pad(wanted),
        frame_mask=_mask(index),
    )


def _pad(rows: Sequence[np.ndarray]) -> Tensor:
    """Return rows of (N, …) as one batch (B, longest N, …)."""
    return torch.from_numpy(pad(list(rows), axis=0)[0])


def _mask(rows: Sequence[np.ndarray]) -> Tensor:
    """Return (B, N, 1): 1 where a row of a padded batch has something."""
    return _pad([np.ones((len(row), 1), np.float32) for row in rows])

"""Features of aligned speech: one file a corpus, 3 MB an hour, made into batches here."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
import torch

from data.batching import pad
from data.shards.arrays import map_arrays
from voice.errors import VoiceError
from voice.text.alphabet import SYMBOLS
from voice.tts.frames import frame_features


@dataclass(frozen=True, eq=False)
class Utterance:
    """L tokens, F frames: a recording, or a part of one.

    `recording` is the id of the clip that it is a part of ("": it is the whole clip `id`), `first` the frame
    of that clip with which it begins.
    """

    id: str
    speaker: str
    tokens: np.ndarray  # (L,) indices into SYMBOLS
    durations: np.ndarray  # (L,) frames, together F
    f0: np.ndarray  # (F,) Hz, 0 where unvoiced
    loud: np.ndarray  # (F,) natural logarithm of each frame's amplitude
    recording: str = ""
    first: int = 0

    @property
    def clip(self) -> str:
        """Return the id of the clip whose sound it is."""
        return self.recording or self.id


@dataclass(frozen=True)
class Range:
    """Of a speaker's log-F0 (of voiced frames) and loudness: mean and standard deviation."""

    pitch_mean: float
    pitch_spread: float
    energy_mean: float
    energy_spread: float


def tokens_of(phonemes: str) -> np.ndarray:
    """Phonemes → (L,) indices. Raises VoiceError for a character that SYMBOLS lacks."""
    unknown = sorted({p for p in phonemes if p not in SYMBOLS})
    if unknown:
        raise VoiceError(f"no token for {' '.join(unknown)}: add it to SYMBOLS in voice/text/alphabet.py")
    return np.array([SYMBOLS.index(p) for p in phonemes], np.int16)


def write(path: Path, utterances: Sequence[Utterance]) -> None:
    """Write one compact file, whole or not at all."""
    write_arrays(path, pack(utterances))


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name as a NumPy archive, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    with beside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # names of arrays, none is allow_pickle
    os.replace(beside, path)


def pack(utterances: Sequence[Utterance]) -> dict[str, np.ndarray]:
    """Return utterances as arrays, all of one kind after the other."""
    nothing = np.zeros(0)  # of which a corpus without utterances is made
    return {
        "ids": np.array([u.id for u in utterances], str),
        "speakers": np.array([u.speaker for u in utterances], str),
        "recordings": np.array([u.recording for u in utterances], str),
        "firsts": np.array([u.first for u in utterances], np.int64),
        "lengths": np.array([(len(u.tokens), len(u.f0)) for u in utterances], np.int64).reshape(-1, 2),
        "tokens": np.concatenate([nothing, *(u.tokens for u in utterances)]).astype(np.int16),
        "durations": np.concatenate([nothing, *(u.durations for u in utterances)]).astype(np.int16),
        "f0": np.concatenate([nothing, *(u.f0 for u in utterances)]).astype(np.float32),
        "loud": np.concatenate([nothing, *(u.loud for u in utterances)]).astype(np.float32),
    }


def read(*paths: Path) -> Utterances:
    """Return what `write` wrote into some files, one after the other; it stays there until it is asked for.

    Raises VoiceError where a file is missing or broken.
    """
    return Utterances.of([_open(path) for path in paths])


def _open(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file, mapped. Raises VoiceError."""
    if not path.exists():
        raise VoiceError(f"{path} is not there: make it with `python -m recipes.tts.prepare`")
    try:
        held = map_arrays(path)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise VoiceError(f"{path} cannot be read ({error}): let recipes.tts.prepare make it") from error
    if "loud" not in held:  # versions before 0.3 kept the spectrum
        held["loud"] = loudness_of(held["mel"])
    return held


@dataclass(frozen=True, eq=False)
class Utterances(Sequence[Utterance]):
    """The N utterances of some files, mapped: some forty bytes of memory each, however long they are."""

    files: tuple[Mapping[str, np.ndarray], ...]  # as `pack` makes them
    file: np.ndarray  # (N,) uint16 which of them
    row: np.ndarray  # (N,) int32 which utterance of it
    lengths: np.ndarray  # (N, 2) int32 tokens and frames
    ends: np.ndarray  # (N, 2) int64 the place after an utterance's last token and frame in its file
    names: tuple[str, ...]  # of the speakers, sorted
    speaker: np.ndarray  # (N,) int32 which of them

    @classmethod
    def of(cls, files: Sequence[Mapping[str, np.ndarray]]) -> Utterances:
        """Return all utterances of some files."""
        counts = [len(held["ids"]) for held in files]
        lengths = [np.asarray(held["lengths"]).reshape(-1, 2) for held in files]
        none = np.zeros((0, 2), np.int64)
        spoken = np.concatenate([np.zeros(0, "U1"), *(held["speakers"] for held in files)])
        names, speaker = np.unique(spoken, return_inverse=True)
        return cls(
            tuple(files),
            np.repeat(np.arange(len(files)), counts).astype(np.uint16),
            np.concatenate([none[:, 0], *map(np.arange, counts)]).astype(np.int32),
            np.concatenate([none, *lengths]).astype(np.int32),
            np.concatenate([none, *(np.cumsum(each, axis=0) for each in lengths)]),
            tuple(names.tolist()),
            speaker.astype(np.int32),
        )

    def by(self, names: Collection[str]) -> Utterances:
        """Return those that some speakers say."""
        wanted = np.array([name in names for name in self.names], bool)
        return self.select(np.flatnonzero(wanted[self.speaker]))

    def select(self, numbers: np.ndarray) -> Utterances:
        """Return the utterances of these numbers, in this order."""
        file, row, lengths, ends, speaker = (
            each[numbers] for each in (self.file, self.row, self.lengths, self.ends, self.speaker)
        )
        return Utterances(self.files, file, row, lengths, ends, self.names, speaker)

    def __len__(self) -> int:
        return len(self.row)

    @overload
    def __getitem__(self, number: int) -> Utterance: ...
    @overload
    def __getitem__(self, number: slice) -> Utterances: ...
    def __getitem__(self, number: int | slice) -> Utterance | Utterances:
        """Return an utterance, whose arrays are those of the file. Raises IndexError."""
        if isinstance(number, slice):
            return self.select(np.arange(len(self))[number])
        held, row = self.files[int(self.file[number])], int(self.row[number])
        last_token, last_frame = self.ends[number].tolist()
        tokens, frames = self.lengths[number].tolist()
        by_token, by_frame = slice(last_token - tokens, last_token), slice(last_frame - frames, last_frame)
        symbols, durations = (np.asarray(held[name][by_token]) for name in ("tokens", "durations"))
        f0, loud = (np.asarray(held[name][by_frame]) for name in ("f0", "loud"))
        return Utterance(
            str(held["ids"][row]),
            self.names[int(self.speaker[number])],
            symbols,
            durations,
            f0,
            loud,
            str(held["recordings"][row]) if "recordings" in held else "",
            int(held["firsts"][row]) if "firsts" in held else 0,
        )


def ranges(utterances: Utterances) -> dict[str, Range]:
    """Return the range of each speaker who says any of the utterances."""
    found = {}
    for number, speaker in enumerate(utterances.names):
        own = utterances.select(np.flatnonzero(utterances.speaker == number))
        if not len(own):
            continue
        pitch = np.log(np.concatenate([u.f0[u.f0 > 0] for u in own]))
        energy = np.concatenate([u.loud for u in own])
        values = (pitch.mean(), pitch.std() + 1e-3, energy.mean(), energy.std() + 1e-3)
        found[speaker] = Range(*(round(float(v), 5) for v in values))
    return found


def loudness_of(mel: np.ndarray) -> np.ndarray:
    """(F, 100) log-mel → (F,) natural logarithm of each frame's amplitude."""
    return np.log(np.square(np.exp(mel.astype(np.float32))).sum(1)) / 2


def token_means(values: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """(F,) → (L,) the mean over each token's frames; one without frames takes the value where it stands."""
    ends = np.cumsum(durations)
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    here = values[np.minimum(ends, len(values) - 1)]
    means = (sums[ends] - sums[ends - durations]) / np.maximum(durations, 1)
    return np.where(durations > 0, means, here).astype(np.float32)


def continuous(f0: np.ndarray) -> np.ndarray:
    """(F,) Hz with zeros → (F,) log-F0, lines drawn through the unvoiced stretches."""
    voiced = np.flatnonzero(f0 > 0)
    if len(voiced) == 0:
        return np.full(len(f0), np.nan, np.float32)
    return np.interp(np.arange(len(f0)), voiced, np.log(f0[voiced])).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Example:
    """An utterance as the model meets it: pitch and energy in its speaker's standard deviations."""

    tokens: np.ndarray  # (L,) int64
    durations: np.ndarray  # (L,) int64
    pitch: np.ndarray  # (L,) mean of each token
    energy: np.ndarray  # (L,)
    index: np.ndarray  # (F,) the token of each frame
    features: np.ndarray  # (F, FEATURES)
    curve: np.ndarray  # (F,) pitch of each frame
    loud: np.ndarray  # (F,) loudness of each frame
    voiced: np.ndarray  # (F,) 0 or 1


def example(utterance: Utterance, span: Range) -> Example:
    durations = utterance.durations.astype(np.int64)
    curve = np.nan_to_num((continuous(utterance.f0) - span.pitch_mean) / span.pitch_spread)
    loudness = (utterance.loud - span.energy_mean) / span.energy_spread
    pitch, energy = token_means(curve, durations), token_means(loudness, durations)
    index, features = frame_features(durations, pitch, energy)
    return Example(
        utterance.tokens.astype(np.int64), durations, pitch, energy, index, features,
        curve.astype(np.float32), loudness.astype(np.float32), (utterance.f0 > 0).astype(np.float32),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Batch:
    """B examples filled up to the longest; the masks say where there is something."""

    speaker: torch.Tensor  # (B,)
    tokens: torch.Tensor  # (B, L)
    durations: torch.Tensor  # (B, L)
    pitch: torch.Tensor  # (B, L)
    energy: torch.Tensor  # (B, L)
    token_mask: torch.Tensor  # (B, L, 1) 0 or 1
    index: torch.Tensor  # (B, F)
    features: torch.Tensor  # (B, F, FEATURES)
    curve: torch.Tensor  # (B, F)
    loud: torch.Tensor  # (B, F)
    voiced: torch.Tensor  # (B, F)
    frame_mask: torch.Tensor  # (B, F, 1)

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def collate(examples: Sequence[Example], speakers: Sequence[int], device: torch.device) -> Batch:
    def stack(name: str) -> torch.Tensor:
        return torch.from_numpy(pad([getattr(e, name) for e in examples], axis=0)[0]).to(device)

    def mask(name: str) -> torch.Tensor:
        ones = [np.ones((len(getattr(e, name)), 1), np.float32) for e in examples]
        return torch.from_numpy(pad(ones, axis=0)[0]).to(device)

    names = ("tokens", "durations", "pitch", "energy", "index", "features", "curve", "loud", "voiced")
    return Batch(
        speaker=torch.tensor(speakers, device=device),
        token_mask=mask("tokens"),
        frame_mask=mask("index"),
        **{name: stack(name) for name in names},
    )

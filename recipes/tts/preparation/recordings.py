"""Recordings with the symbols of their frames: feature files, and the sound beside them on the disk.

Sound is decoded once, from files or from shards (`data/shards`), and mapped like the features: memory holds
some forty bytes an utterance, whatever there is of it. The disk holds 173 MB for each hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from data.batching import prefetch
from data.loading import coded_16_bit
from data.shards.index import ClipIndex
from data.shards.reading import read_sound
from recipes.tts import corpus
from recipes.tts.corpus import Utterances
from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE
from voice.manifest import Clip


@dataclass(frozen=True, eq=False)
class Recording:
    """L symbols, F frames."""

    speaker: str
    tokens: np.ndarray  # (L,) int64
    durations: np.ndarray  # (L,) int64 frames, together F
    f0: np.ndarray  # (F,) Hz, 0 where unvoiced
    loud: np.ndarray  # (F,) natural logarithm of the amplitude
    samples: np.ndarray  # (F · 300,) int16

    @property
    def index(self) -> np.ndarray:
        """Return the token (F,) of each frame."""
        return np.repeat(np.arange(len(self.durations)), self.durations)


@dataclass(frozen=True, eq=False)
class Recordings(Sequence[Recording]):
    """The N recordings of some feature files, read when they are asked for."""

    utterances: Utterances
    samples: tuple[np.ndarray, ...]  # int16 of each file, mapped

    @property
    def frames(self) -> np.ndarray:
        """Return the frames (N,) of each."""
        return self.utterances.lengths[:, 1]

    @property
    def minutes(self) -> float:
        """Return how long all of them are."""
        return float(self.frames.sum()) * VOICE_HOP / VOICE_RATE / 60

    def numbers_of(self, speaker: str) -> np.ndarray:
        """Return the numbers of one speaker's recordings."""
        names = self.utterances.names
        return np.flatnonzero(self.utterances.speaker == (names.index(speaker) if speaker in names else -1))

    def by(self, names: Sequence[str]) -> Recordings:
        """Return those of some speakers."""
        return Recordings(self.utterances.by(names), self.samples)

    def __len__(self) -> int:
        return len(self.utterances)

    @overload
    def __getitem__(self, number: int) -> Recording: ...
    @overload
    def __getitem__(self, number: slice) -> Recordings: ...
    def __getitem__(self, number: int | slice) -> Recording | Recordings:
        if isinstance(number, slice):
            return Recordings(self.utterances[number], self.samples)
        utterance = self.utterances[number]
        last = int(self.utterances.ends[number][1])
        place = slice((last - len(utterance.f0)) * VOICE_HOP, last * VOICE_HOP)
        samples = np.asarray(self.samples[int(self.utterances.file[number])][place])
        tokens, durations = utterance.tokens.astype(np.int64), utterance.durations.astype(np.int64)
        return Recording(utterance.speaker, tokens, durations, utterance.f0, utterance.loud, samples)


def load(features: Sequence[Path], manifests: Sequence[Path]) -> Recordings:
    """Return the utterances of feature files with their audio, which the manifests name.

    Once decoded, it is kept beside the features. Raises VoiceError where a clip is in none of the
    manifests, or in two as two recordings.
    """
    clips: Sequence[Clip] = ClipIndex.join(map(ClipIndex.read, manifests)) if manifests else ()
    places = _places(clips)
    return Recordings(corpus.read(*features), tuple(_samples(path, clips, places) for path in features))


def _places(clips: Sequence[Clip]) -> dict[str, int]:
    """Return the number of each clip by its id. Raises VoiceError where two recordings have one."""
    found: dict[str, int] = {}
    for number, clip in enumerate(clips):
        before = found.setdefault(clip.id, number)
        if before != number and clips[before].audio != clip.audio:
            one = clips[before].audio
            raise VoiceError(f"{one} and {clip.audio} have the same id, {clip.id}: rename one")
    return found


def _samples(features: Path, clips: Sequence[Clip], places: dict[str, int]) -> np.ndarray:
    """Return the samples of all utterances of a file of features, decoded once and kept beside it."""
    utterances, kept = corpus.read(features), features.with_suffix(".samples.npy")
    total = int(utterances.lengths[:, 1].sum()) * VOICE_HOP
    if not total:
        return np.zeros(0, np.int16)
    fresh = kept.exists() and kept.stat().st_mtime >= features.stat().st_mtime
    if not fresh or len(np.load(kept, mmap_mode="r")) != total:
        _decode(utterances, clips, places, kept)
    samples: np.ndarray = np.load(kept, mmap_mode="r")
    return samples


def _decode(utterances: Utterances, clips: Sequence[Clip], places: dict[str, int], kept: Path) -> None:
    """Write the samples of all utterances into one file, some of them in memory at a time."""
    missing = [u.clip for u in utterances if u.clip not in places]
    if missing:
        raise VoiceError(f"no --manifest names the audio of {missing[0]} ({len(missing)} clips in all)")
    beside, total = kept.with_suffix(".tmp.npy"), int(utterances.lengths[:, 1].sum()) * VOICE_HOP
    whole = np.lib.format.open_memmap(beside, "w+", np.int16, (total,))
    spans = ((clips[places[u.clip]], u.first * VOICE_HOP, len(u.f0) * VOICE_HOP) for u in utterances)
    end = 0
    for samples in prefetch(spans, lambda span: _read_16_bit(*span), 2, ahead=16):
        whole[end : end + len(samples)] = samples
        end += len(samples)
    whole.flush()
    beside.replace(kept)


def _read_16_bit(clip: Clip, first: int, count: int) -> np.ndarray:
    """Return (count,) int16 samples of a recording from the one with number `first` on."""
    samples = coded_16_bit(read_sound(clip, VOICE_RATE).samples[first : first + count])
    return np.pad(samples, (0, count - len(samples)))

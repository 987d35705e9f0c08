"""What one training example hears: a clip, or several of a manifest with pauses between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from data.batching import rng_for
from data.left_out import SHOWN, LeftOut
from data.loading import AudioCache
from data.shards.index import ClipIndex
from recipes.evaluations import split_selection
from voice.asr.whisper.windows import WINDOW
from voice.errors import ManifestError
from voice.features import WHISPER_RATE
from voice.manifest import Clip

SHUFFLE = 7  # fixed, so that "the last 20" stays held out whatever a run's seed is
PAUSE = (0.2, 1.2)  # s between joined clips
HISS = 1e-4  # amplitude of the noise in a pause; digital silence is rare in recordings


@dataclass(frozen=True)
class Window:
    """Clips by index, and the seconds of pause before each but the first."""

    clips: tuple[int, ...]
    pauses: tuple[float, ...]
    duration: float


def select(manifests: Sequence[str]) -> tuple[ClipIndex, LeftOut]:
    """Return the clips of at most 30 s of manifests as `index_any` takes them, and what counts the others.

    Raises ManifestError where a manifest holds nothing else.
    """
    listed = [index_any(manifest) for manifest in manifests]
    left_out = LeftOut(sum(map(len, listed)))
    for manifest, clips in zip(manifests, listed, strict=True):
        if not (clips.durations <= WINDOW).any():
            raise ManifestError(f"{manifest} holds no clip of at most {WINDOW:g} s; cut the recordings first")
        count_missing(clips, clips.durations > WINDOW, f"longer than {WINDOW:g} s", left_out)
    return ClipIndex.join(clips.select(clips.durations <= WINDOW) for clips in listed), left_out


def count_missing(clips: ClipIndex, missing: np.ndarray, reason: str, left_out: LeftOut) -> None:
    """Count the clips where `missing` (N,) is true as left out."""
    if missing.any():
        first = np.flatnonzero(missing)[:SHOWN].tolist()
        left_out.add_all([clips[index].id for index in first], reason, int(missing.sum()))


def select_any(manifest: str) -> list[Clip]:
    """Return the clips of `index_any`, all of them in memory."""
    return list(index_any(manifest))


def index_any(manifest: str) -> ClipIndex:
    """Return all clips of `PATH`, N of them at random of `PATH:N`, the last N of that order of `PATH:-N`.

    So `a.jsonl:240` and `a.jsonl:-20` share nothing while there are 260 or more clips.
    """
    path, count = split_selection(manifest)
    if not count:
        return ClipIndex.read(Path(manifest))
    clips = ClipIndex.read(Path(path))
    order = rng_for(SHUFFLE).permutation(len(clips))
    return clips.select(np.sort(order[: int(count)] if int(count) >= 0 else order[int(count) :]))


@dataclass(frozen=True, eq=False)
class Windows(Sequence[Window]):
    """A window of each clip alone, made when asked for, then some of several clips."""

    clips: ClipIndex
    joins: Sequence[Window] = ()

    @property
    def durations(self) -> np.ndarray:
        """Seconds of each window (N,)."""
        return np.concatenate([self.clips.durations, [window.duration for window in self.joins]])

    def __len__(self) -> int:
        return len(self.clips) + len(self.joins)

    @overload
    def __getitem__(self, number: int) -> Window: ...
    @overload
    def __getitem__(self, number: slice) -> list[Window]: ...
    def __getitem__(self, number: int | slice) -> Window | list[Window]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        alone = len(self.clips)
        if number < alone:
            return Window((number,), (), float(self.clips.durations[number]))
        return self.joins[number - alone]


def single(clips: Sequence[Clip]) -> list[Window]:
    """Return a window of each clip alone."""
    return [Window((index,), (), clip.duration) for index, clip in enumerate(clips)]


def join_clips(clips: Sequence[Clip], count: int, *, seed: int) -> list[Window]:
    """Return `count` windows of several clips of one corpus, between 6 and 29 s long, all lengths alike."""
    folders: dict[Path, list[int]] = {}
    for index, clip in enumerate(clips if count else ()):
        folders.setdefault(clip.audio.parent, []).append(index)
    groups = [group for group in folders.values() if len(group) > 1]
    return [_join(clips, groups, rng_for(seed, number)) for number in range(count if groups else 0)]


def _join(clips: Sequence[Clip], groups: Sequence[list[int]], rng: np.random.Generator) -> Window:
    """Return a window of some clips of one group, of a random length."""
    group = groups[int(rng.integers(len(groups)))]
    wanted = rng.uniform(6.0, WINDOW - 1)
    chosen: list[int] = []
    pauses: list[float] = []
    duration = 0.0
    for index in rng.permutation(group).tolist():
        pause = float(rng.uniform(*PAUSE)) if chosen else 0.0
        if duration + pause + clips[index].duration > wanted and chosen:
            break
        chosen.append(index)
        pauses.append(pause)
        duration += pause + clips[index].duration
    return Window(tuple(chosen), tuple(pauses[1:]), duration)


def sound(window: Window, sounds: AudioCache) -> np.ndarray:
    """Return the samples of a window: (T,) float32 at 16 kHz."""
    pieces = [sounds[window.clips[0]]]
    for index, pause in zip(window.clips[1:], window.pauses, strict=True):
        rng = rng_for(SHUFFLE, index)
        pieces.append(HISS * rng.standard_normal(round(pause * WHISPER_RATE), dtype=np.float32))
        pieces.append(sounds[index])
    return np.concatenate(pieces)


def open_sound(window: Window, sounds: AudioCache) -> np.ndarray | None:
    """Return the samples of a window as `sound` does; None where they cannot be opened, which is counted."""
    name = sounds.clips[window.clips[0]].id
    return sounds.left_out.open(name, lambda: sound(window, sounds))


def identity(window: Window, clips: Sequence[Clip]) -> str:
    """Return what tells a window from all others, without opening a file."""
    parts = [f"{clips[i].id} {clips[i].audio.name} {clips[i].duration:.4f}" for i in window.clips]
    return "|".join([*parts, *(f"{pause:.4f}" for pause in window.pauses)])


def text(window: Window, clips: Sequence[Clip]) -> str:
    """Return its clips' transcripts, one after the other. Raises ManifestError where one has none."""
    found = []
    for clip in (clips[index] for index in window.clips):
        if clip.text is None:
            raise ManifestError(f"{clip.id} has no transcript; use --labels own, or leave its manifest out")
        found.append(clip.text)
    return " ".join(found)


def with_texts(clips: ClipIndex, left_out: LeftOut) -> ClipIndex:
    """Return the clips that have a transcript, others are counted. Raises ManifestError where none has."""
    if not clips.transcribed.any():
        raise ManifestError(f"{clips[0].id} has no transcript, nor has any other; use --labels own")
    count_missing(clips, ~clips.transcribed, "without a transcript", left_out)
    return clips.select(clips.transcribed)


def earlier_text(window: Window, clips: Sequence[Clip]) -> str | None:
    """Return what Whisper wrote for its clips when they were collected, so that it need not search again."""
    texts = [clips[index].extra.get("asr_text") for index in window.clips]
    return " ".join(map(str, texts)) if all(texts) else None

"""The sound of a manifest's clips at one rate, decoded once and kept compactly in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from multiprocessing import parent_process
from threading import Lock

import numpy as np

from data.batching import prefetch
from data.left_out import LeftOut
from data.shards.reading import read_sound
from voice.manifest import Clip

FULL_SCALE = 32767


class AudioCache:
    """`sounds[i]`: (T,) float32 samples of `clips[i]` at `rate` Hz; safe to use from threads.

    A clip is decoded when first asked for and kept as 16-bit integers, up to `memory` bytes for
    all (an hour at 24 kHz takes 173 MB); what does not fit is decoded anew each time. Either way
    the samples pass through 16 bits, so that they never depend on what was kept. Worker processes keep
    nothing: each would hold the same.

    Indexing raises AudioError where a file cannot be read. `left_out` counts what a training leaves out.
    """

    def __init__(
        self, clips: Sequence[Clip], rate: int, *, memory: float = 2e9, left_out: LeftOut | None = None
    ) -> None:
        self.clips = clips
        self.rate = rate
        self.left_out = LeftOut(len(clips)) if left_out is None else left_out
        self._free = memory
        self._kept: dict[int, np.ndarray] = {}  # index → (T,) int16
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> np.ndarray:
        coded = self._kept.get(index)
        if coded is None:
            coded = coded_16_bit(read_sound(self.clips[index], self.rate).samples)
            self._keep(index, coded)
        return coded.astype(np.float32) / FULL_SCALE

    def _keep(self, index: int, coded: np.ndarray) -> None:
        """Keep a decoded clip if there is memory left for it."""
        with self._lock:
            if index not in self._kept and coded.nbytes <= self._free and parent_process() is None:
                self._kept[index] = coded
                self._free -= coded.nbytes

    @property
    def durations(self) -> list[float]:
        """Seconds of each clip as its manifest tells, for the batches."""
        return [clip.duration for clip in self.clips]

    def load_all(self, workers: int = 2) -> Iterator[int]:
        """Decode every clip with `workers` threads; yields each index when it is done."""
        return prefetch(range(len(self)), self._load, workers, ahead=4 * workers)

    def _load(self, index: int) -> int:
        self[index]
        return index


def coded_16_bit(samples: np.ndarray) -> np.ndarray:
    """(T,) float in [-1, 1] → (T,) int16; what lies beyond is clipped."""
    return np.round(np.clip(samples, -1.0, 1.0) * FULL_SCALE).astype(np.int16)

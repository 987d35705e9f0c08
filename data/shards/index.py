"""A manifest of millions of rows in a few bytes each: where a row begins, how long it is; read when needed.

A list of `Clip` takes about a kilobyte a row. `ClipIndex` takes 23 bytes and gives the same clips by number.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from data.shards.reading import archive_of
from voice.errors import ManifestError
from voice.manifest import Clip, read_places, read_row


@dataclass(frozen=True, eq=False)
class ClipIndex(Sequence[Clip]):
    """The N clips of one or several manifests, in their order.

    `durations` are seconds; `transcribed` says which have a text; `sections` numbers the shard that each clip
    lies in, -1 where it is a file of its own.
    """

    manifests: tuple[Path, ...]
    sources: np.ndarray  # (N,) uint16, which of the manifests
    offsets: np.ndarray  # (N,) int64, bytes
    durations: np.ndarray  # (N,) float64
    transcribed: np.ndarray  # (N,) bool
    sections: np.ndarray  # (N,) int32

    @classmethod
    def read(cls, manifest: str | Path) -> ClipIndex:
        """Read a manifest once, each row checked. Raises ManifestError as `read_manifest` does."""
        path = Path(manifest)
        offsets, durations, transcribed, sections = array("q"), array("d"), array("b"), array("i")
        shard, number = None, -1
        for offset, clip in read_places(path):
            found = archive_of(clip)
            if found != shard:
                shard, number = found, number + (found is not None)
            offsets.append(offset)
            durations.append(clip.duration)
            transcribed.append(clip.text is not None)
            sections.append(-1 if found is None else number)
        return cls(
            (path.absolute(),), np.zeros(len(offsets), np.uint16), np.array(offsets), np.array(durations),
            np.array(transcribed, bool), np.array(sections),
        )  # fmt: skip

    @classmethod
    def join(cls, indexes: Iterable[ClipIndex]) -> ClipIndex:
        """Return the clips of several, one after the other."""
        several = list(indexes)
        before = np.cumsum([0, *(len(each.manifests) for each in several)])
        shards = np.cumsum([0, *(int(each.sections.max(initial=-1)) + 1 for each in several)])
        sections = [
            np.where(each.sections < 0, -1, each.sections + first)
            for each, first in zip(several, shards[:-1].tolist(), strict=True)
        ]
        sources = [each.sources + first for each, first in zip(several, before[:-1].tolist(), strict=True)]
        offsets, durations, transcribed = (
            np.concatenate([getattr(each, name) for each in several]) for name in _PLAIN
        )
        return cls(
            tuple(path for each in several for path in each.manifests),
            np.concatenate(sources).astype(np.uint16), offsets, durations, transcribed,
            np.concatenate(sections).astype(np.int32),
        )  # fmt: skip

    def select(self, numbers: np.ndarray) -> ClipIndex:
        """Return the clips of these numbers (or where a mask is true), in this order."""
        columns = (getattr(self, name)[numbers] for name in ("sources", *_PLAIN, "sections"))
        return ClipIndex(self.manifests, *columns)

    def __len__(self) -> int:
        return len(self.offsets)

    @overload
    def __getitem__(self, number: int) -> Clip: ...
    @overload
    def __getitem__(self, number: slice) -> ClipIndex: ...
    def __getitem__(self, number: int | slice) -> Clip | ClipIndex:
        """Return a clip, its row read now. Raises ManifestError where the manifest has changed meanwhile."""
        if isinstance(number, slice):
            return self.select(np.arange(len(self))[number])
        path = self.manifests[int(self.sources[number])]
        clip = read_row(path, int(self.offsets[number]))
        if clip.duration != self.durations[number]:
            raise ManifestError(f"{path} has changed since it was opened; start again")
        return clip


_PLAIN = ("offsets", "durations", "transcribed")

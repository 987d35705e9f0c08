"""Manifests divided anew into train, dev and test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from data.splitting import SPLITS, Apart, Key, Keys, Plan, plan_splits, sentence_key
from voice.errors import ManifestError
from voice.manifest import Clip, RowError, read_rows, write_manifest


def split_manifests(
    manifests: Sequence[Path], out: Path, apart: Apart, share: float
) -> tuple[Plan, dict[str, int]]:
    """Write train, dev and test of all rows of some manifests; return the plan and how many rows each has.

    Raises ManifestError for a wrong row, or where a manifest would be overwritten by a part of it.
    """
    targets = {split: out / f"{split}.jsonl" for split in SPLITS}
    same = {path.resolve() for path in manifests} & {path.resolve() for path in targets.values()}
    if same:
        raise ManifestError(f"{next(iter(same))} would be overwritten by a part of it; name another folder")
    keys = Keys()
    for clip in _clips(manifests):
        keys.append(Key(clip.speaker, sentence_key(clip.text, clip.id), clip.duration))
    plan = plan_splits(keys, apart, share)
    counts = Counter(split for split in plan.splits if split)
    for split, path in targets.items():
        if counts[split]:
            chosen = (clip for clip, own in zip(_clips(manifests), plan.splits, strict=True) if own == split)
            write_manifest(path, chosen)
    return plan, {split: counts[split] for split in SPLITS if counts[split]}


def _clips(manifests: Sequence[Path]) -> Iterator[Clip]:
    for path in manifests:
        for _, row in read_rows(path):
            if isinstance(row, RowError):
                raise row
            yield row

"""Manifests divided anew into train, dev and test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from data.splitting import SPLITS, Apart, Key, Keys, Plan, plan_splits, sentence_key
from voice.errors import ManifestError
from voice.manifest import Clip, RowError, read_rows, set_aside, write_manifest


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
    if not keys:
        raise ManifestError(f"{', '.join(map(str, manifests))}: there is no row to divide")
    plan = plan_splits(keys, apart, share)
    counts = Counter(split for split in plan.splits if split)
    for split, path in targets.items():
        if counts[split]:
            chosen = (clip for clip, own in zip(_clips(manifests), plan.splits, strict=True) if own == split)
            write_manifest(path, chosen)
    plan = replace(plan, remarks=(*plan.remarks, *set_aside_others(out, counts)))
    return plan, {split: counts[split] for split in SPLITS if counts[split]}


def set_aside_others(folder: Path, written: Container[str]) -> Iterator[str]:
    """Set aside the lists of splits that were not written now, and say so: their rows may be in others."""
    for split in SPLITS:
        path = folder / f"{split}.jsonl"
        if split not in written and path.exists():
            yield f"{path} is of an earlier run; it is {set_aside(path).name} now"


def _clips(manifests: Sequence[Path]) -> Iterator[Clip]:
    for path in manifests:
        for _, row in read_rows(path):
            if isinstance(row, RowError):
                raise row
            yield row

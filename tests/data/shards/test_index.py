"""The compact index gives the clips of a manifest, whatever is chosen of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from data.shards.index import ClipIndex
from voice.errors import ManifestError
from voice.manifest import read_manifest

TINY = Path(__file__).parents[3] / "data" / "tiny"


def test_clips_are_those_of_the_manifest():
    index, clips = ClipIndex.read(TINY / "train.jsonl"), read_manifest(TINY / "train.jsonl")
    assert list(index) == clips and index[3:5][1] == clips[4]
    assert index.durations.tolist() == [clip.duration for clip in clips]
    assert index.transcribed.all() and (index.sections == -1).all()


def test_several_are_joined_and_some_are_chosen():
    train, dev = (ClipIndex.read(TINY / f"{name}.jsonl") for name in ("train", "dev"))
    both = ClipIndex.join([train, dev])
    assert list(both) == [*train, *dev]
    short = both.select(both.durations < 2)
    assert [clip.id for clip in short] == [clip.id for clip in both if clip.duration < 2]
    assert both.select(np.array([21, 0]))[0] == dev[1]


def test_an_index_takes_a_few_bytes_a_row(tmp_path):
    line = (TINY / "dev.jsonl").read_text("utf-8").split("\n")[0]
    (tmp_path / "many.jsonl").write_text(f"{line}\n" * 1000)
    index = ClipIndex.read(tmp_path / "many.jsonl")
    arrays = (index.sources, index.offsets, index.durations, index.transcribed, index.sections)
    assert sum(each.nbytes for each in arrays) <= 24 * 1000
    assert index[999].id == index[0].id


def test_shards_are_numbered_in_the_order_of_the_rows(tmp_path):
    rows = [("a.tar/1.flac", 0), ("a.tar/2.flac", 512), ("b.tar/3.flac", 0), ("c.flac", None)]
    lines = [
        json.dumps(
            {"audio": name, "duration": 1, "id": name} | ({"shard_offset": at} if at is not None else {})
        )
        for name, at in rows
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(lines))
    index = ClipIndex.read(tmp_path / "m.jsonl")
    assert index.sections.tolist() == [0, 0, 1, -1]
    assert ClipIndex.join([index, index]).sections.tolist() == [0, 0, 1, -1, 2, 2, 3, -1]


def test_a_wrong_row_is_named_when_the_index_is_made(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"audio": "a", "duration": 1, "id": "a"}\n{"audio": "b"}\n')
    with pytest.raises(ManifestError, match="m.jsonl:2 has no"):
        ClipIndex.read(tmp_path / "m.jsonl")


def test_a_manifest_that_changes_meanwhile_is_noticed(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text('{"audio": "a", "duration": 1.5, "id": "a"}\n')
    index = ClipIndex.read(path)
    path.write_text('{"audio": "a", "duration": 2.5, "id": "a"}\n')
    with pytest.raises(ManifestError, match="has changed"):
        index[0]

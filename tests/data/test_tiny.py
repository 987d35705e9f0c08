from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.checks.check import check
from data.loading import AudioCache
from voice.manifest import read_manifest

TINY = Path(__file__).resolve().parents[2] / "data" / "tiny"


def test_tiny_is_a_minute_in_under_half_a_megabyte():
    clips = [clip for split in ("train", "dev") for clip in read_manifest(TINY / f"{split}.jsonl")]
    assert sum(clip.duration for clip in clips) == pytest.approx(60, abs=6)
    assert sum(clip.audio.stat().st_size for clip in clips) < 500_000


@pytest.mark.parametrize("split", ["train", "dev"])
def test_the_tiny_manifests_have_no_problems_and_name_the_teacher(split):
    assert check(TINY / f"{split}.jsonl").of("error") == 0
    assert all(clip.extra["source"] == "heart" for clip in read_manifest(TINY / f"{split}.jsonl"))


def test_the_written_words_are_timed_within_their_clip():
    for clip in read_manifest(TINY / "train.jsonl"):
        words, starts, ends = zip(*clip.extra["words"], strict=True)
        assert list(words) == clip.text.split()
        assert list(starts) == sorted(starts) and max(ends) <= clip.duration


def test_no_text_is_in_both_splits():
    train, dev = (read_manifest(TINY / f"{split}.jsonl") for split in ("train", "dev"))
    assert not {clip.text for clip in train} & {clip.text for clip in dev}


def test_making_it_twice_gives_the_same_speech(tmp_path, monkeypatch):
    from data.tiny import make

    monkeypatch.setattr(make, "TRAIN", make.TRAIN[:2])
    monkeypatch.setattr(make, "DEV", make.DEV[:1])
    made = []
    for name in ("once", "twice"):
        monkeypatch.setattr(make, "FOLDER", tmp_path / name)
        make.main()
        assert check(tmp_path / name / "dev.jsonl").of("error") == 0
        made.append(read_manifest(tmp_path / name / "train.jsonl"))
    assert [clip.text for clip in made[0]] == [clip.text for clip in read_manifest(TINY / "train.jsonl")][:2]
    for once, twice in zip(*(AudioCache(clips, 24000) for clips in made), strict=True):
        np.testing.assert_array_equal(once, twice)

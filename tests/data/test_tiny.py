from __future__ import annotations

from pathlib import Path

import pytest

from data.loading import Sounds
from voice.manifest import check, read_manifest

TINY = Path(__file__).resolve().parents[2] / "data" / "tiny"


def test_tiny_is_a_minute_in_under_half_a_megabyte():
    clips = [clip for split in ("train", "dev") for clip in read_manifest(TINY / f"{split}.jsonl")]
    assert sum(clip.duration for clip in clips) == pytest.approx(60, abs=6)
    assert sum(clip.audio.stat().st_size for clip in clips) < 500_000


@pytest.mark.parametrize("split", ["train", "dev"])
def test_the_tiny_manifests_have_no_problems_and_name_the_teacher(split):
    assert check(TINY / f"{split}.jsonl").problems == ()
    assert all(clip.extra["source"] == "heart" for clip in read_manifest(TINY / f"{split}.jsonl"))


def test_the_written_words_are_timed_within_their_clip():
    for clip in read_manifest(TINY / "train.jsonl"):
        words, starts, ends = zip(*clip.extra["words"])
        assert " ".join(words) == clip.text
        assert list(starts) == sorted(starts) and max(ends) <= clip.duration


def test_no_text_is_in_both_splits():
    train, dev = (read_manifest(TINY / f"{split}.jsonl") for split in ("train", "dev"))
    assert not {clip.text for clip in train} & {clip.text for clip in dev}


def test_making_it_again_gives_the_same_speech(tmp_path, monkeypatch):
    from data.tiny import make

    monkeypatch.setattr(make, "FOLDER", tmp_path)
    monkeypatch.setattr(make, "TRAIN", make.TRAIN[:2])
    monkeypatch.setattr(make, "DEV", make.DEV[:1])
    make.main()
    for split, count in (("train", 2), ("dev", 1)):
        kept, made = read_manifest(TINY / f"{split}.jsonl"), read_manifest(tmp_path / f"{split}.jsonl")
        assert [clip.duration for clip in made] == [clip.duration for clip in kept[:count]]
        for old, new in zip(Sounds(kept, 24000), Sounds(made, 24000)):
            assert abs(old - new).max() < 0.05

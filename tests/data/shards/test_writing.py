"""Shards hold what the manifest holds; what is made is not made again, and what is broken is named."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from data.loading import AudioCache
from data.shards.index import ClipIndex
from data.shards.reading import read_sound
from data.shards.writing import MANIFEST, write_shards
from voice.errors import AudioError, ManifestError, VoiceError
from voice.manifest import read_manifest

TINY = Path(__file__).parents[3] / "data" / "tiny" / "train.jsonl"


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("shards")
    made = write_shards(TINY, out, minutes=0.25)
    assert made.clips == 20 and made.shards >= 3 and not made.left_out
    return out


def test_every_recording_is_in_a_shard_once_and_sounds_the_same(shards):
    plain = {clip.id: clip for clip in read_manifest(TINY)}
    sharded = read_manifest(shards / MANIFEST)
    assert sorted(clip.id for clip in sharded) == sorted(plain)
    for clip in sharded:
        before = plain[clip.id]
        assert (clip.text, clip.duration, clip.speaker) == (before.text, before.duration, before.speaker)
        np.testing.assert_array_equal(read_sound(clip, 16_000).samples, read_sound(before, 16_000).samples)


def test_the_cache_reads_shards(shards):
    clips = ClipIndex.read(shards / MANIFEST)
    assert len(set(clips.sections.tolist())) >= 3
    assert len(AudioCache(clips, 16_000)[7]) == pytest.approx(clips.durations[7] * 16_000, abs=800)


def test_the_layout_is_that_of_webdataset(shards):
    """Each recording is followed by its row, under one key without dots."""
    with tarfile.open(shards / "shard-000000.tar") as archive:
        names = archive.getnames()
        row = json.load(archive.extractfile(names[1]))
    assert [Path(name).stem for name in names[::2]] == [Path(name).stem for name in names[1::2]]
    assert {Path(name).suffix for name in names} == {".opus", ".json"}
    assert row["audio"] == f"shard-000000.tar/{names[0]}"


def test_called_again_it_makes_what_is_missing_and_nothing_of_another_kind(shards):
    times = {path.name: path.stat().st_mtime_ns for path in shards.glob("*.tar")}
    before = (shards / MANIFEST).read_bytes()
    (shards / "shard-000001.tar").unlink()
    write_shards(TINY, shards, minutes=0.25)
    after = {path.name: path.stat().st_mtime_ns for path in shards.glob("*.tar")}
    assert {name for name in times if times[name] != after[name]} == {"shard-000001.tar"}
    assert (shards / MANIFEST).read_bytes() == before
    with pytest.raises(VoiceError, match="another manifest, rate or length"):
        write_shards(TINY, shards, minutes=2)


def test_with_a_rate_recordings_become_flac(tmp_path):
    write_shards(TINY.with_name("dev.jsonl"), tmp_path, rate=16_000)
    clips = read_manifest(tmp_path / MANIFEST)
    assert {clip.audio.suffix for clip in clips} == {".flac"} and clips[0].sample_rate == 16_000
    assert all(abs(read_sound(clip).duration - clip.duration) < 0.05 for clip in clips)


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path):
    good = read_manifest(TINY)[0].audio
    (tmp_path / "bad.wav").write_text("no sound")
    rows = [{"audio": str(good), "duration": 1.5, "id": "good"}]
    rows += [{"audio": name, "duration": 1, "id": name} for name in ("bad.wav", "missing.wav")]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for _ in range(2):  # a second call remembers
        made = write_shards(manifest, tmp_path / "out")
        assert made.clips == 1 and sorted(name for name, _ in made.left_out) == ["bad.wav", "missing.wav"]
    manifest.write_text(json.dumps(rows[1]))
    with pytest.raises(ManifestError, match="none of 1 recordings"):
        write_shards(manifest, tmp_path / "none")


def test_a_shard_that_is_cut_short_or_gone_is_an_error_that_names_it(shards, tmp_path):
    write_shards(TINY, tmp_path, minutes=60)
    path = tmp_path / "shard-000000.tar"
    path.write_bytes(path.read_bytes()[:4000])
    clips = read_manifest(tmp_path / MANIFEST)
    with pytest.raises(AudioError, match="shard-000000.tar is cut short"):
        read_sound(clips[-1])
    path.unlink()
    with pytest.raises(AudioError, match="shard-000000.tar cannot be read"):
        read_sound(clips[0])
    (tmp_path / "m.jsonl").write_text('{"audio": "a.tar/b", "duration": 1, "id": "b", "shard_offset": "x"}')
    with pytest.raises(AudioError, match="no place in a file"):
        read_sound(read_manifest(tmp_path / "m.jsonl")[0])

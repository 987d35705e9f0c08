from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.preparing import Fault, Row, finish, measure
from voice.errors import AudioError, ManifestError
from voice.manifest import read_manifest

RATE = 8000


def record(path: Path, seconds: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(round(seconds * RATE), 0.1), RATE)
    return path


def rows(folder: Path, count: int) -> list[Row]:
    audio = [record(folder / f"{number}.wav", 0.1 + 0.01 * number) for number in range(count)]
    return [Row(f"clip-{number}", path, f"sentence {number}") for number, path in enumerate(audio)]


def test_durations_and_rates_come_from_the_files(tmp_path):
    clips = finish(rows(tmp_path, 3), tmp_path / "all.jsonl")
    assert [clip.duration for clip in clips] == pytest.approx([0.1, 0.11, 0.12])
    assert {clip.sample_rate for clip in clips} == {RATE}
    assert read_manifest(tmp_path / "all.jsonl") == clips


def test_what_cannot_be_used_is_reported_and_the_rest_is_kept(tmp_path, caplog):
    (tmp_path / "broken.wav").write_text("not sound")
    soundfile.write(tmp_path / "none.wav", np.zeros(0), RATE)
    bad = [
        Row("missing", tmp_path / "missing.wav", "hello"),
        Row("broken", tmp_path / "broken.wav", "hello"),
        Row("none", tmp_path / "none.wav", "hello"),
        Row("clip-0", record(tmp_path / "again.wav"), "hello"),
        Row("untold", record(tmp_path / "untold.wav"), "  "),
        Fault("row 7", "two fields"),
    ]
    with caplog.at_level(logging.WARNING):
        clips = finish([*rows(tmp_path, 2), *bad], tmp_path / "out")
    assert [clip.id for clip in clips] == ["clip-0", "clip-1"]
    for name in ("missing", "broken", "none", "clip-0", "untold", "row 7"):
        assert f"skipped {name}: " in caplog.text


def test_many_faults_are_counted_not_listed(tmp_path, caplog):
    faults = [Fault(f"row {i}", "wrong") for i in range(50)]
    finish([*rows(tmp_path, 1), *faults], tmp_path / "out.jsonl")
    assert len(caplog.records) == 21 and "skipped 30 more" in caplog.text


def test_nothing_usable_is_an_error_and_writes_nothing(tmp_path):
    with pytest.raises(ManifestError, match="no recording"):
        finish([Fault("row 1", "wrong")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_published_splits_are_kept(tmp_path):
    splits = {0: "train", 1: "test", 2: "train"}
    given = [Row(r.id, r.audio, r.text, split=splits[i]) for i, r in enumerate(rows(tmp_path, 3))]
    finish(given, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["test.jsonl", "train.jsonl"]
    assert [clip.id for clip in read_manifest(tmp_path / "out" / "train.jsonl")] == ["clip-0", "clip-2"]


def test_without_splits_a_sentence_is_held_out_for_every_speaker(tmp_path):
    audio = record(tmp_path / "a.wav")
    both = [Row(f"{who}-{i}", audio, f"Sentence {i}.", who) for who in ("ann", "bob") for i in range(40)]
    finish(both, tmp_path / "out")
    split = {name: read_manifest(tmp_path / "out" / f"{name}.jsonl") for name in ("train", "dev", "test")}
    texts = {name: {clip.text for clip in clips} for name, clips in split.items()}
    assert (len(split["dev"]), len(split["test"])) == (4, 4)
    assert not texts["train"] & texts["dev"] and not texts["dev"] & texts["test"]
    assert {clip.speaker for clip in split["dev"]} == {"ann", "bob"}


def test_the_split_does_not_depend_on_the_order_of_the_rows(tmp_path):
    given = rows(tmp_path, 30)
    finish(given, tmp_path / "one")
    finish(given[::-1], tmp_path / "two")
    ids = [{clip.id for clip in read_manifest(tmp_path / out / "dev.jsonl")} for out in ("one", "two")]
    assert ids[0] == ids[1]


def test_measuring_reads_what_only_ffmpeg_knows(tmp_path):
    from voice import audio
    from voice.types import Audio

    audio.write(tmp_path / "speech.m4a", Audio(np.full(24000, 0.1, np.float32), 24000))
    seconds, rate = measure(tmp_path / "speech.m4a")
    assert seconds == pytest.approx(1.0, abs=0.1) and rate == 24000


def test_a_directory_is_not_a_recording(tmp_path):
    with pytest.raises(AudioError, match="missing"):
        measure(tmp_path)


def test_the_command_line_prints_the_sum_and_fails_plainly(tmp_path):
    record(tmp_path / "in" / "hello.wav", 1.0).with_suffix(".txt").write_text("Hello.")
    done = run(tmp_path / "in", tmp_path / "out.jsonl")
    assert done.returncode == 0 and done.stdout.startswith("1 clips, 0.00 hours")
    lost = run(tmp_path / "nowhere", tmp_path / "out")
    assert lost.returncode == 1 and "Traceback" not in lost.stderr
    assert "nowhere does not exist" in lost.stderr


def run(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "data.folder", str(source), str(out)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)

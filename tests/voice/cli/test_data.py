"""`voice data`."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.cli import RATE, run

from voice.manifest import Clip, read_manifest, write_manifest


def test_checks_a_manifest_and_says_so_in_its_status(recording, tmp_path):
    good = Clip(audio=recording, text="Hum.", duration=2.0, speaker=None, id="two", sample_rate=RATE)
    write_manifest(tmp_path / "good.jsonl", [good])
    write_manifest(tmp_path / "bad.jsonl", [good, good])
    done = run("data", "check", tmp_path / "good.jsonl")
    assert done.exit_code == 0 and "1 recording, 0.0 minutes, no problems" in done.stderr
    done = run("data", "check", tmp_path / "bad.jsonl")
    assert done.exit_code == 1
    assert done.stdout == "line 2: two: the id occurs more than once; --fix numbers it\n"
    done = run("data", "check", "--fix", tmp_path / "bad.jsonl")
    assert done.exit_code == 0 and "1 row mended, 0 rejected; the old list is" in done.stderr
    assert [clip.id for clip in read_manifest(tmp_path / "bad.jsonl")] == ["two", "two-2"]
    assert len(read_manifest(tmp_path / "bad.jsonl.before")) == 2


@pytest.mark.parametrize("command", ["check", "stats"])
@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("empty.jsonl", "empty.jsonl is empty; list recordings in it"),
        ("none.jsonl", "none.jsonl does not exist; check the path"),
        ("folder", "folder holds no train.jsonl; make it with `voice data prepare`"),
    ],
)
def test_what_is_no_manifest_is_said_in_a_line(tmp_path, monkeypatch, command, name, complaint):
    monkeypatch.chdir(tmp_path)
    Path("empty.jsonl").write_text("\n")
    Path("folder").mkdir()
    done = run("data", command, name)
    assert done.exit_code == 1 and done.stderr.startswith(f"error: {complaint}")
    assert done.stdout == "" and done.stderr.count("\n") == 1


def test_prepares_checks_and_shows_a_folder(recording, tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"{number}.wav").write_bytes(recording.read_bytes())
        (tmp_path / "in" / f"{number}.txt").write_text(f"This is sentence number {'x' * number}.")
    (tmp_path / "in" / "3.wav").write_bytes(b"")
    done = run("data", "prepare", tmp_path / "in", "-o", tmp_path / "my", "--no-listen")
    assert done.exit_code == 0 and f"{tmp_path}/my/train.jsonl: 1 recording\n" in done.stdout
    assert "dropped 1: 1 × no sound; each with its reason is in" in done.stderr
    done = run("data", "check", tmp_path / "my")
    assert done.exit_code == 0 and done.stderr.count("no problems") == 3
    done = run("data", "stats", tmp_path / "my", "--picture", tmp_path / "my.png")
    assert done.exit_code == 0 and (tmp_path / "my.png").stat().st_size > 10_000
    assert "English phonemes" in done.stdout and "bandwidth" in done.stdout
    done = run("data", "split", tmp_path / "my", "-o", tmp_path / "new", "--apart", "sentences")
    assert done.exit_code == 0 and done.stdout.count("1 recording\n") == 3


def test_a_source_of_no_form_is_said_in_a_line(tmp_path):
    done = run("data", "prepare", tmp_path, "-o", tmp_path / "out")
    assert done.exit_code == 1 and "holds no recordings that can be told" in done.stderr

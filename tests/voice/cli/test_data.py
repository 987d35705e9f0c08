"""`voice data check`."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.cli import RATE, run

from voice.manifest import Clip, write_manifest


def test_checks_a_manifest_and_says_so_in_its_status(recording, tmp_path):
    good = Clip(audio=recording, text="Hum.", duration=2.0, speaker=None, id="two", sample_rate=RATE)
    write_manifest(tmp_path / "good.jsonl", [good])
    write_manifest(tmp_path / "bad.jsonl", [good, good])
    done = run("data", "check", tmp_path / "good.jsonl")
    assert done.exit_code == 0 and "1 recording, 0.0 minutes, no problems" in done.stderr
    done = run("data", "check", tmp_path / "bad.jsonl")
    assert done.exit_code == 1 and done.stdout == "two: the id occurs more than once\n"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("empty.jsonl", "empty.jsonl is empty; list recordings in it"),
        ("none.jsonl", "none.jsonl does not exist; check the path"),
        ("folder", "folder cannot be read (Is a directory); name a list of recordings"),
    ],
)
def test_what_is_no_manifest_is_said_in_a_line(tmp_path, monkeypatch, name, complaint):
    monkeypatch.chdir(tmp_path)
    Path("empty.jsonl").write_text("\n")
    Path("folder").mkdir()
    done = run("data", "check", name)
    assert done.exit_code == 1 and done.stderr.startswith(f"error: {complaint}")
    assert done.stdout == "" and done.stderr.count("\n") == 1

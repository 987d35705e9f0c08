from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from voice import audio, places
from voice.cli.targets import write_text
from voice.errors import ModelMissing
from voice.models import lookup
from voice.places import expand_home, partial_path, remove_leftovers, unfinished_path
from voice.types import Audio

LONGEST = 255  # bytes of a file's name


@pytest.mark.parametrize("letter", ["a", "é", "語"])
def test_whatever_name_fits_can_be_written_by_way_of_its_partial(tmp_path: Path, letter: str) -> None:
    for ending in (".wav", ".txt"):
        path = tmp_path / (letter * ((LONGEST - 4) // len(letter.encode())) + ending)
        if ending == ".txt":
            write_text(path, "words")
        else:
            audio.write(path, Audio(np.zeros(1600, np.float32), 16_000))
        assert path.stat().st_size
    assert len(list(tmp_path.iterdir())) == 2


def test_a_partial_is_hidden_beside_its_file_and_its_own() -> None:
    one, other = (Path("folder") / ("a" * 245 + end) for end in ("b.wav", "c.wav"))
    assert partial_path(one) != partial_path(other)
    assert partial_path(one).parent == one.parent and partial_path(one).name.startswith(".")
    assert partial_path(Path("x.wav")).name.startswith(".x.wav.")


def test_names_of_files_that_are_whole_are_forgotten(tmp_path: Path) -> None:
    before = {*places._partials}
    write_text(tmp_path / "a.txt", "words")
    audio.write(tmp_path / "a.wav", Audio(np.zeros(1600, np.float32), 16_000))
    assert places._partials <= before  # a server writes files for months


@pytest.mark.parametrize(
    ("name", "kept"), [("a.srt", "a.partial.srt"), ("a.b.wav", "a.b.partial.wav"), ("a", "a.partial")]
)
def test_what_is_unfinished_has_the_name_of_the_whole_with_a_word_in_it(name: str, kept: str) -> None:
    assert unfinished_path(Path("out", name)) == Path("out", kept)


def test_the_name_of_what_is_unfinished_fits_too() -> None:
    name = unfinished_path(Path("語" * 83 + ".srt")).name
    assert len(name.encode()) <= LONGEST and name.endswith(".partial.srt")


def test_only_leftovers_of_dead_processes_beside_the_same_names_are_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone = [f".[ab]*.txt.{dead.pid}.partial", f".two\nlines.txt.{dead.pid}.partial"]
    stay = [
        f".a.txt.{dead.pid}.partial",
        f".[ab]*.txt.{os.getpid()}.partial",
        ".[ab]*.txt.x.partial",
        "[ab]*.txt",
    ]
    for name in gone + stay:
        (tmp_path / name).touch()
    remove_leftovers([tmp_path / "[ab]*.txt", tmp_path / "two\nlines.txt", tmp_path / "none" / "x.txt"])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(stay)


def test_a_home_that_nobody_has_is_a_path_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert expand_home("~/notes.md") == Path("/home/anna/notes.md")
    assert expand_home("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")
    with pytest.raises(ModelMissing):
        lookup.find("~nobody-of-that-name/x")

"""CONTRIBUTING.md names paths, commands and targets that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
TEXT = (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8")
OF_OTHERS = {"NAME", "my_skills", "model.toml"}  # what the reader makes


def named_paths() -> list[str]:
    """What stands as code or as a link and looks like a path of this repository."""
    found = re.findall(r"(?<!`)`([^`\s]+)`", TEXT) + re.findall(r"\]\(([^):#\s]+)\)", TEXT)
    found += re.findall(r"\btests/[\w/]+(?:\.py)?", TEXT)
    paths = {each for each in found if re.fullmatch(r"[\w./-]+", each) and ("/" in each or "." in each)}
    rooms = {each for each in paths if "/" in each.rstrip("/") or (CHECKOUT / each).suffix}
    return sorted(each for each in rooms if not any(name in each for name in OF_OTHERS))


@pytest.mark.parametrize("path", named_paths())
def test_each_path_exists(path):
    assert (CHECKOUT / path).exists()


def test_there_are_paths_to_look_at():
    assert len(named_paths()) > 40


def test_the_targets_of_make_exist():
    rules = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text("utf-8"), re.M))
    assert set(re.findall(r"`make ([a-z]+)", TEXT)) <= rules


def test_each_room_of_the_table_is_a_folder_or_a_module():
    rows = re.findall(r"^\| (`[^|]+) \|", TEXT.split("## Where things are")[1].split("##")[0], re.M)
    assert len(rows) > 12


def test_every_room_of_the_library_is_named():
    rooms = [path for path in (CHECKOUT / "voice").iterdir() if (path / "__init__.py").exists()]
    assert not [room.name for room in rooms if f"`voice/{room.name}/`" not in TEXT]


def test_each_new_thing_has_its_steps():
    for kind in ("a skill", "a corpus", "a voice", "a recognizer", "a language"):
        section = re.search(rf"## Add {kind}.*?(?=^## )", TEXT, re.M | re.S)
        assert section and re.search(r"^1\. ", section[0], re.M)

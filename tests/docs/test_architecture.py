"""What docs/architecture.md names is there, and its walks stay short enough to be read."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
LONGEST = 15  # stations of a walk
STATION = re.compile(r"`([\w/]+\.(?:py|js)):([\w.]+)`")
FOUR_WALKS = PAGE.split("\n## Four walks\n")[1].split("\n## ")[0]
WALKS = re.findall(r"^### (.+?)\n(.*?)(?=^#|\Z)", FOUR_WALKS, re.DOTALL | re.MULTILINE)


def defined_names(path: Path) -> set[str]:
    """Return the names of functions, classes and methods (`Class.method`) that a Python file defines."""
    found: set[str] = set()

    def visit(nodes: list[ast.stmt], holder: str) -> None:
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(holder + node.name)
                visit(node.body, f"{holder}{node.name}.")

    visit(ast.parse(path.read_text("utf-8")).body, "")
    return found


def test_there_are_four_walks() -> None:
    assert len(WALKS) == 4


@pytest.mark.parametrize(("title", "walk"), WALKS, ids=[title for title, _ in WALKS])
def test_a_walk_is_short_and_its_stations_are_there(title: str, walk: str) -> None:
    stations = STATION.findall(walk)
    assert 5 <= len(stations)
    assert len(re.findall(r"^\d+\. ", walk, re.MULTILINE)) <= LONGEST
    for file, name in stations:
        path = ROOT / file
        assert path.is_file(), f"{title}: {file} is not there"
        if path.suffix == ".py":
            assert name in defined_names(path), f"{title}: {file} has no {name}"
        else:
            assert re.search(rf"\b{re.escape(name.split('.')[-1])}\b", path.read_text("utf-8"))


def test_every_place_that_is_named_is_there() -> None:
    for file, name in STATION.findall(PAGE):
        if file.endswith(".py"):
            assert name in defined_names(ROOT / file), f"{file} has no {name}"
    for path in re.findall(r"`((?:voice|page|recipes|tests|data)/[\w/.]+)`", PAGE):
        assert (ROOT / path).exists(), f"{path} is not there"


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    asked = [each for group in groups for each in group]
    names = {re.match(r"[\w.-]+", each)[0] for each in asked} - {"voice"}
    section = PAGE.split("## Dependencies")[1]
    missing = {name for name in names if f"`{name}`" not in section}
    assert not missing


def test_every_room_is_named() -> None:
    rooms = [path.parent.relative_to(ROOT) for path in (ROOT / "voice").rglob("__init__.py")]
    section = PAGE.split("## The rooms")[1].split("\n## ")[0]
    for room in rooms:
        assert f"{room.name}/" in section, f"{room} is not in the table of rooms"

"""A release has one version: in pyproject.toml, in the library, on top of the changes, and on its tag."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import voice

CHECKOUT = Path(__file__).resolve().parents[1]


def declared_version() -> str:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def latest(changes: str) -> str:
    """The version of the first section of a list of changes."""
    return re.search(r"^## \[?(\d+\.\d+\.\d+)\]?", changes, re.M)[1]


def tags() -> list[str]:
    """The tags of the commit that is checked out; none where this is no repository."""
    asked = ["git", "tag", "--points-at", "HEAD"]
    done = subprocess.run(asked, cwd=CHECKOUT, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


def test_the_library_says_the_version_that_is_installed():
    assert voice.__version__ == declared_version()


def test_the_changes_begin_with_this_version():
    assert latest((CHECKOUT / "CHANGELOG.md").read_text("utf-8")) == declared_version()


def test_a_tag_of_a_version_is_this_one():
    versions = [tag for tag in tags() if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
    if not versions:
        pytest.skip("this commit is no release")
    assert versions == [f"v{declared_version()}"]


def test_the_first_section_counts():
    assert latest("# Changes\n\n## 0.2.0 (unreleased)\n\n## 0.1.0\n") == "0.2.0"
    assert latest("# Changes\n\n## [1.10.3] - 2026-01-01\n") == "1.10.3"

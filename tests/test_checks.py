"""What is checked is the same by hand, before a commit and in continuous integration."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[1]


def recipe(target: str) -> str:
    """The commands of a target of the Makefile."""
    rules = (CHECKOUT / "Makefile").read_text("utf-8")
    return re.search(rf"^{target}:.*\n((?:\t.*\n)+)", rules, re.M)[1]


def tools(commands: str) -> set[str]:
    """The programs of the environment that commands call, ruff with what it is to do."""
    return set(re.findall(r"(?:\$\(BIN\)|\.venv/bin)/(ruff \w+|\w+)", commands))


def test_a_commit_is_checked_as_by_hand():
    hooks = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    by_hand = tools(recipe("check"))
    assert tools("\n".join(hook["entry"] for hook in hooks)) == by_hand
    assert {"ruff check", "ruff format", "mypy", "mkdocs"} <= by_hand


def test_continuous_integration_checks_before_it_tests():
    script = (CHECKOUT / ".ci" / "run").read_text("utf-8")
    assert re.findall(r"^make (\w+)", script, re.M) == ["check", "test"]

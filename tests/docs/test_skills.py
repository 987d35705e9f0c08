"""The Python examples of docs/skills.md, run as they are written, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

from voice.agent import load_skills
from voice.agent.brains.tools import tool_schemas

PAGE = Path(__file__).resolve().parents[2] / "docs" / "skills.md"
NAMED = re.compile(r"# (\w+\.py)\n")


def test_the_examples_of_the_page_on_skills_run(tmp_path, monkeypatch):
    """An example that begins with the name of a file is that file."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 4
    for number, block in enumerate(blocks, 1):
        if named := NAMED.match(block):
            (tmp_path / named[1]).write_text(block, "utf-8")
        else:
            exec(compile(block, f"{PAGE.name}, example {number}", "exec"), names)
    skills = load_skills("my_skills.py")
    assert [each["function"]["name"] for each in tool_schemas(skills)] == ["stock", "light"]

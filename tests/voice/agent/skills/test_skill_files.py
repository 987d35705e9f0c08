from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from voice.agent import Context, Timers, load_skills
from voice.agent.skills.registry import answer
from voice.errors import VoiceError

NOW = datetime(2026, 11, 22, 15, 5)
OWN = '''
from voice.agent import Context, skill

@skill("[turn, switch] $state the (kitchen) light", "light $state")
def light(state: str) -> str | None:
    """Switch the light."""
    return f"The light is {state}." if state in ("on", "off") else None

@skill("add $count to the list")
def add(count: int, context: Context) -> str:
    """Count."""
    return f"{count + 1}"
'''


def test_a_user_adds_a_skill_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    skills = load_skills(tmp_path / "own.py")
    assert [each.name for each in skills] == ["light", "add"]
    context = Context(NOW, Timers())
    assert answer("Please turn on the light.", skills, context) == "The light is on."
    assert answer("Turn blue the light.", skills, context) is None
    assert answer("Add twenty-one to the list", skills, context) == "22"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("", "holds no skills"),
        ("1/0", "does not run"),
        (
            "from voice.agent import skill\n@skill('a (b')\ndef f() -> str:\n    'x'",
            "column 3: .* is not closed.* \\(in 'a \\(b'\\)",
        ),
        ("from voice.agent import skill\n@skill('a $b')\ndef f() -> str:\n    'x'", "slot"),
        ("from voice.agent import skill\n@skill('a')\ndef f() -> str:\n    pass", "docstring"),
        ("x = 1\n\ny = x / 0", "own.py, line 3: the file does not run: ZeroDivisionError"),
        ("x = 1\ndef f(:\n    pass", "own.py, line 2: the file does not run: SyntaxError"),
        ("import nothing_of_that_name", "line 1: .*No module named"),
        ("from voice.agent import skill\n@skill('a')\ndef f(x) -> str:\n    'x'", "line 2.*x has no type"),
        (
            "from voice.agent import skill\n@skill('a')\ndef f(x: dict) -> str:\n    'x'",
            "nothing reads x: dict",
        ),
        ("from voice.agent import skill\n@skill('a')\ndef f(*x: str) -> str:\n    'x'", "cannot be"),
        ("from voice.agent import skill\n@skill\ndef f() -> str:\n    'x'", "line 2: f: write @skill()"),
        ("from voice.agent import skill\n@skill('a', efect=True)\ndef f() -> str:\n    'x'", "line 2.*efect"),
    ],
)
def test_a_wrong_file_of_skills_is_explained(tmp_path: Path, source: str, complaint: str) -> None:
    (tmp_path / "own.py").write_text(source)
    with pytest.raises(VoiceError, match=complaint):
        load_skills(tmp_path / "own.py")

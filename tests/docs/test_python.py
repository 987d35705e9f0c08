"""The Python examples of the pages on the library and the agent, run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import voice

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "recording", "text"),
    [
        ("python.md", "talk.wav", "We will meet at the harbor on Thursday, and then take the boat."),
        ("agent.md", "question.wav", "What is twelve times nine?"),
    ],
)
def test_the_examples_of_a_page_run(
    page: str, recording: str, text: str, whisper_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    voice.write(recording, voice.speak(text).audio)
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3
    names: dict[str, object] = {"__name__": "page"}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{page}, example {number}", "exec"), names)

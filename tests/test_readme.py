"""The Python examples of the README, run as they are written, one after the other."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
MEDIA = re.compile(r"[\"']([\w-]+\.(?:wav|mp3|flac|ogg|opus|m4a))[\"']")
SPOKEN = "We will meet at the harbor on Thursday, and then take the boat to the island."


def examples() -> list[str]:
    readme = CHECKOUT / "README.md"
    text = readme.read_text("utf-8") if readme.exists() else ""
    found = re.findall(r"^ *```python\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(each) for each in found]


def test_the_examples_of_the_readme_run(whisper_base, tmp_path, monkeypatch):
    """Recordings that an example names are there, with somebody speaking in them."""
    import voice

    blocks = examples()
    if not blocks:
        pytest.skip("README.md has no Python examples")
    monkeypatch.chdir(tmp_path)
    speech = voice.speak(SPOKEN)
    for name in set(MEDIA.findall("\n".join(blocks))):
        voice.write(name, speech.audio)
    names: dict[str, object] = {"__name__": "readme"}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"README.md, example {number}", "exec"), names)

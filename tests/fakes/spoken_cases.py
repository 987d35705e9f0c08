"""Lists of written → spoken cases, `written => one reading | another`, in classes under [headings]."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

from voice.text.language import Language

Cases = dict[str, list[tuple[str, tuple[str, ...]]]]


@cache
def cases_of(path: Path) -> Cases:
    """{class: [(written, what may be said)]} of a list; "=" says that nothing changes."""
    found: Cases = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"\[([^]=]+)\]", line):
            name = heading[1]
        elif " => " in line and not line.startswith("# "):
            written, spoken = line.split(" => ")
            found[name].append((written, (written,) if spoken == "=" else tuple(spoken.split(" | "))))
    return dict(found)


def letters(text: str) -> str:
    """What counts of a reading."""
    return "".join(c for c in text.lower() if c.isalpha())


def wrong_readings(path: Path, language: Language) -> list[str]:
    """The cases that are read otherwise, each with what is said."""
    wrong = []
    for name, cases in cases_of(path).items():
        for written, spoken in cases:
            heard = language.normalize(written).text
            if letters(heard) not in map(letters, spoken):
                wrong.append(f"[{name}] {written}: {heard}, not {' or '.join(spoken)}")
    return wrong

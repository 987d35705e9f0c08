"""Events of SubStation Alpha, as editors of subtitles write it: .ass (version 4+) and .ssa.

A script's section [Events] names its columns in a line "Format:"; the last of them, Text, may hold commas.
What is drawn, comments, and copies of a line on other layers (shadows, outlines) are no cues.
http://www.tcax.org/docs/ass-specs.htm
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ENDINGS = (".ass", ".ssa")
_USUAL = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_TIME = re.compile(r"^\s*(\d+):(\d{1,2}):(\d{1,2})[.,:](\d{1,3})\s*$")
_DRAWN = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}")
_BRACES = re.compile(r"\{[^{}]*\}")
_BREAK = re.compile(r"\\[Nn]")


@dataclass(frozen=True)
class Event:
    """From `start` to `end` seconds these lines are shown; `name` is who says them, if that is told."""

    start: float
    end: float
    lines: tuple[str, ...]
    name: str | None


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a script that show text, in its order, each once."""
    columns: tuple[str, ...] = _USUAL
    seen, inside = set[Event](), False
    for line in lines:
        if line.lstrip().startswith("["):
            inside = line.strip().lower() == "[events]"
            continue
        kind, _, rest = line.partition(":")
        if inside and kind.strip().lower() == "format":
            columns = tuple(name.strip().lower() for name in rest.split(","))
        elif inside and kind.strip().lower() == "dialogue":
            event = _event(dict(zip(columns, rest.split(",", len(columns) - 1), strict=False)))
            if event is not None and event not in seen:
                seen.add(event)
                yield event


def _event(row: dict[str, str]) -> Event | None:
    """Return the event of a line by its columns; None without times, or where it is drawn."""
    start, end, text = (row.get(name, "") for name in ("start", "end", "text"))
    times = [match.groups() for match in map(_TIME.match, (start, end)) if match]
    if len(times) < 2 or _DRAWN.search(text):
        return None
    name = (row.get("name") or row.get("actor") or "").strip()
    shown = _BREAK.split(_BRACES.sub("", text).replace("\\h", " "))
    return Event(_seconds(*times[0]), _seconds(*times[1]), tuple(shown), name or None)


def _seconds(hours: str, minutes: str, seconds: str, fraction: str) -> float:
    return 3600 * int(hours) + 60 * int(minutes) + int(seconds) + int(fraction) / 10 ** len(fraction)

"""Subtitles beside a recording or a film: SubRip (.srt), WebVTT (.vtt), SubStation Alpha (.ass, .ssa).

Cues are cleaned of what nobody says (tags, names in front, [door slams], ♪), joined to sentences of at most
20 s, and get sensible margins. https://www.w3.org/TR/webvtt1/
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from data.forms.timed import substation
from data.forms.timed.stretches import Beside, Stretch, check_stretches, join, with_margins
from data.reading import read_lines
from voice.errors import ManifestError

NAME = "subtitles"
ENDINGS = (".srt", ".vtt", *substation.ENDINGS)
_TIMES = re.compile(
    r"^\s*(?:(\d+):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*-->\s*(?:(\d+):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
)
_VOICE = re.compile(r"^<v(?:\.[\w.]+)?\s+([^>]+)>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|</?\d[\d:.]*>|\{\\[^{}]*\}")
_NOT_SAID = re.compile(
    r"\[[^\]]*\]|\([A-Z][A-Z '.,-]+\)|\([a-z ]*(?:music|laugh|sigh|applause|door|cough)[a-z ]*\)|[♪♫#]+"
)
_NAME_IN_FRONT = re.compile(r"^(?:>>\s*)?(?:[A-Z][A-Z .'-]{1,24}):\s+")
_DASH = re.compile(r"^[-–—]\s*")


def read(path: Path) -> Beside:
    """Return what a file of subtitles says and when. Raises ManifestError where it holds no cue."""
    cues = list(_cues(path))
    if not cues:
        raise ManifestError(f"{path} holds no times like 00:00:01,000 --> 00:00:04,000; export it as SubRip")
    found = check_stretches(path, cues)
    return Beside(tuple(with_margins(join(found.stretches))), found.faults)


def _cues(path: Path) -> Iterator[Stretch]:
    """Yield the cues of a file with the words that somebody says; their text ends at a blank line."""
    if path.suffix.lower() in substation.ENDINGS:
        for event in substation.events(read_lines(path)):
            cue = _cue((event.start, event.end), list(event.lines))
            yield replace(cue, speaker=event.name)
        return
    times: tuple[float, float] | None = None
    texts: list[str] = []
    for line in [*read_lines(path, blank=True), ""]:
        match = _TIMES.match(line)
        if match is not None:
            times, texts = (_seconds(*match.groups()[:4]), _seconds(*match.groups()[4:])), []
        elif times is not None and not line.strip():
            yield _cue(times, texts)
            times = None
        elif times is not None:
            texts.append(line)


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _cue(times: tuple[float, float], lines: list[str]) -> Stretch:
    voice = _VOICE.match(lines[0].strip()) if lines else None
    words = " ".join(filter(None, (_strip_markup(line) for line in lines)))
    return Stretch(
        *times, words if any(each.isalnum() for each in words) else "", voice[1].strip() if voice else None
    )


def _strip_markup(line: str) -> str:
    """Return a line of a cue without what nobody says."""
    plain = html.unescape(_TAG.sub("", line)).strip()
    plain = _NOT_SAID.sub(" ", plain).strip()
    return " ".join(_DASH.sub("", _NAME_IN_FRONT.sub("", _DASH.sub("", plain))).split())

"""Recordings in a folder, with what is said beside each, or alone.

Beside name.wav may lie name.txt or name.lab (its text), name.srt, .vtt, .ass or .ssa (subtitles),
name.TextGrid, or name.txt with Audacity's labels. Whatever FFmpeg reads will do, films too. A recording's
speaker is the folder right in the source that it is in. Without anything beside it a recording has no
transcript. The rights are yours to know: record consent, and keep what you may not pass on out of what you
publish.

The source is the folder, or one recording, or one file of subtitles beside its film.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.forms.timed import captions, labels, textgrid
from data.forms.timed.stretches import Beside
from data.locating import is_recording, walk
from data.reading import read_text
from data.rows import Fault, Found, Row
from voice.errors import ManifestError

NAME = "folder"
TEXTS = (".txt", ".lab", ".original.txt", ".normalized.txt", ".transcript")
_TIMED = (*captions.ENDINGS, textgrid.ENDING)
_ABOUT = {"readme", "license", "licence", "copying", "changelog", "notice", "requirements"}


def recognizes(source: Path) -> bool:
    """Tell whether the source is a recording, subtitles of one, or a folder with recordings."""
    if source.is_file():
        return is_recording(source) or (source.suffix.lower() in _TIMED and _recording_of(source) is not None)
    return any(is_recording(path) for path in walk(source))


def rows(source: Path) -> Iterator[Found]:
    """Yield each recording, or each stretch of it that something beside it gives times to."""
    if source.is_file():
        audio = source if is_recording(source) else _recording_of(source)
        if audio is not None:
            yield from _recording(audio, audio.name, None)
        return
    taken: dict[Path, Path] = {}  # name without its ending → the recording
    texts: list[Path] = []
    for path in walk(source):
        if not is_recording(path):
            texts += [path] * path.name.lower().endswith((*TEXTS, *_TIMED))
        elif (stem := path.with_suffix("")) in taken:
            other = taken[stem].name
            yield Fault(str(path.relative_to(source)), f"{other} beside it has the same name", "second copy")
        else:
            taken[stem] = path
            place = path.relative_to(source)
            yield from _recording(path, place.as_posix(), place.parts[0] if len(place.parts) > 1 else None)
    yield from _without_recording(source, texts, taken)


def _without_recording(source: Path, texts: list[Path], taken: dict[Path, Path]) -> Iterator[Fault]:
    """Yield the texts that lie beside no recording, if they look like transcripts."""
    for path in texts:
        stem = path.name.split(".")[0].lower()
        known = any(path.parent / path.name[: path.name.index(".", at)] in taken for at in _dots(path.name))
        if not known and stem not in _ABOUT:
            where = str(path.relative_to(source))
            yield Fault(where, "there is no recording of that name beside it", "recording cannot be found")


def _dots(name: str) -> list[int]:
    return [place for place, letter in enumerate(name) if letter == "."]


def _recording_of(timed: Path) -> Path | None:
    """Return the recording that lies beside a file of times: film.mkv beside film.srt and film.en.srt."""
    stems = {timed.stem, timed.stem.rpartition(".")[0]}
    return next((p for p in sorted(timed.parent.iterdir()) if is_recording(p) and p.stem in stems), None)


def _recording(audio: Path, name: str, speaker: str | None) -> Iterator[Found]:
    try:
        beside = _beside(audio)
    except ManifestError as error:
        yield Fault(name, str(error), "transcript cannot be read")
        return
    if not isinstance(beside, Beside):
        yield Row(name, audio, beside, speaker)
        return
    yield from beside.faults
    for each in beside.stretches:
        yield Row(
            f"{name}@{each.start:.2f}",
            audio,
            each.text,
            each.speaker or speaker,
            start=each.start,
            end=each.end,
        )


def _beside(audio: Path) -> Beside | str | None:
    """Return what lies beside a recording: stretches with times, one text, or nothing."""
    for ending in captions.ENDINGS:
        found = [audio.with_suffix(ending), *sorted(audio.parent.glob(f"{_literal(audio.stem)}.*{ending}"))]
        if path := next((each for each in found if each.is_file()), None):
            return captions.read(path)
    for path in (audio.with_suffix(".TextGrid"), audio.with_suffix(textgrid.ENDING)):
        if path.is_file():
            return textgrid.read(path)
    path = next((each for ending in TEXTS if (each := audio.with_suffix(ending)).is_file()), None)
    if path is None:
        return None
    return labels.read(path) if labels.are_labels(path) else read_text(path)


def _literal(name: str) -> str:
    """Return a name in which no character is a pattern of glob's."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in name)

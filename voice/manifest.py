"""Lists of recordings: one JSON object a line, audio paths relative to the list itself.

The keys are those of `Clip`; whatever else a row holds is kept in `extra`. Speech without a
transcript has `text` null, noise has no `language` either.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from voice import audio
from voice.errors import AudioError, ManifestError

DURATION_TOLERANCE = 0.1  # s: codecs pad the last frame
SILENT_PEAK = 1e-4  # peak, about −80 dBFS
OPUS_RATES = (8_000, 12_000, 16_000, 24_000)  # its decoders give any of them; FFmpeg's gives 48 kHz


@dataclass(frozen=True)
class Clip:
    """One recording: `audio` is absolute, `duration` in seconds, `sample_rate` in Hz."""

    audio: Path
    text: str | None
    duration: float
    speaker: str | None
    id: str
    sample_rate: int | None = None
    language: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """What is wrong with the clip named `id`."""

    id: str
    message: str


@dataclass(frozen=True)
class Report:
    """What `check` found in a manifest: how much it holds and what is wrong with it."""

    clips: int
    seconds: float
    problems: tuple[Problem, ...]


# name → (accepted types, required); everything else goes to `extra`
_FIELDS: dict[str, tuple[tuple[type, ...], bool]] = {
    "audio": ((str,), True),
    "text": ((str, type(None)), False),
    "duration": ((int, float), True),
    "speaker": ((str, type(None)), False),
    "id": ((str,), True),
    "sample_rate": ((int, type(None)), False),
    "language": ((str, type(None)), False),
}


def read_manifest(path: str | Path) -> list[Clip]:
    """Read all clips of a manifest, in its order; the audio itself is not opened.

    Raises ManifestError, with the line's number, for a row that is not what `Clip` says.
    """
    path = Path(path)
    try:
        lines = path.read_text("utf-8").split("\n")  # alone: texts may hold other ends of lines
    except FileNotFoundError as error:
        raise ManifestError(f"{path} does not exist; check the path, or make it with data.folder") from error
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise ManifestError(
            f"{path} cannot be read ({what}); name a list of recordings, JSON lines"
        ) from error
    folder = path.absolute().parent
    return [_clip(line, folder, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]


def _clip(line: str, folder: Path, where: str) -> Clip:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:  # nested without end, a number of 5,000 digits
        reason = getattr(error, "msg", error)
        raise ManifestError(f"{where} is not JSON ({reason}); each line holds one object") from error
    if not isinstance(row, dict):
        raise ManifestError(f'{where} is not an object; a row looks like {{"audio": …, "text": …}}')
    for name, (types, required) in _FIELDS.items():
        if name not in row and required:
            raise ManifestError(f'{where} has no "{name}"')
        if name in row and (not isinstance(row[name], types) or isinstance(row[name], bool)):
            raise ManifestError(f'{where}: "{name}" is {row[name]!r:.100}; expected {_names(types)}')
    _check_values(row, where)
    return Clip(
        audio=folder / row["audio"],
        text=row.get("text"),
        duration=float(row["duration"]),
        speaker=row.get("speaker"),
        id=row["id"],
        sample_rate=row.get("sample_rate"),
        language=row.get("language"),
        extra={name: value for name, value in row.items() if name not in _FIELDS},
    )


def _check_values(row: Mapping[str, Any], where: str) -> None:
    """Raise ManifestError for a length that is none, or text that no file can hold."""
    try:
        if not 0 <= float(row["duration"]) < float("inf"):
            raise ValueError(f'"duration" is {row["duration"]}')
        for name in _FIELDS:
            str(row.get(name)).encode()
    except (ValueError, OverflowError) as error:  # half of a surrogate pair, a number beyond all floats
        raise ManifestError(f"{where} cannot be used ({str(error)[:100]}); write the row again") from error


def _names(types: tuple[type, ...]) -> str:
    plain = {str: "a string", int: "a whole number", float: "a number", type(None): "null"}
    return " or ".join(plain[each] for each in types)


def write_manifest(path: str | Path, clips: Iterable[Clip]) -> None:
    """Write `clips` to `path`, whole or not at all, audio paths relative to its folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            for clip in clips:
                file.write(json.dumps(_row(clip, path.absolute().parent), ensure_ascii=False) + "\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _row(clip: Clip, folder: Path) -> dict[str, Any]:
    return {
        "audio": Path(os.path.relpath(clip.audio.absolute(), folder)).as_posix(),
        "text": clip.text,
        "duration": round(clip.duration, 4),
        "speaker": clip.speaker,
        "id": clip.id,
        "sample_rate": clip.sample_rate,
        "language": clip.language,
        **clip.extra,
    }


def check(path: str | Path) -> Report:
    """Open every recording of a manifest and say what is wrong.

    Raises ManifestError where a row cannot be read at all.
    """
    clips = read_manifest(path)
    problems = [Problem(clip.id, message) for clip in clips for message in examine(clip)]
    problems += [Problem(name, "the id occurs more than once") for name in _repeated(clips)]
    return Report(len(clips), sum(clip.duration for clip in clips), tuple(problems))


def examine(clip: Clip) -> Iterator[str]:
    """Return the problems of one clip, its audio included."""
    if clip.text is not None and not clip.text.strip():
        yield "the text is empty; null means that there is no transcript"
    if clip.audio.exists() and not (clip.audio.is_file() or clip.audio.is_dir()):  # one without an end
        yield f"{clip.audio} is a device or a pipe; name a file"
        return
    try:
        sound = audio.read(clip.audio)
    except AudioError as error:
        yield str(error)
        return
    opus = sound.rate == 48_000 and clip.sample_rate in OPUS_RATES
    if clip.sample_rate not in (None, sound.rate) and not opus:
        yield f"the rate is {sound.rate} Hz, the row says {clip.sample_rate}"
    if abs(sound.duration - clip.duration) > DURATION_TOLERANCE:
        yield f"the audio lasts {sound.duration:.2f} s, the row says {clip.duration:.2f}"
    if not np.isfinite(sound.samples).all():
        yield "some samples are not numbers (NaN or infinite)"
    elif float(np.abs(sound.samples).max(initial=0.0)) < SILENT_PEAK:
        yield "the audio is silent"


def _repeated(clips: list[Clip]) -> list[str]:
    """Return the ids that several clips have."""
    counts = Counter(clip.id for clip in clips)
    return sorted(name for name, count in counts.items() if count > 1)

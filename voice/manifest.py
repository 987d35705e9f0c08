"""Lists of recordings: one JSON object a line, audio paths relative to the list itself.

The keys are those of `Clip`; whatever else a row holds is kept in `extra`. Speech without a
transcript has `text` null, noise has no `language` either.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

from voice.errors import ManifestError

DURATION_TOLERANCE = 0.1  # s: codecs pad the last frame
SILENT_PEAK = 1e-4  # peak, about −80 dBFS
OPUS_RATES = (8_000, 12_000, 16_000, 24_000)  # its decoders give any of them; FFmpeg's gives 48 kHz


RowErrorKind = Literal["bad json", "no object", "column missing", "wrong type"]


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


class RowError(ManifestError):
    """A line of a manifest that is no clip; `kind` says in which way."""

    def __init__(self, kind: RowErrorKind, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind

    def __str__(self) -> str:
        return str(self.args[1])


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
    clips = []
    for _, row in read_rows(path):
        if isinstance(row, RowError):
            raise row
        clips.append(row)
    return clips


def read_rows(path: str | Path) -> Iterator[tuple[int, Clip | RowError]]:
    """Yield the number of each line of a manifest with its clip, or with the reason why it is none.

    A line is read when its turn comes, so that the length of a manifest does not matter. Raises ManifestError
    where the file cannot be read as text.
    """
    return ((number, row) for number, _, row in _rows(Path(path)))


def read_places(path: str | Path) -> Iterator[tuple[int, Clip]]:
    """Yield where each row of a manifest begins, in bytes, and its clip. Raises as `read_manifest` does."""
    for _, place, row in _rows(Path(path)):
        if isinstance(row, RowError):
            raise row
        yield place, row


def read_row(path: Path, place: int) -> Clip:
    """Return the clip of the row that begins at byte `place` of a manifest. Raises ManifestError."""
    with _open_lines(path) as file:
        file.seek(place)
        return _clip(_text(file.readline(), place), path.absolute().parent, f"{path}, byte {place}")


def _rows(path: Path) -> Iterator[tuple[int, int, Clip | RowError]]:
    """Yield number, place in bytes and clip of each line that holds something."""
    folder, place = path.absolute().parent, 0
    with _open_lines(path) as file:
        for number, line in enumerate(file, 1):  # by \n alone: texts may hold other ends of lines
            text = _text(line, place)
            if text.strip():
                try:
                    yield number, place, _clip(text, folder, f"{path}:{number}")
                except RowError as error:
                    yield number, place, error
            place += len(line)


def _text(line: bytes, place: int) -> str:
    """Return a line as text, without the mark that some programs begin a file with."""
    return line.decode("utf-8" if place else "utf-8-sig")


@contextmanager
def _open_lines(path: Path) -> Iterator[BinaryIO]:
    """Open a manifest. Raises ManifestError where it cannot be read, or is no text."""
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        hint = "check the path, or make it with `voice data prepare`"
        raise ManifestError(f"{path} does not exist; {hint}") from error
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise ManifestError(
            f"{path} cannot be read ({what}); name a list of recordings, JSON lines"
        ) from error


def _clip(line: str, folder: Path, where: str) -> Clip:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:  # nested without end, a number of 5,000 digits
        reason = getattr(error, "msg", error)
        raise RowError("bad json", f"{where} is not JSON ({reason}); each line holds one object") from error
    if not isinstance(row, dict):
        message = f'{where} is not an object; a row looks like {{"audio": …, "text": …}}'
        raise RowError("no object", message)
    for name, (types, required) in _FIELDS.items():
        if name not in row and required:
            raise RowError("column missing", f'{where} has no "{name}"')
        if name in row and (not isinstance(row[name], types) or isinstance(row[name], bool)):
            expected = _names(types)
            raise RowError("wrong type", f'{where}: "{name}" is {row[name]!r:.100}; expected {expected}')
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
        message = f"{where} cannot be used ({str(error)[:100]}); write the row again"
        raise RowError("wrong type", message) from error


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


def set_aside(path: Path) -> Path:
    """Rename a manifest that another takes the place of, and return what it is called now.

    NAME.before, or NAME.before-2 and so on: none that was kept before is lost.
    """
    kept = path.with_name(f"{path.name}.before")
    number = 2
    while kept.exists():
        kept = path.with_name(f"{path.name}.before-{number}")
        number += 1
    return path.rename(kept)


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

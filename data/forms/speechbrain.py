"""SpeechBrain's annotations: a CSV with ID, duration, wav, wrd, or a JSON file of objects by id.

https://speechbrain.readthedocs.io/en/latest/tutorials/basics/data-loading-pipeline.html. A path may begin
with $data_root or {data_root}; "start" and "stop" are counted in samples there, and become seconds.

The source is one file, or a folder with train.csv, valid.csv, test.csv (or .json).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.forms.form import split_of
from data.forms.json_rows import first_text
from data.forms.table_rows import read_table
from data.locating import Locator
from data.reading import first_object, read_lines, read_objects
from data.rows import Fault, Found, Row
from voice.errors import ManifestError

NAME = "SpeechBrain"
_TEXTS = ("wrd", "words", "transcript", "transcription", "text", "char")
_SPEAKERS = ("spk_id", "speaker", "spk")


def recognizes(source: Path) -> bool:
    """Tell whether a file, or one right in a folder, is such a table or such objects."""
    return bool(_lists(source))


def rows(source: Path) -> Iterator[Found]:
    """Yield the rows of all annotations."""
    found = _lists(source)
    for path in found:
        split, locate = split_of(path.stem) if len(found) > 1 else None, Locator(path.parent)
        for where, values in _objects(path):
            if isinstance(values, str):
                yield Fault(where, values)
                continue
            try:
                yield _row(values, locate, split)
            except ManifestError as error:
                yield Fault(where, str(error), "recording cannot be found")
            except (KeyError, TypeError, ValueError) as error:
                yield Fault(where, f"it is no row of SpeechBrain's ({error!r:.60})")


def _lists(source: Path) -> list[Path]:
    files = (
        [source] if source.is_file() else sorted(p for p in source.glob("*") if p.suffix in (".csv", ".json"))
    )
    return [path for path in files if _is_one(path)]


def _is_one(path: Path) -> bool:
    try:
        if path.suffix == ".csv":
            header = [each.strip() for each in next(read_lines(path), "").split(",")]
            return {"ID", "wav"} <= set(header)
        first = first_object(path) if path.suffix == ".json" else {}
    except ManifestError:
        return False
    return "wav" in first and any(key in first for key in (*_TEXTS, "length", "duration"))


def _objects(path: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    if path.suffix == ".json":
        for number, each in read_objects(path):
            yield f"{path.name}, entry {number}", each
        return
    for number, values in read_table(path):
        yield f"{path.name}, row {number}", values


def _row(values: dict[str, Any], locate: Locator, split: str | None) -> Row:
    wav, start, end = values["wav"], values.get("start"), values.get("stop")
    if isinstance(wav, dict):  # {"file": …, "start": …, "stop": …}
        wav, start, end = wav["file"], wav.get("start"), wav.get("stop")
    audio = locate(wav)
    begin, stop = (None if each in (None, "") else int(each) / _rate(audio) for each in (start, end))
    text, speaker = first_text(values, *_TEXTS), first_text(values, *_SPEAKERS)
    name = values.get("ID") or values.get("id") or wav
    return Row(str(name), audio, text, speaker or None, first_text(values, "language"), split, begin, stop)


def _rate(audio: Path) -> int:
    """Return the samples per second of a recording, in which the times are counted."""
    from data.measuring import measure

    return measure(audio).rate

"""Lhotse's cuts: a JSON object a line, a stretch of a recording with its supervisions (.jsonl, .jsonl.gz).

https://lhotse.readthedocs.io. Mono cuts of recordings in files are read; a supervision becomes a row. Shards
(shar) and recordings that a command or an address gives are refused.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.forms.form import split_of
from data.locating import Locator
from data.reading import first_object, read_objects
from data.rows import Fault, Found, Row
from voice.errors import ManifestError

NAME = "Lhotse"


def recognizes(source: Path) -> bool:
    """Tell whether a file, or one right in a folder, lists cuts."""
    return bool(_lists(source))


def rows(source: Path) -> Iterator[Found]:
    """Yield a row for each supervision of each cut."""
    found = _lists(source)
    for path in found:
        split, locate = split_of(path.name) if len(found) > 1 else None, Locator(path.parent)
        for number, cut in _objects(path):
            where = f"{path.name}, line {number}"
            try:
                yield from (
                    [Fault(where, cut)] if isinstance(cut, str) else _utterances(cut, locate, split, where)
                )
            except ManifestError as error:
                yield Fault(where, str(error), "recording cannot be found")
            except (KeyError, TypeError, ValueError, IndexError) as error:
                yield Fault(where, f"it is no cut of Lhotse's ({error!r:.60})")


def _lists(source: Path) -> list[Path]:
    files = [source] if source.is_file() else sorted(source.glob("*.jsonl*"))
    return [path for path in files if path.name.endswith((".jsonl", ".jsonl.gz")) and _is_cut(path)]


def _is_cut(path: Path) -> bool:
    if path.suffix != ".gz":
        first = first_object(path)
    else:
        found = next(_objects(path), (0, ""))[1]
        first = found if isinstance(found, dict) else {}
    return "supervisions" in first and "recording" in first


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    if path.suffix != ".gz":
        yield from read_objects(path)
        return
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                found = json.loads(line)
                yield number, found if isinstance(found, dict) else "it is not an object"
    except (OSError, ValueError, EOFError) as error:
        raise ManifestError(f"{path} cannot be read ({error}); copy it again") from error


def _utterances(cut: dict[str, Any], locate: Locator, split: str | None, where: str) -> Iterator[Found]:
    """Yield the supervisions of a cut as stretches of its recording."""
    sources = cut["recording"]["sources"]
    if sources[0]["type"] != "file":
        reason = f"its recording is of the type {sources[0]['type']!r}; only files are read"
        yield Fault(where, reason, "recording cannot be found")
        return
    audio, offset = locate(sources[0]["source"]), float(cut["start"])
    whole = offset == 0 and abs(float(cut["duration"]) - float(cut["recording"]["duration"])) < 0.01
    for each in cut["supervisions"]:
        start, seconds = offset + float(each["start"]), float(each["duration"])
        alone = whole and len(cut["supervisions"]) == 1 and abs(seconds - float(cut["duration"])) < 0.01
        span = (None, None) if alone else (start, start + seconds)
        yield Row(
            each["id"], audio, each.get("text"), each.get("speaker"), each.get("language"), split, *span
        )

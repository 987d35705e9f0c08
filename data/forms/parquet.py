"""Parquet files as Hugging Face's hub keeps data sets: a column of sound, as bytes, and one of text.

The column is a struct of "bytes" and "path", or plain bytes. Rows are read in batches, so that a file of any
size needs the memory of a few recordings. Reading them wants pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.forms.form import split_of
from data.forms.huggingface import LANGUAGES, SPEAKERS, TEXTS
from data.forms.json_rows import first_text
from data.locating import Locator, walk
from data.rows import Fault, Found, Row
from voice.errors import ManifestError

NAME = "Parquet"
_SOUNDS = ("audio", "file", "path", "wav", "speech")
_BATCH = 16  # rows that are in memory at once
_MAGIC = ((b"RIFF", ".wav"), (b"fLaC", ".flac"), (b"OggS", ".ogg"), (b"ID3", ".mp3"), (b"\xff\xfb", ".mp3"))


def recognizes(source: Path) -> bool:
    """Tell whether there are Parquet files."""
    return bool(_files(source))


def rows(source: Path) -> Iterator[Found]:
    """Yield the rows of all files. Raises ManifestError without pyarrow, or without a column of sound."""
    for path in _files(source):
        yield from _read(
            path, split_of(path.stem) or (split_of(path.parent.name) if path.parent != source else None)
        )


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source] if source.suffix == ".parquet" else []
    return [path for path in walk(source) if path.suffix == ".parquet"]


def _read(path: Path, split: str | None) -> Iterator[Found]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ManifestError(
            f"{path} is Parquet, which pyarrow reads; install it: pip install 'voice[parquet]'"
        ) from error
    try:
        file = ParquetFile(path)
        column = next((name for name in _SOUNDS if name in file.schema_arrow.names), None)
        if column is None:
            raise ManifestError(f"{path} has no column of sound; its columns are {file.schema_arrow.names}")
        locate, number = Locator(path.parent), 0
        for batch in file.iter_batches(_BATCH):
            for row in batch.to_pylist():
                number += 1
                yield _row(row, column, f"{path.stem}-{number}", locate, split)
    except (ArrowException, OSError) as error:
        raise ManifestError(f"{path} cannot be read as Parquet ({error}); download it again") from error


def _row(row: dict[str, Any], column: str, name: str, locate: Locator, split: str | None) -> Found:
    sound = row[column]
    content = sound.get("bytes") if isinstance(sound, dict) else sound if isinstance(sound, bytes) else None
    place = sound.get("path") if isinstance(sound, dict) else sound if isinstance(sound, str) else None
    if content is None and not place:
        return Fault(name, "it has neither sound nor a path", "recording cannot be found")
    try:
        audio = (
            Path(Path(place or name).stem + _ending(content)) if content is not None else locate(str(place))
        )
    except ManifestError as error:
        return Fault(name, str(error), "recording cannot be found")
    label = first_text(row, "id", "segment_id", "utterance_id") or (
        f"{name}-{Path(place).stem}" if place else name
    )
    text, speaker = first_text(row, *TEXTS), row.get("speaker_id", first_text(row, *SPEAKERS))
    language = first_text(row, *LANGUAGES)
    speaker = None if speaker is None else str(speaker)
    return Row(label, audio, text, speaker, language, split, content=content)


def _ending(content: bytes) -> str:
    """Return the ending that belongs to sound that begins like this."""
    return next((ending for magic, ending in _MAGIC if content.startswith(magic)), ".wav")

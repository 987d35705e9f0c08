"""Transcripts of many recordings as one Parquet file, made of a folder of JSON files beside it.

Workers write the JSON files, each whole or not at all, so that a command that was ended goes on with what is
missing. When none is missing, the folder goes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, TypeGuard

import typer

from voice.cli.console import note
from voice.cli.jobs import Job
from voice.cli.targets import check_text
from voice.errors import VoiceError
from voice.places import drop_partial, partial_path

ENDING = ".parquet"
AT_ONCE = 1000  # transcripts in memory together: a row group


def is_table(output: str | None) -> TypeGuard[str]:
    """Tell whether results go into one table."""
    return output is not None and output.lower().endswith(ENDING)


def place_of_parts(output: str, form: str | None, *, shared: bool) -> str:
    """Return the folder of the JSON files that become the table. Raises VoiceError where it cannot be."""
    if not shared or form not in (None, "json"):
        raise VoiceError(f"{output} is a table, which --ray writes of JSON: give --ray local and no --format")
    if find_spec("pyarrow") is None:
        raise VoiceError("a table takes pyarrow, which comes with Ray: pip install '.[cluster]'")
    table = Path(output)
    if table.is_dir():
        raise VoiceError(f"{table} is a folder; name a file for the table")
    if not table.exists():
        check_text(table)
    return f"{_parts(output)}{os.sep}"


def _parts(output: str) -> Path:
    return Path(f"{output}.parts")


@contextmanager
def gathering(output: str, jobs: Sequence[Job]) -> Iterator[None]:
    """Write the table when what is inside is over, also of what is there if some jobs failed."""
    try:
        yield
    except typer.Exit:
        note(f"{output}: {write_table(output, jobs)} of {len(jobs)} recordings; call it again for the others")
        raise
    note(f"{output}: {write_table(output, jobs)} recordings")


def write_table(output: str, jobs: Sequence[Job]) -> int:
    """Write the transcripts of `jobs` that are there into the table, whole or not at all; return how many.

    If all are there, their folder is removed. Columns: source, text, language, duration (s), and segments
    with start, end (s), text, speaker and words.
    """
    pyarrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    schema, rows, count = _schema(pyarrow), _rows(jobs), 0
    beside = partial_path(Path(output))
    try:
        with parquet.ParquetWriter(beside, schema) as writer:
            while some := list(islice(rows, AT_ONCE)):
                writer.write_table(pyarrow.Table.from_pylist(some, schema=schema))
                count += len(some)
        beside.replace(output)
    except OSError as error:
        raise VoiceError(f"{output} cannot be written: {error}") from error
    finally:
        drop_partial(beside)
    if count == len(jobs):
        shutil.rmtree(_parts(output), ignore_errors=True)
    return count


def _rows(jobs: Sequence[Job]) -> Iterator[dict[str, Any]]:
    """Yield a row for every transcript that is there."""
    for job in jobs:
        if job.target and job.target.is_file():
            found = json.loads(job.target.read_text("utf-8"))
            segments = [
                {
                    **{name: each.get(name) for name in ("start", "end", "text", "speaker")},
                    "words": [
                        {"start": word.get("start"), "end": word.get("end"), "text": word.get("word")}
                        for word in each.get("words", ())
                    ],
                }
                for each in found["segments"]
            ]
            whole = {name: found[name] for name in ("text", "language", "duration")}
            yield {"source": job.source, **whole, "segments": segments}


def _schema(pyarrow: Any) -> Any:
    """Return the columns of the table."""
    number, text = pyarrow.float64(), pyarrow.string()
    word = pyarrow.struct([("start", number), ("end", number), ("text", text)])
    spoken = [("start", number), ("end", number), ("text", text), ("speaker", text)]
    segment = pyarrow.struct([*spoken, ("words", pyarrow.list_(word))])
    whole = [("source", text), ("text", text), ("language", text), ("duration", number)]
    return pyarrow.schema([*whole, ("segments", pyarrow.list_(segment))])

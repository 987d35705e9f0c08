"""Whether `voice data prepare` takes more memory for more rows: a table of many that names a few files.

    python -m benchmarks.training.much_preparing --rows 100000 --rows 1000000

Each number of rows runs in a process of its own, from the table to manifests of train, dev and test, on one
processor. Each of the few files is decoded once, where `voice data prepare` decodes a recording for each row:
that takes time alone. Every row has an id and a sentence of its own, every fiftieth another speaker.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.training.rows import peak, write_rows
from data import measuring
from data.prepare import PrepareOptions, prepare
from data.preparing import settling

ROWS_OF_A_SPEAKER = 50


def another_sentence(row: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a sentence of its own for a row, and the speaker of every fifty."""
    return {"text": f"{row['text']} {number}", "speaker": f"speaker {number // ROWS_OF_A_SPEAKER}"}


def measure(rows: Path, out: Path) -> dict[str, float]:
    """Return what preparing takes; to be called in a fresh process."""
    settling.measure = lru_cache(measuring.measure)  # type: ignore[attr-defined]  # the name that it uses
    before, begun = peak(), time.process_time()
    prepared = prepare(rows, out, PrepareOptions(listen=False, workers=1))
    return {
        "clips": sum(prepared.clips.values()), "libraries": before, "peak": peak(),
        "seconds": time.process_time() - begun,
    }  # fmt: skip


def main(
    rows: Annotated[list[int], typer.Option(help="rows of the table; repeatable")] = [100_000, 1_000_000],
    table: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure in processes of their own, and print a line for each."""
    if table is not None:
        print(json.dumps(measure(table, table.with_name("made"))))
        return
    print("| rows | clips | most memory, MB | processor, s |\n|---|---|---|---|", flush=True)
    for count in rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.jsonl"
            write_rows(path, count, another_sentence)
            command = [sys.executable, "-m", "benchmarks.training.much_preparing", "--table", str(path)]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = json.loads(out.splitlines()[-1])
        print(
            f"| {count:,} | {found['clips']:,.0f} | {found['peak']:.0f} ({found['libraries']:.0f} of them "
            f"libraries) | {found['seconds']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    typer.run(main)

"""Whether memory stays flat: a manifest of many rows, a few files, from the start to batches of every epoch.

    python -m benchmarks.training.much_data --rows 1000000

Rows repeat the recordings of data/tiny, so that a million of them stand for some thousand hours. Each way of
reading runs in a process of its own: the index of `data.shards.index`, and the list of clips that it stands
for, up to 100,000 rows. Printed are seconds to the first batch, the most memory before and after 200 batches
of 45 s of speech, and seconds to go on in the middle of the third epoch.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.training.rows import peak, write_rows
from data.batching import batches_from, pad
from data.loading import AudioCache
from data.shards.index import ClipIndex
from voice.manifest import read_manifest

RATE = 16_000
SECONDS = 45.0  # of speech in a batch
BATCHES = 200
LIST_ROWS = 100_000  # up to which the list of clips is measured too


def another_length(row: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a length of its own for a row."""
    return {"duration": round(row["duration"] + number % 997 / 1e4, 4)}


def measure(path: Path, way: str) -> dict[str, float]:
    """Return what one way of reading a manifest takes; to be called in a fresh process."""
    before, begun = peak(), time.monotonic()
    clips = ClipIndex.read(path) if way == "index" else read_manifest(path)
    durations = clips.durations if isinstance(clips, ClipIndex) else [clip.duration for clip in clips]
    sounds = AudioCache(clips, RATE, memory=50e6)
    steps = batches_from(0, durations, SECONDS, seed=0)
    _, first = next(steps)
    pad([sounds[index] for index in first])
    took, started = time.monotonic() - begun, peak()
    for _, batch in islice(steps, BATCHES):
        pad([sounds[index] for index in batch])
    after, begun = peak(), time.monotonic()
    epoch = 1 + sum(durations) / SECONDS
    next(batches_from(int(2.5 * epoch), durations, SECONDS, seed=0))
    return {
        "rows": len(clips), "hours": sum(durations) / 3600, "libraries": before, "first": took,
        "start": started, "after": after, "again": time.monotonic() - begun,
    }  # fmt: skip


def main(
    rows: Annotated[int, typer.Option(help="rows of the manifest")] = 1_000_000,
    manifest: Annotated[Path | None, typer.Option(hidden=True)] = None,
    way: Annotated[str, typer.Option(hidden=True)] = "index",
) -> None:
    """Measure in processes of their own, and print a line for each."""
    if manifest is not None:
        print(json.dumps(measure(manifest, way)))
        return
    print("| way | rows | hours | first batch, s | memory then, MB | after 200 batches | resume, s |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for count in sorted({min(rows, LIST_ROWS), rows}):
            path = Path(folder) / f"{count}.jsonl"
            write_rows(path, count, another_length)
            for each in ("list", "index") if count <= LIST_ROWS else ("index",):
                command = [
                    sys.executable,
                    "-m",
                    "benchmarks.training.much_data",
                    "--manifest",
                    str(path),
                    "--way",
                    each,
                ]
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found = json.loads(out.splitlines()[-1])
                print(
                    f"| {each} | {found['rows']:,.0f} | {found['hours']:,.0f} | {found['first']:.1f} "
                    f"| {found['start']:.0f} ({found['libraries']:.0f} of them libraries) "
                    f"| {found['after']:.0f} | {found['again']:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    typer.run(main)

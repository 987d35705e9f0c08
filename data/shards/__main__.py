"""Put the recordings of a manifest into shards: a few large files instead of millions of small ones.

    python -m data.shards my/train.jsonl shards/train          # → shards/train/manifest.jsonl
    python -m data.shards my/train.jsonl shards/train --rate 16000 --processes 16

A shard is an uncompressed tar of recordings in random order, each followed by its row as JSON, as WebDataset
has it; `manifest.jsonl` says where in which shard each recording lies, and every recipe takes it like any
other manifest. Recordings stay as they are encoded; with `--rate` they become FLAC of that rate. What cannot
be read is named and left out. Called again, it makes only the shards that are missing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from data.parallel import default_workers
from data.shards.writing import MANIFEST, MINUTES, write_shards
from voice.errors import VoiceError


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path, help="a list of recordings, JSON lines")
    parser.add_argument("out", type=Path, help="the folder for shards and manifest.jsonl")
    parser.add_argument("--rate", type=int, help="store FLAC of so many Hz instead of the files as they are")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of sound in a shard")
    parser.add_argument("--processes", type=int, default=default_workers(), help="shards written at once")
    chosen = parser.parse_args()
    try:
        made = write_shards(
            chosen.manifest, chosen.out, rate=chosen.rate, minutes=chosen.minutes, processes=chosen.processes
        )
    except VoiceError as error:
        parser.exit(1, f"{error}\n")
    for name, why in made.left_out:
        print(f"left out {name}: {why}")
    hours = made.seconds / 3600
    print(f"{made.clips} recordings, {hours:.2f} hours, {made.shards} shards → {chosen.out / MANIFEST}")


if __name__ == "__main__":
    main()

"""Manifests of many rows that name the few recordings of data/tiny, and the memory that a process has had."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

TINY = Path(__file__).resolve().parents[2] / "data" / "tiny" / "train.jsonl"


def write_rows(path: Path, rows: int, change: Callable[[dict[str, Any], int], dict[str, Any]]) -> None:
    """Write a manifest of `rows` rows, each with an id of its own and what `change` says of it by number."""
    tiny = [json.loads(line) for line in TINY.read_text("utf-8").splitlines()]
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            row = dict(tiny[number % len(tiny)])
            row |= {"audio": str(TINY.parent / row["audio"]), "id": f"{row['id']}-{number}"}
            file.write(json.dumps(row | change(row, number), ensure_ascii=False) + "\n")


def peak() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3

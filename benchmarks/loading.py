"""How long it takes until something can be used, and the memory it then holds.

    python -m benchmarks.loading [--runs 5] [--json]

Each row is a fresh interpreter; the median of the runs is printed. The interpreter alone stands
first, as what nothing can be faster than.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

ROWS: Mapping[str, Sequence[str]] = {
    "python alone": ["-c", "pass"],
    "import voice": ["-c", "import voice"],
    "voice --help": ["-m", "voice", "--help"],
    "voice models": ["-m", "voice", "models"],
    "speech detector": ["-c", "from voice.silero import Silero; Silero.open()"],
    "load heart": ["-c", "import voice; voice.load('heart')"],
    "first word of heart": ["-c", "import voice; next(voice.load('heart').speak('Hello.'))"],
    "load whisper-tiny.en": ["-c", "import voice; voice.load('whisper-tiny.en')"],
    "load whisper-base": ["-c", "import voice; voice.load('whisper-base')"],
    "load quick": ["-c", "import voice; voice.load('quick')"],
    "load kathleen": ["-c", "import voice; voice.load('kathleen')"],
    "load smart-turn-v3": ["-c", "import voice; voice.load('smart-turn-v3')"],
    "faster-whisper, whisper-base": [
        "-c",
        "from voice.models import find; from faster_whisper import WhisperModel;"
        "WhisperModel(str(find('whisper-base').folder), compute_type='int8')",
    ],
    "hibari": ["-c", "from hibari import Hibari; Hibari()"],
}


def measure(arguments: Sequence[str]) -> tuple[float, float] | None:
    """Return seconds of wall time and megabytes at the peak of a fresh interpreter; None if it fails."""
    program = (
        "import resource, subprocess, sys, time\n"
        "began = time.perf_counter()\n"
        "code = subprocess.run([sys.executable, *sys.argv[1:]], capture_output=True).returncode\n"
        "took = time.perf_counter() - began\n"
        "print(code, took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    code, took, peak = done.stdout.split()
    return (float(took), float(peak)) if code == "0" else None


def table(runs: int) -> list[dict[str, object]]:
    """Return a row each, in the order of ROWS; the first run only fills the cache of the disk."""
    rows = []
    for name, arguments in ROWS.items():
        measured = [each for each in (measure(arguments) for _ in range(runs + 1)) if each][1:]
        if measured:
            seconds, peaks = zip(*measured, strict=True)
            rows.append({"name": name, "seconds": statistics.median(seconds), "megabytes": max(peaks)})
        else:
            rows.append({"name": name, "seconds": None, "megabytes": None})
    return rows


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    chosen = options.parse_args()
    began = time.perf_counter()
    rows = table(chosen.runs)
    if chosen.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'':30} {'seconds':>8} {'MB peak':>8}")
    for row in rows:
        if row["seconds"] is None:
            print(f"{row['name']:30} {'–':>8} {'–':>8}  not on this machine")
        else:
            print(f"{row['name']:30} {row['seconds']:8.2f} {row['megabytes']:8.0f}")
    print(f"median of {chosen.runs} runs each, {time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()

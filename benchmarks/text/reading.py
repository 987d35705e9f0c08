"""How much of published written → spoken cases an English voice reads right.

    python -m benchmarks.text.reading --cases CASES [--wrong] [--json]

CASES is a folder of tab-separated files with the columns `class`, `input` and `expected`, whose readings
are divided by " // ". Case, punctuation, hyphens, "and", "oh" for "zero" and spaces between letters do not
count. `reading.tsv` beside this file holds further readings that are as good, each with its reason.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from voice.metrics import Score, interval
from voice.text.english.normalization import normalize

EQUIVALENT = Path(__file__).with_suffix(".tsv")


@dataclass(frozen=True)
class Case:
    """One row of a file of cases."""

    file: str
    kind: str
    written: str
    expected: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """How a case is read, and whether that is right."""

    case: Case
    spoken: str
    literal: bool  # word for word, as `fold` sees it
    right: bool


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def read_cases(folder: Path) -> list[Case]:
    """Return the cases of all files in a folder."""
    return [
        Case(path.stem, row["class"], row["input"], tuple(row["expected"].split(" // ")))
        for path in sorted(folder.glob("*.tsv"))
        for row in read_rows(path)
    ]


def fold(spoken: str) -> str:
    """Return a reading without what good readers differ in."""
    words = re.findall(r"[^\W_]+", spoken.lower().replace("'", "").replace("’", ""))
    return "".join("zero" if word in ("oh", "o") else word for word in words if word != "and")


def read(case: Case, equivalent: dict[str, set[str]]) -> Reading:
    """Read a case and judge it."""
    spoken = normalize(case.written).text
    literal = fold(spoken) in {fold(each) for each in case.expected}
    return Reading(case, spoken, literal, literal or fold(spoken) in equivalent.get(case.written, set()))


def judge(cases: Sequence[Case]) -> list[Reading]:
    """Read all cases and judge each."""
    equivalent: dict[str, set[str]] = {}
    for row in read_rows(EQUIVALENT):
        equivalent.setdefault(row["input"], set()).add(fold(row["spoken"]))
    return [read(case, equivalent) for case in cases]


def summary(name: str, readings: Sequence[Reading]) -> list[str]:
    """Return a row of the table."""
    count, right = len(readings), sum(each.right for each in readings)
    high, low = (1 - rate for rate in interval([Score(int(not each.right), 1) for each in readings]))
    literal = sum(each.literal for each in readings)
    return [name, str(count), f"{literal / count:.1%}", f"{right / count:.1%} ({low:.1%}–{high:.1%})"]


def main() -> None:
    """Print one table: files, all, classes."""
    parser = argparse.ArgumentParser(description="written → spoken cases, read and judged")
    default = Path(os.environ.get("VOICE_CASES", "cases")) / "reading"
    parser.add_argument("--cases", type=Path, default=default, help="folder of files of cases")
    parser.add_argument("--wrong", action="store_true", help="print what is read wrongly")
    parser.add_argument("--json", action="store_true", help="print every reading as JSON")
    options = parser.parse_args()
    readings = judge(read_cases(options.cases))
    if not readings:
        parser.error(f"{options.cases} holds no file of cases; name their folder with --cases")
    if options.json:
        print(json.dumps([asdict(each) for each in readings], ensure_ascii=False, indent=1))
        return
    files = sorted({each.case.file for each in readings})
    kinds = sorted({each.case.kind for each in readings})
    groups = [(f"{name}.tsv", [each for each in readings if each.case.file == name]) for name in files]
    groups += [("all", readings)]
    groups += [(kind, [each for each in readings if each.case.kind == kind]) for kind in kinds]
    print("| cases | count | word for word | right |\n|---|---|---|---|")
    for group in groups:
        print(f"| {' | '.join(summary(*group))} |")
    if options.wrong:
        for each in readings:
            if not each.right:
                print(f"{each.case.written!r}: {each.spoken!r}, not {' or '.join(each.case.expected)!r}")


if __name__ == "__main__":
    main()

"""What has been prepared so far, kept on disk.

An interrupted run goes on, and a long one needs no memory for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import IO, Any

from data.preparing.settling import Ready, Settled, Unit
from data.rows import Fault, Remark
from voice.manifest import Clip


class Journal:
    """A file with a line for each unit that is settled, in their order; `about` is what decides the outcome.

    A journal about something else is begun anew.
    """

    def __init__(self, path: Path, about: Any) -> None:
        self._path = path
        self._about = json.dumps({"about": about}, sort_keys=True)

    def remaining(self, units: Iterator[Unit]) -> Iterator[Unit]:
        """Return the units that are not in the journal; what does not belong to them is cut off its end."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab+") as file:
            file.seek(0)
            if file.readline().decode(errors="replace").rstrip("\n") != self._about:
                file.truncate(0)
                file.write(f"{self._about}\n".encode())
                return units
            place = file.tell()
            for unit in units:
                line = file.readline()
                if not line.endswith(b"\n") or json.loads(line)["key"] != _key(unit):
                    file.truncate(place)
                    return chain([unit], units)
                place = file.tell()
            file.truncate(place)
            return iter(())

    def open(self) -> IO[str]:
        """Open the file to add to its end."""
        return self._path.open("a", encoding="utf-8")

    @staticmethod
    def add(file: IO[str], unit: Unit, settled: Sequence[Settled]) -> None:
        """Write down what became of a unit, at once."""
        entries = [entry for each in settled if (entry := _entry(each))]
        file.write(json.dumps({"key": _key(unit), "settled": entries}, ensure_ascii=True) + "\n")
        file.flush()

    def read_settled(self) -> Iterator[Ready | Fault | Remark]:
        """Yield all that was written down, in order."""
        with self._path.open(encoding="utf-8") as file:
            next(file)
            for line in file:
                yield from (_thing(entry) for entry in json.loads(line)["settled"])

    def remove(self) -> None:
        """Remove the file, once what it holds is written elsewhere."""
        self._path.unlink(missing_ok=True)


def _key(unit: Unit) -> str:
    if isinstance(unit, Fault):
        return f"fault {unit.where}"
    return f"remark {unit.text}" if isinstance(unit, Remark) else f"{len(unit)} {unit[0].id} {unit[0].text}"


def _entry(settled: Settled) -> dict[str, Any] | None:
    if isinstance(settled, Ready):
        clip = asdict(replace(settled.clip, extra=dict(settled.clip.extra))) | {
            "audio": str(settled.clip.audio)
        }
        return {"clip": clip, "split": settled.split}
    if isinstance(settled, Fault):
        return {"fault": [settled.where, settled.reason, settled.kind]}
    return {"remark": settled.text} if isinstance(settled, Remark) else None


def _thing(entry: dict[str, Any]) -> Ready | Fault | Remark:
    if "clip" in entry:
        return Ready(Clip(**{**entry["clip"], "audio": Path(entry["clip"]["audio"])}), entry["split"])
    return Fault(*entry["fault"]) if "fault" in entry else Remark(entry["remark"])

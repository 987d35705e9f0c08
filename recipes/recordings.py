"""Recordings of any form as a training takes them: listed, nothing cut, what cannot be used told."""

from __future__ import annotations

from pathlib import Path

from data.prepare import AS_THEY_ARE, Prepared, prepare


def list_recordings(source: Path, out: Path) -> Prepared:
    """Write the manifests of a source into the folder `out`, or all of it into one file `out` (.jsonl).

    What is left out is printed, by reason. Raises ManifestError where nothing can be used.
    """
    prepared = prepare(source, out, AS_THEY_ARE)
    for remark in prepared.remarks:
        print(remark, flush=True)
    if prepared.dropped:
        reasons = ", ".join(f"{count} × {reason}" for reason, count in prepared.dropped.items())
        total = sum(prepared.dropped.values())
        print(
            f"left out {total} recordings: {reasons}; each with its reason is in {prepared.report}",
            flush=True,
        )
    return prepared

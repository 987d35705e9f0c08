"""Recordings of any form as a training takes them: listed, nothing cut, what they lack told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from data.prepare import AS_THEY_ARE, Prepared, prepare
from voice.features import VOICE_RATE
from voice.manifest import Clip


def missing_treble(clips: Iterable[Clip]) -> str:
    """Return what recordings of a lower rate than our voices' teach them, "" where there are none.

    All trainings of voices resample to 24 kHz, from any rate; nothing brings back what was never recorded.
    """
    rates = [clip.sample_rate or VOICE_RATE for clip in clips]
    low = [rate for rate in rates if rate < VOICE_RATE]
    if not low:
        return ""
    share = f"{len(low)} of {len(rates)} recordings are sampled below {VOICE_RATE} Hz"
    return f"{share}: from those at {min(low)} Hz it is learned that nothing is above {min(low) / 2000:g} kHz"


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

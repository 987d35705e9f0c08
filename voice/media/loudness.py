"""How loud a sound is: integrated loudness by ITU-R BS.1770-4 and true peak, by FFmpeg's filter `ebur128`."""

from __future__ import annotations

from typing import NamedTuple

import av
import numpy as np

MEASURED_AT = 48_000  # Hz
SHORTEST = 0.5  # seconds; less is measured with silence after it, for a block has 0.4
QUIETEST = -70.0  # LUFS, below which nothing counts as sound


class Loudness(NamedTuple):
    """`integrated` in LUFS, QUIETEST for silence; `peak` is the true peak in dB of full scale."""

    integrated: float
    peak: float


def measure(samples: np.ndarray, rate: int) -> Loudness:
    """Return the loudness of (T,) float32 samples at `rate` Hz."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format="flt", layout="mono")
    chain = [
        source,
        graph.add("aresample", str(MEASURED_AT)),
        graph.add("ebur128", "metadata=1:peak=true"),
        graph.add("abuffersink"),
    ]
    graph.link_nodes(*chain)
    graph.configure()
    padded = np.pad(samples, (0, max(0, round(SHORTEST * rate) - len(samples))))
    frame = av.AudioFrame.from_ndarray(padded[None].astype(np.float32), format="flt", layout="mono")
    frame.sample_rate = rate
    source.push(frame)
    source.push(None)
    found: dict[str, str] = {}
    try:
        while True:
            found = chain[-1].pull().metadata or found
    except (av.EOFError, av.BlockingIOError):
        peak = float(found.get("lavfi.r128.true_peak", 0.0))
        integrated = float(found.get("lavfi.r128.I", QUIETEST))
        return Loudness(max(integrated, QUIETEST), 20 * float(np.log10(max(peak, 1e-6))))

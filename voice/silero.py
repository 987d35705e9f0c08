"""Silero's voice activity detector (MIT): how likely each 32 ms of sound are speech."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from voice.errors import ModelMissing
from voice.models.sessions import open_session

SILERO_RATE = 16_000
SILERO_HOP = 512
CONTEXT_SAMPLES = 64  # of the frame before, which the network sees again
STATE_SHAPE = (1, 1, 128)


class Silero:
    """Silero VAD v6 on ONNX Runtime, one thread. It holds no state; any number of streams share it."""

    rate = SILERO_RATE
    hop = SILERO_HOP

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def open(cls, path: Path | None = None) -> Silero:
        """Load the detector from `path`, or the one that the faster-whisper package carries.

        Raises ModelMissing if there is none.
        """
        path = path or _packaged_model()
        if not path.is_file():
            raise ModelMissing(f"{path} is missing; run `pip install --force-reinstall faster-whisper`")
        return cls(open_session(path, threads=1))

    def stream(self) -> Callable[[np.ndarray], float]:
        """Begin a session: a function from each next (512,) samples at 16 kHz to P(speech)."""
        several = self.stream_several()
        return lambda frame: float(several(frame[None])[0])

    def stream_several(self) -> Callable[[np.ndarray], np.ndarray]:
        """Begin a session for (N, 512) frames at once → (N,): the same numbers in half the time."""
        state = {"h": np.zeros(STATE_SHAPE, np.float32), "c": np.zeros(STATE_SHAPE, np.float32)}
        before = np.zeros(CONTEXT_SAMPLES, np.float32)

        def probabilities(frames: np.ndarray) -> np.ndarray:
            nonlocal before
            contexts = np.concatenate((before[None], frames[:-1, -CONTEXT_SAMPLES:]))
            seen = np.concatenate((contexts, frames), axis=1, dtype=np.float32)
            found, state["h"], state["c"] = self._session.run(None, {"input": seen, **state})
            before = seen[-1, -CONTEXT_SAMPLES:]
            speech: np.ndarray = found.reshape(-1)
            return speech

        return probabilities


def _packaged_model() -> Path:
    """Return the path of the model file inside the faster-whisper package, without importing the package."""
    from importlib.util import find_spec

    spec = find_spec("faster_whisper")
    locations = spec.submodule_search_locations if spec else None
    folder = Path(locations[0]) if locations else Path("faster_whisper")
    return folder / "assets" / "silero_vad_v6.onnx"

"""End-of-turn detection from the sound alone: smart-turn-v3 (Daily, BSD-2-Clause) on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from voice.errors import ModelDamaged
from voice.features import whisper_log_mel
from voice.models.sessions import open_session
from voice.types import Audio

RATE = 16_000
SECONDS = 8  # of the turn's end that the network sees
SILENCE_AFTER = 0.2  # seconds after the turn
COMPLETE, INCOMPLETE = 0.3, 1.2  # seconds of silence that end a turn by the sound alone


class SmartTurn:
    """P(the turn is complete) above a half, from the last eight seconds of the turn."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> SmartTurn:
        """Load the one ONNX file of `folder`. Raises ModelDamaged where there is not just one."""
        files = list(Path(folder).glob("*.onnx"))
        if len(files) != 1:
            raise ModelDamaged(
                f"{folder} holds {len(files)} .onnx files instead of one; fetch smart-turn-v3 again"
            )
        return cls(open_session(files[0], threads=threads or 1))

    def endpoint_after(self, partial: str, probability: float, end_of_sentence: float | None = None) -> float:
        """Return the seconds of silence that end the turn, by the sound alone."""
        return COMPLETE if probability > 0.5 else INCOMPLETE

    def probability(self, turn: Audio) -> float:
        """Return P(complete) of a turn cut off at its last sound; the network expects a silence after it."""
        if turn.rate != RATE:
            from voice.audio import resample

            turn = resample(turn, RATE)
        wanted = SECONDS * RATE
        samples = np.pad(turn.samples, (0, round(SILENCE_AFTER * RATE)))[-wanted:].astype(np.float32)
        samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        samples = np.pad(samples, (wanted - len(samples), 0))  # the end of the turn is the end of the window
        mel = whisper_log_mel(samples)[None]  # (1, 80, 800)
        return float(self._session.run(None, {self._input: mel})[0].reshape(-1)[0])

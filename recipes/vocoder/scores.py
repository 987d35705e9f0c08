"""How good copied speech is: PESQ, STOI, distances of mel and pitch. Both signals are (T,) at 24 kHz."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import Any

import numpy as np

from voice import pitch
from voice.features import VOICE_HOP, VOICE_RATE, voice_log_mel

PESQ_RATE = 16_000


def _to_pesq_rate(samples: np.ndarray) -> np.ndarray:
    import soxr

    return soxr.resample(samples.astype(np.float32), VOICE_RATE, PESQ_RATE)


def pesq_wideband(real: np.ndarray, made: np.ndarray) -> float:
    """ITU-T P.862.2, 1 to 4.6; NaN where it finds no speech, or where `pesq` could not be compiled."""
    try:
        from pesq import NoUtterancesError, pesq
    except ImportError:
        return float("nan")

    try:
        return float(pesq(PESQ_RATE, _to_pesq_rate(real), _to_pesq_rate(made), "wb"))
    except NoUtterancesError:
        return float("nan")


def stoi(real: np.ndarray, made: np.ndarray) -> float:
    """Short-time objective intelligibility (Taal et al. 2011), 0 to 1."""
    from pystoi import stoi as score

    return float(score(_to_pesq_rate(real), _to_pesq_rate(made), PESQ_RATE))


def mel_distance(real: np.ndarray, made: np.ndarray) -> float:
    """Mean absolute difference of log-mel spectra, nats."""
    return float(np.abs(voice_log_mel(real) - voice_log_mel(made)).mean())


@lru_cache
def _listener() -> Any:
    """Load Distill-MOS, which prints a line when it is loaded."""
    from distillmos import ConvTransformerSQAModel

    with redirect_stdout(StringIO()):  # it tells where it lies
        return ConvTransformerSQAModel().eval()


def distill_mos(made: np.ndarray) -> float:
    """Quality as listeners would rate it, 1 to 5, without a reference (Stahl and Gamper 2025)."""
    import torch

    with torch.no_grad():
        return float(_listener()(torch.from_numpy(_to_pesq_rate(made))[None]))


@dataclass(frozen=True)
class PitchAgreement:
    """Sums over frames, so that those of several clips add up to the corpus's."""

    squared_cents: float = 0.0
    both: int = 0
    real: int = 0
    made: int = 0

    def __add__(self, other: PitchAgreement) -> PitchAgreement:
        return PitchAgreement(
            self.squared_cents + other.squared_cents, self.both + other.both,
            self.real + other.real, self.made + other.made,
        )  # fmt: skip

    @property
    def rmse(self) -> float:
        """Cents, over frames voiced in both."""
        return (self.squared_cents / max(1, self.both)) ** 0.5

    @property
    def voicing_f1(self) -> float:
        return 2 * self.both / max(1, self.real + self.made)


def pitch_agreement(real: np.ndarray, made: np.ndarray) -> PitchAgreement:
    a, b = (pitch.f0(samples, VOICE_RATE, VOICE_HOP) for samples in (real, made))
    both = (a > 0) & (b > 0)
    cents = 1200 * np.log2(b[both] / a[both])
    voiced = (int(np.count_nonzero(frames)) for frames in (both, a, b))
    return PitchAgreement(float(np.square(cents).sum()), *voiced)


def on_card(row: Mapping[str, Any]) -> dict[str, float]:
    """Return what a card has of a row of evaluate.py's table: PESQ-WB and STOI."""
    return {f"PESQ-WB, {row['test']}": round(row["pesq"], 2), f"STOI, {row['test']}": round(row["stoi"], 3)}

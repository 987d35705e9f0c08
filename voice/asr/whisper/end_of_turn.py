"""How complete speech sounds at its end: a linear layer on a recognizer's encoder.

What the encoder makes of the last two seconds is averaged in stretches that get longer the further back
they lie; the layer tells ends of sentences from pauses inside them. It is fitted on sound that is cut
off at its last syllable, so that it hears nothing of the silence after it (see benchmarks.endings).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from voice.asr.ctc.alphabet import FRAME
from voice.errors import ModelDamaged
from voice.features import WHISPER_RATE
from voice.types import Audio

NAME = "ending.npz"
CONTEXT = 4.0  # seconds that the encoder hears
AFTER = 0.1  # seconds of digital silence after them
LARGEST = 1_000_000  # bytes of a layer, as it is stored and unpacked
STRETCHES = ((100, 50), (50, 25), (25, 12), (12, 5), (5, 0), (0, -5))  # frames of 20 ms before the end


class Ending:
    """`weights` (6, D) and `bias`: the log-odds that a sentence ends here."""

    def __init__(self, weights: np.ndarray, bias: float) -> None:
        self._weights, self._bias = weights.astype(np.float32), float(bias)

    @classmethod
    def find(cls, folder: Path) -> Ending | None:
        """That of a model folder, if it has one. Raises ModelDamaged."""
        path = Path(folder) / NAME
        if not path.is_file():
            return None
        try:
            _check_size(path)
            with np.load(path) as file:
                return cls(file["weights"], file["bias"])
        except Exception as error:  # NumPy and zipfile have a dozen for what is no such file
            raise ModelDamaged(f"{path} cannot be read ({error}); fetch the recognizer again") from error

    def __call__(self, stretches: np.ndarray) -> float:
        """P(complete) of (6, D), as `pooled` makes them."""
        odds = float((stretches * self._weights).sum()) + self._bias
        return 1 / (1 + float(np.exp(-odds)))


def _check_size(path: Path) -> None:
    """Raise ValueError for an archive that holds more than a layer; packed zeros take a thousandth."""
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > LARGEST or path.stat().st_size > LARGEST:
        raise ValueError(f"it holds more than {LARGEST:,} bytes")


def pooled(speech: Audio, encode: Callable[[Audio], np.ndarray]) -> np.ndarray:
    """The mean (6, D) of what `encode` makes of each of STRETCHES, back from the last sound of `speech`.

    `encode` takes Audio at 16 kHz and returns (F, D), a row for each FRAME seconds. It is called once.
    """
    samples = speech.samples[-round(CONTEXT * WHISPER_RATE) :]
    end = round(len(samples) / WHISPER_RATE / FRAME)
    silence = np.zeros(round(AFTER * WHISPER_RATE), np.float32)
    encoded = encode(Audio(np.concatenate((samples, silence)), WHISPER_RATE))
    spans = ((max(0, end - first), max(1, end - last)) for first, last in STRETCHES)
    return np.stack([encoded[first:last].mean(axis=0) for first, last in spans])

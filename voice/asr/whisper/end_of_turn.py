"""How complete speech sounds at its end: a linear layer on a recognizer's encoder.

The encoder's output for the last two seconds is averaged over stretches that get longer the further back
they lie; the layer tells ends of sentences from pauses inside them. It is fitted on sound that is cut
off at its last syllable, so that it learns nothing from the silence after it (see benchmarks.endings).
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

FILE_NAME = "ending.npz"
CONTEXT = 4.0  # seconds that the encoder gets
SILENCE_AFTER = 0.1  # seconds of digital silence after them
MAX_BYTES = 1_000_000  # of a layer, as it is stored and unpacked
STRETCHES = ((100, 50), (50, 25), (25, 12), (12, 5), (5, 0), (0, -5))  # frames of 20 ms before the end


class EndOfTurnHead:
    """`weights` (6, D) and `bias`: the log-odds that a sentence ends here."""

    def __init__(self, weights: np.ndarray, bias: float) -> None:
        self._weights, self._bias = weights.astype(np.float32), float(bias)

    @classmethod
    def find(cls, folder: Path) -> EndOfTurnHead | None:
        """Load the layer of a model folder, or return None if it has none. Raises ModelDamaged."""
        path = Path(folder) / FILE_NAME
        if not path.is_file():
            return None
        try:
            _check_size(path)
            with np.load(path) as file:
                return cls(file["weights"], file["bias"])
        except Exception as error:  # NumPy and zipfile have a dozen for what is no such file
            raise ModelDamaged(f"{path} cannot be read ({error}); fetch the recognizer again") from error

    def __call__(self, stretches: np.ndarray) -> float:
        """Return P(complete) of the (6, D) means of `average_stretches`."""
        odds = float((stretches * self._weights).sum()) + self._bias
        return 1 / (1 + float(np.exp(-odds)))


def average_stretches(speech: Audio, encode: Callable[[Audio], np.ndarray]) -> np.ndarray:
    """Return the mean (6, D) of the encoder's output over each of STRETCHES, back from the end of `speech`.

    `encode` takes Audio at 16 kHz and returns (F, D), a row for each FRAME seconds. It is called once.
    """
    samples = speech.samples[-round(CONTEXT * WHISPER_RATE) :]
    end = round(len(samples) / WHISPER_RATE / FRAME)
    silence = np.zeros(round(SILENCE_AFTER * WHISPER_RATE), np.float32)
    encoded = encode(Audio(np.concatenate((samples, silence)), WHISPER_RATE))
    spans = ((max(0, end - first), max(1, end - last)) for first, last in STRETCHES)
    return np.stack([encoded[first:last].mean(axis=0) for first, last in spans])


def _check_size(path: Path) -> None:
    """Raise ValueError for an archive that holds more than a layer; packed zeros take a thousandth."""
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MAX_BYTES or path.stat().st_size > MAX_BYTES:
        raise ValueError(f"it holds more than {MAX_BYTES:,} bytes")

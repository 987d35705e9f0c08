"""The styles of Kokoro's voices, and mixtures of them such as af_heart+bf_emma:0.3.

A voice has a style of 256 numbers for each number of tokens in a sentence. `styles.npz` has them as products
of 12 curves over the number of tokens, which all voices share, and the weights of each voice
(`recipes/kokoro/styles.py`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voice.models.kokoro import parse_mixture


class _Tables(NamedTuple):
    """The (T, C) curves over the number of tokens, and the (C, 256) weights of each voice."""

    curves: np.ndarray
    weights: dict[str, np.ndarray]


@cache
def _tables() -> _Tables:
    with np.load(Path(__file__).with_name("styles.npz")) as file:
        return _Tables(file["curves"], dict(zip(file["names"].tolist(), file["weights"], strict=True)))


def style_table(voice: str) -> np.ndarray:
    """Return the (510, 256) styles of a voice or a mixture, row i for i + 1 tokens. Raises ModelMissing."""
    curves, weights = _tables()
    shares = parse_mixture(voice)
    table: np.ndarray = curves @ sum(share * weights[name] for name, share in shares.items())
    return table.astype(np.float32)

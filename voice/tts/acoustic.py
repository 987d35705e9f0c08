"""Our own voices: phonemes → durations, pitch, energy → mel and F0 → vocoder.

Two ONNX graphs with NumPy between them. `text.onnx` looks at the whole sentence once and says how
long, how high and how loud each token is; the lengths are made here, where speed and other
controls act on plain arrays; `frames.onnx` draws the mel spectrum and the fine pitch curve.
The recipe that trains them is `recipes/tts`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice.errors import ModelDamaged, ModelError
from voice.features import VOICE_HOP, VOICE_RATE
from voice.types import Audio, Controls, Speech, Word

BOUNDARY = "_"  # the silence at either end of a sentence
SYMBOLS = BOUNDARY + ' ;:,.!?—…"()“”' + "AIOQWYaeoæɑɐɒɔəɚɛɜɪʊʌᵊᵻiu" + "bdfhjklmnprstvwxzðŋɡɹɾTʃʒθʤʧʔ" + "ˈˌː"
FEATURES = 8  # what `frame_features` says of a frame
EDGE = 12  # frames of silence kept at either end; the pauses between sentences are made elsewhere
LONGEST = 160  # frames (2 s) that one token may take

log = logging.getLogger(__name__)


def frame_features(
    durations: np.ndarray, pitch: np.ndarray, energy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lengths the tokens to frames.

    durations: (L,) whole frames, together F; pitch, energy: (L,) in standard deviations.
    Returns (F,) the token of each frame, and (F, FEATURES): where in its token the frame lies,
    how long that is, and the pitch and energy, drawn as lines through the middles of the tokens.
    """
    token = np.repeat(np.arange(len(durations)), durations)
    starts = np.cumsum(durations) - durations
    length = durations[token]
    since = np.arange(len(token)) - starts[token] + 0.5
    share = since / np.maximum(length, 1)
    spoken = durations > 0
    middles = (starts + durations / 2)[spoken]
    frames = np.arange(len(token)) + 0.5
    columns = [
        share,
        np.sin(np.pi * share),
        np.minimum(since / 8, 2.0),
        np.minimum((length - since) / 8, 2.0),
        np.log(np.maximum(length, 1)) / 2,
        np.ones(len(token)),
        np.interp(frames, middles, pitch[spoken]),
        np.interp(frames, middles, energy[spoken]),
    ]
    return token, np.stack(columns, 1).astype(np.float32)


def whole_frames(lengths: np.ndarray) -> np.ndarray:
    """(L,) real lengths in frames → (L,) whole ones whose running sum stays within half a frame."""
    ends = np.round(np.cumsum(np.minimum(lengths, LONGEST))).astype(np.int64)
    return np.diff(ends, prepend=0)

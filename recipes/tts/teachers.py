"""Teachers: synthesizers that speak phonemes and know how long each of them takes.

`heart` is a dependency; Kokoro-82M, whose voices and mixtures are all the others, is a model of the catalog.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from voice.features import VOICE_HOP
from voice.models.kokoro import MODEL
from voice.models.lookup import find
from voice.tts.engine import Utterance
from voice.tts.heart import Heart
from voice.tts.kokoro.engine import Kokoro


class Taught(NamedTuple):
    """`samples` (F × 300,) at 24 kHz; `durations` (L + 2,) frames: a pad, L phonemes, a pad."""

    samples: np.ndarray
    durations: np.ndarray


Teacher = Callable[[str], Taught]  # phonemes → speech


def teacher(name: str) -> Teacher:
    """Return `heart`, or a voice or a mixture of Kokoro's, such as jm_kumo+jf_alpha. Raises ModelError."""
    engine = Heart.open() if name == "heart" else Kokoro.open(find(MODEL).folder, speaker=name)
    return lambda phonemes: _taught(engine.render_phonemes(phonemes))


def _taught(made: Utterance) -> Taught:
    """Return an utterance, exactly as many samples as its durations say."""
    wanted = int(made.durations.sum()) * VOICE_HOP
    samples = np.pad(made.samples[:wanted], (0, max(0, wanted - len(made.samples))))
    return Taught(samples.astype(np.float32), made.durations)

"""Possible onsets of speech: detected sooner than a detector of speech is sure, and often wrong.

The detector hesitates for half a second at some beginnings ("I need…", "She looked…"), whose sound is
louder than the quiet all the while. So the probabilities of speech of loud frames are summed.
"""

from __future__ import annotations

import numpy as np

LOUD = 15.0  # dB above the quiet
AUDIBLE = -45.0  # dB of full scale below which nothing is loud
QUIETEST = AUDIBLE - LOUD  # dB; a gap of digital silence says nothing of how quiet the room is
FLOOR_RISE = 0.15  # dB by which the quiet is taken to grow in each frame that is not as quiet
UNLIKELY = 0.1  # P(speech) of a frame that is none
LIKELY_SUM = 0.6  # sum of the probabilities of loud frames
FEWEST_LOUD = 2  # of them: one is a click


class OnsetDetector:
    """Detects onsets in one stream, a frame at a time."""

    def __init__(self) -> None:
        self._quiet: float | None = None  # dB
        self._sum, self._count = 0.0, 0

    def __call__(self, frame: np.ndarray, probability: float) -> bool:
        """Tell whether the last frames, up to this (T,) one with its P(speech), may be somebody."""
        loudness = 10 * float(np.log10(np.mean(np.square(frame)) + 1e-10))
        quiet = loudness if self._quiet is None else min(loudness, self._quiet + FLOOR_RISE)
        self._quiet = max(QUIETEST, quiet)
        if loudness > max(AUDIBLE, self._quiet + LOUD) and probability > UNLIKELY:
            self._sum, self._count = self._sum + probability, self._count + 1
        else:
            self._sum, self._count = 0.0, 0
        return self._count >= FEWEST_LOUD and self._sum >= LIKELY_SUM

    def forget(self) -> None:
        """Forget the loud frames so far; how quiet it is here stays known."""
        self._sum, self._count = 0.0, 0

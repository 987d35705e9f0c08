"""From the tokens of a sentence to its frames: whole durations, what describes each frame, and its ends."""

from __future__ import annotations

import numpy as np

from voice.features import VOICE_HOP
from voice.text.alphabet import BOUNDARY, MARKS, MODIFIERS

FEATURES = 8  # what `frame_features` says of a frame
PITCH, LOUDNESS = 6, 7  # the places of these two among them
EDGE = 8  # frames of silence at either end; the pauses between sentences are made elsewhere
# Of these, how many beside the speech are heard; the others are silent, whatever a room adds.
BEFORE, AFTER = 2, 4
SHORTEST_PAUSE = 3  # frames; in training a pause has as many or none
LONGEST_TOKEN = 160  # frames (2 s) that one token may take


def frame_features(
    durations: np.ndarray, pitch: np.ndarray, energy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Spread tokens over their frames.

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


def token_frames(symbols: str, lengths: np.ndarray) -> np.ndarray:
    """Turn (L,) predicted lengths of `symbols` in frames into (L,) whole frames that make sense.

    Marks take no time, a pause is none at all or long enough to be one, a phoneme has at least a
    frame, and both ends are EDGE frames of silence.
    """
    timeless, pausing, ends = (
        np.array([s in kind for s in symbols]) for kind in (MODIFIERS, MARKS, BOUNDARY)
    )
    pauses = np.where(lengths < SHORTEST_PAUSE / 2, 0.0, np.maximum(lengths, SHORTEST_PAUSE))
    lengths = np.where(pausing, pauses, np.maximum(lengths, 1.0))
    return whole_frames(np.where(timeless, 0.0, np.where(ends, EDGE, lengths)))


def edges(durations: np.ndarray, first: int, count: int) -> np.ndarray:
    """Return (count,) float32 factors of samples from the `first` one of a sentence on: 1, 0 at its ends."""
    start = (int(durations[0]) - BEFORE) * VOICE_HOP
    end = (int(durations.sum()) - int(durations[-1]) + AFTER) * VOICE_HOP
    places = np.arange(first, first + count)
    return np.clip(np.minimum(places - start, end - places) / VOICE_HOP, 0.0, 1.0).astype(np.float32)


def steady(values: np.ndarray) -> np.ndarray:
    """Return (F,) the median of each value and its neighbors, because voicing does not flicker."""
    padded = np.pad(values, 1, mode="edge")
    median: np.ndarray = np.median([padded[:-2], values, padded[2:]], axis=0)
    return median


def whole_frames(lengths: np.ndarray) -> np.ndarray:
    """Turn (L,) real lengths in frames into whole ones whose running sum stays within half a frame."""
    ends = np.floor(np.cumsum(np.minimum(lengths, LONGEST_TOKEN)) + 0.5).astype(np.int64)
    return np.diff(ends, prepend=0)

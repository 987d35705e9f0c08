"""Connectionist temporal classification (Graves et al. 2006): read, align and score letters.

Log-probabilities are (F, 29): a row for each `alphabet.FRAME` seconds, a column for each label,
`alphabet.BLANK` the first. Labels are as `alphabet.spell` gives them, without blanks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from voice.asr.ctc.alphabet import BLANK, LOG_ZERO, letters_of
from voice.errors import ModelDamaged, ModelMissing
from voice.models.sessions import open_session


class CTCHead:
    """A network from a recognizer's encoder output to letters. It holds no state between calls."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def open(cls, path: Path, *, threads: int | None = None) -> CTCHead:
        """Load an ONNX file: "encoded" (B, F, D) → "log_probs" (B, F, 29).

        Raises ModelMissing or ModelDamaged.
        """
        if not Path(path).is_file():
            raise ModelMissing(f"{path} is missing; fetch the recognizer again")
        try:
            session = open_session(Path(path), threads=threads or 0)
            sides = session.get_inputs(), session.get_outputs()
            ins, outs = ([each.name for each in side] for side in sides)
        except Exception as error:  # the library's own errors share no base
            raise ModelDamaged(f"{path} cannot be read ({error}); fetch the recognizer again") from error
        if (ins, outs) != (["encoded"], ["log_probs"]):
            raise ModelDamaged(f'{path} maps {ins} to {outs}; a head maps "encoded" to "log_probs"')
        return cls(session)

    def __call__(self, encoded: np.ndarray) -> np.ndarray:
        """Compute (B, F, 29) log-probabilities of (B, F, D) float32."""
        log_probs: np.ndarray = self._session.run(["log_probs"], {"encoded": encoded})[0]
        return log_probs


def greedy_letters(log_probs: np.ndarray) -> str:
    """Read the likeliest label of each frame, without repeats and blanks: words apart by one space."""
    best = log_probs.argmax(axis=1)
    fresh = np.concatenate(([True], best[1:] != best[:-1]))[: len(best)]
    return " ".join(letters_of(best[fresh & (best != BLANK)]).split())


def align_labels(log_probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the frames [start, end) of each label on the likeliest path through all of them: (L, 2) int.

    They rise and never overlap; between two labels there are blanks. If there are more
    labels than frames can hold, they are spread evenly.
    """
    if len(labels) == 0:
        return np.zeros((0, 2), np.int64)
    if len(log_probs) < min_frames(labels):
        edges = np.round(np.linspace(0, len(log_probs), len(labels) + 1)).astype(np.int64)
        return np.stack((edges[:-1], edges[1:]), axis=1)
    states = _trace_back(*_best_totals(log_probs, labels))
    odd = np.arange(1, 2 * len(labels), 2)  # every second state is a label's, the others are blank
    starts, ends = (np.searchsorted(states, odd, side) for side in ("left", "right"))
    return np.stack((starts, ends), axis=1)


def end_frame(log_probs: np.ndarray, labels: np.ndarray) -> int:
    """Return the frame after the last of the labels, if they come first and anything may follow them."""
    if len(labels) == 0 or len(log_probs) < min_frames(labels):
        return 0 if len(labels) == 0 else len(log_probs)
    totals, _ = _best_totals(log_probs, labels)
    free = log_probs.max(axis=1)[::-1].cumsum()[::-1]  # from each frame on
    return 1 + int(np.argmax(totals[:, -2] + np.append(free[1:], 0.0)))


def log_likelihood(log_probs: np.ndarray, labels: np.ndarray) -> float:
    """Compute log P(labels | sound), summed over all paths; -inf if they do not fit into the frames."""
    if len(log_probs) < max(1, min_frames(labels)):
        return -np.inf
    extended, skips = _extend_labels(labels)
    emitted = log_probs[:, extended].astype(np.float64)
    row = np.full(2 + len(extended), float(LOG_ZERO))  # two states before the first, never reached
    row[2:4] = emitted[0, :2]
    for emission in emitted[1:]:
        stay = np.logaddexp(row[2:], row[1:-1])
        row[2:] = np.logaddexp(stay, row[:-2] + skips) + emission
    return float(np.logaddexp(row[-1], row[-2] if len(labels) else float(LOG_ZERO)))


def min_frames(labels: np.ndarray) -> int:
    """Return how many frames the labels need: one each, and a blank between two that are the same."""
    return len(labels) + int(np.count_nonzero(labels[1:] == labels[:-1]))


def _extend_labels(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels with blanks around them (2L + 1,), and the cost of skipping the state before each."""
    extended = np.full(2 * len(labels) + 1, BLANK)
    extended[1::2] = labels
    skips = np.full(len(extended), LOG_ZERO)
    skips[3::2][labels[1:] != labels[:-1]] = 0.0
    return extended, skips


def _best_totals(log_probs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the best log-probability of each state in each frame (F, 2L + 1), and the costs of skips."""
    extended, skips = _extend_labels(labels)
    # There are two states before the first, which are never reached.
    totals = np.full((len(log_probs), 2 + len(extended)), LOG_ZERO)
    emitted = np.take(log_probs.astype(np.float32), extended, axis=1)
    totals[0, 2:4] = emitted[0, :2]
    stay, skip = np.empty_like(skips), np.empty_like(skips)
    for row, following, emission in zip(totals[:-1], totals[1:], emitted[1:], strict=True):
        np.maximum(row[2:], row[1:-1], out=stay)
        np.add(row[:-2], skips, out=skip)
        np.maximum(stay, skip, out=stay)
        np.add(stay, emission, out=following[2:])
    return totals[:, 2:], skips


def _trace_back(totals: np.ndarray, skips: np.ndarray) -> np.ndarray:
    """Return the state of each frame (F,): back along the best totals, from the likelier of the last two."""
    states = np.empty(len(totals), np.int64)
    state = totals.shape[1] - 1
    state -= int(totals[-1, state - 1] > totals[-1, state])
    for frame in range(len(totals) - 1, 0, -1):
        states[frame] = state
        row = totals[frame - 1]
        best, step = row[state], 0
        if state and row[state - 1] > best:
            best, step = row[state - 1], 1
        if skips[state] == 0.0 and row[state - 2] > best:
            step = 2
        state -= step
    states[0] = state
    return states

"""The sentence of a grammar that best explains what a CTC head read: Viterbi over CTC's topology."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from voice.asr.ctc.alphabet import BLANK, LOG_ZERO, SPACE
from voice.asr.ctc.grammar import Grammar, Symbol


@dataclass(frozen=True)
class ParsedWord:
    """A word of the best path, its frames [start, end), and its `gap` to the likelihood of the free path."""

    symbol: Symbol
    start: int
    end: int
    gap: float


@dataclass(frozen=True)
class Parse:
    """The likeliest sentence. `gap` is its log-probability less that of the best letters of all, ≤ 0."""

    value: Hashable
    words: tuple[ParsedWord, ...]
    gap: float


def decode(
    log_probs: np.ndarray, grammar: Grammar, *, floor: float = -8.0, blank_penalty: float = 0.0
) -> Parse | None:
    """Return the sentence that best explains (F, 29) log-probabilities, or None if none fits into F frames.

    No single frame counts for less than `floor`, so that one letter that is not heard does not
    outweigh all others. `blank_penalty` is subtracted from blanks: an unsure head writes few letters, and
    short sentences would be taken for long ones.
    """
    if len(log_probs) == 0:
        return None
    log_probs = np.maximum(log_probs, floor).astype(np.float32)
    log_probs[:, BLANK] -= blank_penalty
    trellis = _trellis(log_probs, grammar)
    node, blank, total = _best_end(trellis, grammar)
    if total <= LOG_ZERO / 2:
        return None
    steps = _trace_path(log_probs, trellis, grammar, node, blank)
    return _parse(log_probs, grammar, steps, node)


def _trellis(log_probs: np.ndarray, grammar: Grammar) -> np.ndarray:
    """Compute the best path to each node (F, 2, N): it ends in the letter (0) or in a blank after it (1)."""
    frames, count = len(log_probs), len(grammar.labels)
    totals = np.empty((frames, 2, count), np.float32)
    same = grammar.labels[grammar.sources] == grammar.labels[grammar.targets]
    heads, begins = np.unique(grammar.targets, return_index=True)
    silence = np.concatenate(([0.0], np.cumsum(log_probs[:, BLANK])))  # before the first letter
    letter, blank = np.full((2, count), LOG_ZERO, np.float32)
    for frame, row in enumerate(log_probs):
        entered = np.where(grammar.first, np.float32(silence[frame]), LOG_ZERO)
        if len(heads):
            arriving = np.maximum(np.where(same, LOG_ZERO, letter[grammar.sources]), blank[grammar.sources])
            entered[heads] = np.maximum(entered[heads], np.maximum.reduceat(arriving, begins))
        blank = row[BLANK] + np.maximum(letter, blank)
        letter = row[grammar.labels] + np.maximum(letter, entered)
        totals[frame, 0], totals[frame, 1] = letter, blank
    return totals


def _best_end(trellis: np.ndarray, grammar: Grammar) -> tuple[int, int, float]:
    """Return the node, its row in the trellis (letter or blank) and the log-probability of the best path."""
    ends = np.where(grammar.last, trellis[-1], LOG_ZERO)  # (2, N)
    blank, node = np.unravel_index(int(ends.argmax()), ends.shape)
    return int(node), int(blank), float(ends[blank, node])


def _trace_path(
    log_probs: np.ndarray, trellis: np.ndarray, grammar: Grammar, node: int, blank: int
) -> np.ndarray:
    """Return the best path (F, 2): the node of each frame, -1 before the first, and whether it is a blank."""
    steps = np.full((len(log_probs), 2), -1, np.int64)
    starts = np.searchsorted(grammar.targets, np.arange(len(grammar.labels) + 1))
    for frame in range(len(log_probs) - 1, -1, -1):
        steps[frame] = node, blank
        if frame == 0:
            break
        before = trellis[frame - 1]
        if blank:
            blank = int(before[1, node] > before[0, node])
            continue
        best, origin = before[0, node], (node, 0)
        for source in grammar.sources[starts[node] : starts[node + 1]]:
            rows = (1,) if grammar.labels[source] == grammar.labels[node] else (0, 1)
            for row in rows:
                if before[row, source] > best:
                    best, origin = before[row, source], (int(source), row)
        if grammar.first[node] and log_probs[:frame, BLANK].sum(dtype=np.float64) > best:
            break
        node, blank = origin
    return steps


def _parse(log_probs: np.ndarray, grammar: Grammar, steps: np.ndarray, end: int) -> Parse:
    """Read the words and the value of the best path."""
    nodes, blanks = steps.T
    labels = np.where((nodes < 0) | (blanks == 1), BLANK, grammar.labels[nodes])
    gaps = log_probs[np.arange(len(labels)), labels] - log_probs.max(axis=1)
    words, start = [], -1
    for frame, node in enumerate(nodes):
        if node < 0 or grammar.labels[node] == SPACE:
            continue
        start = frame if start < 0 else start
        left = frame + 1 == len(nodes) or nodes[frame + 1] != node
        if left and int(node) in grammar.words:
            stop, gap = _last_letter(blanks, start, frame), float(gaps[start : frame + 1].sum())
            words.append(ParsedWord(grammar.words[int(node)], start, stop, gap))
            start = -1
    return Parse(grammar.ends[end].value, tuple(words), float(gaps.sum()))


def _last_letter(blanks: np.ndarray, start: int, frame: int) -> int:
    """Return the end of the word's last letter; the blanks after it are silence."""
    return int(start + np.flatnonzero(blanks[start : frame + 1] == 0)[-1] + 1)

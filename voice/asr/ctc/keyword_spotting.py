"""Keyword spotting: where terms may stand in what a CTC head read.

Tokens are passed through the tree of terms beside the best letters of all, as in CTC-based word
spotting (Andrusenko et al. 2024, arXiv:2406.07096).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from voice.asr.ctc.alphabet import BLANK, LOG_ZERO, SPACE
from voice.asr.ctc.hotwords import Hotwords


@dataclass(frozen=True)
class SpottingOptions:
    """How far a term may stay behind the best letters of all and still be found.

    A token may be `slack` and `slack_per_letter` nats behind, and no frame costs more than `worst_frame`.
    """

    slack: float = 6.0
    slack_per_letter: float = 1.0
    worst_frame: float = 6.0


@dataclass(frozen=True)
class Spot:
    """A term may stand in the frames [start, end); its `deficit` to the best letters there is ≤ 0."""

    term: int
    start: int
    end: int
    deficit: float


def find_spots(
    log_probs: np.ndarray, hotwords: Hotwords, options: SpottingOptions = SpottingOptions()
) -> list[Spot]:
    """Find where terms may stand between word boundaries: of each term the best of those that overlap."""
    found: dict[int, list[Spot]] = {}
    for spot in sorted(_term_ends(log_probs, hotwords, options), key=lambda each: -each.deficit):
        others = found.setdefault(spot.term, [])
        if all(spot.end <= other.start or other.end <= spot.start for other in others):
            others.append(spot)
    return [spot for each in found.values() for spot in each]


def _term_ends(log_probs: np.ndarray, hotwords: Hotwords, options: SpottingOptions) -> Iterator[Spot]:
    """Yield every token that reaches the space after a term."""
    edge = np.full((1, log_probs.shape[1]), -options.worst_frame, np.float32)
    edge[0, SPACE] = 0.0  # before and after the sound no word goes on
    deficits = np.maximum(log_probs - log_probs.max(axis=1, keepdims=True), -options.worst_frame)
    rows = np.concatenate((edge, deficits, edge)).astype(np.float32)
    silent = rows[:, 1:].max(axis=1) <= -options.worst_frame  # of those in a row one is as good as all
    tokens = _TokenPassing(hotwords, options)
    for frame in np.flatnonzero(~(silent & np.roll(silent, 1))).tolist():
        for node, start, score in tokens.step(frame, rows[frame]):
            first, last = max(0, start - 1), min(frame - 1, len(log_probs))
            if first < last:
                yield Spot(int(hotwords.term[node]), first, last, score)


class _TokenPassing:
    """The tokens alive in the tree: of each node the best in its letter, and the best in a blank after it."""

    def __init__(self, hotwords: Hotwords, options: SpottingOptions) -> None:
        self._tree = hotwords
        self._least = -(options.slack + options.slack_per_letter * hotwords.depth).astype(np.float32)
        self._index = np.full(len(hotwords.labels), -1)  # of each node among the tokens
        self._nodes = np.zeros(0, np.int64)
        self._scores = np.zeros((2, 0), np.float32)  # letter, blank
        self._starts = np.zeros((2, 0), np.int64)

    def step(self, frame: int, row: np.ndarray) -> Iterator[tuple[int, int, float]]:
        """Pass all tokens over a frame; yield node, start and score of those that end a term."""
        nodes, scores, starts = self._entering(frame, row)
        self._stay(row)
        new = self._merge(nodes, scores, starts)
        self._nodes = np.concatenate((self._nodes, nodes[new]))
        fresh = np.stack((scores[new], np.full(int(new.sum()), LOG_ZERO)))
        self._scores = np.concatenate((self._scores, fresh), axis=1)
        self._starts = np.concatenate((self._starts, np.stack((starts[new], starts[new]))), axis=1)
        alive = self._scores.max(axis=0) >= self._least[self._nodes]
        self._nodes = self._nodes[alive]
        self._scores, self._starts = self._scores[:, alive], self._starts[:, alive]
        ended = np.flatnonzero((self._tree.term[nodes] >= 0) & (scores >= self._least[nodes]))
        for index in ended:
            yield int(nodes[index]), int(starts[index]), float(scores[index])

    def _entering(self, frame: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the nodes that are reached by their letter in this frame, with score and start."""
        counts = self._tree.children[self._nodes]
        parents = np.repeat(np.arange(len(self._nodes)), counts)
        within = np.arange(len(parents)) - np.repeat(np.cumsum(counts) - counts, counts)
        nodes = self._tree.first_child[self._nodes][parents] + within
        labels = self._tree.labels[nodes]
        same = labels == self._tree.labels[self._nodes][parents]
        letter, blank = self._scores[:, parents]
        from_blank = same | (blank > letter)
        scores = np.where(from_blank, blank, letter) + row[labels]
        after_letter, after_blank = self._starts[:, parents]
        starts = np.where(from_blank, after_blank, after_letter)
        # a term begins with the first letter after the space, so its start is known on entering that
        starts = np.where(self._tree.depth[nodes] == 1, frame, starts)
        root = np.array([row[SPACE]], np.float32)
        return np.append(0, nodes), np.append(root, scores), np.append(frame, starts)

    def _stay(self, row: np.ndarray) -> None:
        """Let all tokens go on with their letter or with a blank."""
        letter, blank = self._scores
        first, second = self._starts
        waiting = np.maximum(letter, blank) + row[BLANK]
        self._starts = np.stack((first, np.where(letter > blank, first, second)))
        self._scores = np.stack((letter + row[self._tree.labels[self._nodes]], waiting))

    def _merge(self, nodes: np.ndarray, scores: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Replace tokens by better ones that reach their node; tell which nodes have no token yet (bool)."""
        self._index[self._nodes] = np.arange(len(self._nodes))
        indexes = self._index[nodes]
        self._index[self._nodes] = -1
        held = np.flatnonzero(indexes >= 0)
        better = held[scores[held] > self._scores[0, indexes[held]]]
        self._scores[0, indexes[better]] = scores[better]
        self._starts[0, indexes[better]] = starts[better]
        fresh: np.ndarray = indexes < 0
        return fresh

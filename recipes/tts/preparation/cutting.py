"""Cut aligned recordings at their pauses into parts that are short enough to be batched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipes.tts.align import SILENT
from recipes.tts.corpus import Utterance
from voice.text.alphabet import BOUNDARY, SYMBOLS

SHORTEST_PAUSE = 8  # frames of silence, 100 ms, that a recording may be cut in
EDGE = 12  # frames of silence that a part keeps at either end
SHORTEST_PART = 80  # frames: a second

_BOUNDARY = SYMBOLS.index(BOUNDARY)
_SILENT = frozenset(SYMBOLS.index(symbol) for symbol in SILENT)


@dataclass(frozen=True)
class _Pause:
    """Silent tokens [start, end), which take the frames [first, last); `edge`: an end of the recording."""

    start: int
    end: int
    first: int
    last: int
    edge: bool

    @property
    def frames(self) -> int:
        """Return how long it is."""
        return self.last - self.first

    @property
    def leave(self) -> int:
        """Return the frame with which the part after it begins."""
        return max(self.last - EDGE, self.first if self.edge else (self.first + self.last) // 2)

    @property
    def enter(self) -> int:
        """Return the frame before which the part before it ends."""
        return min(self.first + EDGE, self.last if self.edge else (self.first + self.last) // 2)


def cut_at_pauses(utterance: Utterance, longest: int) -> list[Utterance]:
    """Return an utterance in parts of at most `longest` frames, each from one pause to another.

    A stretch that has no pause in time is left out: what comes back may be shorter than what was given.
    """
    if len(utterance.f0) <= longest:
        return [utterance]
    parts = [_part(utterance, before, after) for before, after in _choose(find_pauses(utterance), longest)]
    return [part for part in parts if len(part.f0) >= SHORTEST_PART]


def find_pauses(utterance: Utterance) -> list[_Pause]:
    """Return the pauses that can be cut in, the silence at both ends among them."""
    starts = np.concatenate([[0], np.cumsum(utterance.durations.astype(np.int64))])
    silent = [token in _SILENT for token in utterance.tokens.tolist()]
    found, count, at = [], len(silent), 0
    while at < count:
        end = at
        while end < count and silent[end]:
            end += 1
        at_edge = at == 0 or end == count
        if end > at and (at_edge or starts[end] - starts[at] >= SHORTEST_PAUSE):
            found.append(_Pause(at, end, int(starts[at]), int(starts[end]), at_edge))
        at = max(end, at + 1)
    return found


def _choose(pauses: Sequence[_Pause], longest: int) -> list[tuple[_Pause, _Pause]]:
    """Return the pauses between which the parts lie: few parts, cut where the pauses are long."""
    chosen, at, last = list[tuple[_Pause, _Pause]](), 0, len(pauses) - 1
    while at < last:
        begin = pauses[at].leave
        within = [i for i in range(at + 1, last + 1) if pauses[i].enter - begin <= longest]
        if not within:  # nothing between these two pauses is short enough
            at += 1
            continue
        best = last if within[-1] == last else _best(pauses, within, begin + longest // 3)
        chosen.append((pauses[at], pauses[best]))
        at = best
    return chosen


def _best(pauses: Sequence[_Pause], within: Sequence[int], early: int) -> int:
    """Return the longest of some pauses, if possible one that leaves enough before and after it."""
    end = pauses[-1].enter
    fitting = [i for i in within if pauses[i].enter >= early and end - pauses[i].leave >= SHORTEST_PART]
    return max(fitting or within, key=lambda i: (pauses[i].frames, i))


def _part(utterance: Utterance, before: _Pause, after: _Pause) -> Utterance:
    """Return what is spoken from one pause to another; marks before the later one stay with it."""
    first, last = before.leave, after.enter
    marks = [token for token in utterance.tokens[after.start : after.end].tolist() if token != _BOUNDARY]
    while marks and SYMBOLS[marks[-1]] == " ":
        marks.pop()
    inner = slice(before.end, after.start)
    tokens = [_BOUNDARY, *utterance.tokens[inner].tolist(), *marks, _BOUNDARY]
    inside = [*utterance.durations[inner].tolist(), *[0] * len(marks)]
    durations = [before.last - first, *inside, last - after.first]
    return Utterance(
        id=f"{utterance.id}@{first}",
        speaker=utterance.speaker,
        tokens=np.array(tokens, np.int16),
        durations=np.array(durations, np.int64),
        f0=utterance.f0[first:last],
        loud=utterance.loud[first:last],
        recording=utterance.clip,
        first=utterance.first + first,
    )

"""Hotwords heard in what a CTC head wrote, put in place of what the decoder took them for.

Tokens are passed through the tree of terms beside the best letters of all, as in CTC-based word
spotting (Andrusenko et al. 2024, arXiv:2406.07096), which finds where a term may stand; there it
and the decoder's words are scored against the same frames, and the likelier is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from voice.asr.ctc import head
from voice.asr.ctc.alphabet import BLANK, FRAME, SPACE, spell
from voice.asr.ctc.forced_alignment import EARLIER, LATER, place
from voice.asr.ctc.hotwords import Hotwords, labels_of, plain
from voice.text.sentences import ends_sentence
from voice.types import Word

_NEVER = np.float32(-1e30)


@dataclass(frozen=True)
class Spotting:
    """What is searched for, and what a change must show to be believed.

    While searching, a token may be `slack` and `slack_per_letter` nats behind the best letters of all,
    and no frame costs more than `worst_frame`. Belief is a logistic regression whose weights were
    fitted on the dev sets (and train clips that the head had not seen), with lists of terms spoken
    there and of 5,000 that were not: in a longer list it takes more to be believed.
    """

    slack: float = 6.0
    slack_per_letter: float = 1.0
    worst_frame: float = 6.0
    bias: float = -1.6
    gain: float = 0.12  # per nat, of which at most `most_gain` count: words that fit nothing prove little
    most_gain: float = 8.0
    behind: float = 0.3  # per nat
    letter: float = 0.65  # per letter, of which at most `most_letters` count
    most_letters: int = 8
    doubt: float = 0.55  # per nat of the odds that the recognizer gives against the words
    merged: float = -0.8  # per word after the first that it replaces
    listed: float = -3.2  # if what stands there is a listed term too
    crowd: float = 0.8  # per nat of how many times more terms are listed than `usual`
    usual: int = 100

    def log_odds(self, change: Change, terms: int) -> float:
        """That the change is right, as one of a list of `terms`."""
        sound = self.gain * min(change.gain, self.most_gain) + self.behind * change.behind
        length = self.letter * min(change.letters, self.most_letters)
        words = self.merged * (change.last - change.first - 1) + self.listed * change.listed
        doubt = self.doubt * change.doubt + words
        return float(self.bias + sound + length + doubt - self.crowd * np.log(max(1.0, terms / self.usual)))


@dataclass(frozen=True)
class Spot:
    """A term may be in the frames [start, end), `behind` the best letters there (≤ 0)."""

    term: int
    start: int
    end: int
    behind: float


@dataclass(frozen=True)
class Change:
    """Words [first, last) may become `words`, a term of so many `letters`.

    For the sound between their neighbors it is `gain` nats likelier than they are, and `behind` the
    best letters of all (≤ 0). `doubt` are the recognizer's log odds against the least sure of them;
    `listed` says that they are a listed term already.
    """

    first: int
    last: int
    words: tuple[Word, ...]
    gain: float
    behind: float
    letters: int
    doubt: float
    listed: bool


def apply(
    words: Sequence[Word], log_probs: np.ndarray, hotwords: Hotwords, spotting: Spotting = Spotting()
) -> list[Word]:
    """`words` with the hotwords that are heard in them.

    Their times count from the first of the frames `log_probs` (F, 29). What stays is untouched.
    """
    result = list(words)
    for change in believed(changes(words, log_probs, hotwords, spotting), len(hotwords.terms), spotting):
        result[change.first : change.last] = change.words
    return result


def believed(offered: Sequence[Change], terms: int, spotting: Spotting = Spotting()) -> list[Change]:
    """The changes that are likely right and do not overlap, the last first; their words know how likely."""
    odds = [spotting.log_odds(change, terms) for change in offered]
    taken: list[Change] = []
    for index in sorted(range(len(offered)), key=lambda each: -odds[each]):
        change = offered[index]
        apart = all(change.last <= other.first or other.last <= change.first for other in taken)
        if odds[index] > 0 and apart:
            chance = float(1 / (1 + np.exp(-odds[index])))
            taken.append(replace(change, words=tuple(replace(w, confidence=chance) for w in change.words)))
    return sorted(taken, key=lambda each: -each.first)


def changes(
    words: Sequence[Word], log_probs: np.ndarray, hotwords: Hotwords, spotting: Spotting = Spotting()
) -> list[Change]:
    """Everything that could be changed, believed or not."""
    frames = _frames(words, log_probs)
    places: dict[tuple[int, int], _Place] = {}
    tried: set[tuple[int, int, int]] = set()
    found: list[Change] = []
    for spot in spots(log_probs, hotwords, spotting):
        for span in _covered(spot, frames):
            if (spot.term, *span) in tried:
                continue
            tried.add((spot.term, *span))
            if span not in places:
                places[span] = _Place(words, frames, *span, log_probs, hotwords)
            found += places[span].changes(spot.term)
    return found


def _frames(words: Sequence[Word], log_probs: np.ndarray) -> list[tuple[int, int]]:
    """The frames [start, end) of each word's letters; of one that is not heard, none where it should be."""
    placed = place([f" {word.text}" for word in words], log_probs, FRAME * len(log_probs))
    frames, end = [], 0
    for each in placed:
        start, end = (each.spans[0, 0], each.spans[-1, 1]) if len(each.spans) else (end, end)
        frames.append((int(start), int(end)))
    return frames


def _covered(spot: Spot, frames: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The words [first, last) that the spot covers for the most part, and all that it touches."""
    shares = [(min(e, spot.end) - max(s, spot.start)) / max(1, e - s) for s, e in frames]
    seen: set[tuple[int, int]] = set()
    for least in (0.5, 0.1):
        covered = [index for index, share in enumerate(shares) if share > least]
        if covered and (span := (covered[0], covered[-1] + 1)) not in seen:
            seen.add(span)
            yield span


class _Place:
    """Words [first, last) and the frames between their neighbors, where a term may stand instead."""

    def __init__(
        self,
        words: Sequence[Word],
        frames: Sequence[tuple[int, int]],
        first: int,
        last: int,
        log_probs: np.ndarray,
        hotwords: Hotwords,
    ) -> None:
        self._first, self._last = first, last
        self._words = words[first:last]
        self._hotwords = hotwords
        self._edges = (first > 0, last < len(words))
        self._begin = frames[first - 1][1] if first else 0
        stop = frames[last][0] if last < len(words) else len(log_probs)
        self._window = log_probs[self._begin : max(self._begin, stop)]
        self._limits = (
            words[first - 1].end if first else 0.0,
            words[last].start if last < len(words) else FRAME * len(log_probs),
        )
        before = " ".join(word.text for word in words[max(0, first - 2) : first])
        self._opens = not first or ends_sentence(before, words[first].text)
        text = " ".join(word.text for word in self._words)
        self._plain = plain(text)
        self._standing = self._score(spell(text).labels)

    def changes(self, term: int) -> Iterator[Change]:
        """The change to a term, or to what belongs to it, said in the likeliest of its ways."""
        text, ways = self._hotwords.terms[term].text, self._hotwords.terms[term].ways
        endings = ("", "'s") if _parts(self._words[-1].text)[1].endswith(("'s", "’s")) else ("",)
        scores = {(way, ending): self._score(labels_of(way + ending)) for way in ways for ending in endings}
        way, ending = max(scores, key=lambda each: scores[each])
        score = scores[way, ending]
        if self._plain == plain(text + ending) or not np.isfinite(score):
            return
        words = tuple(self._timed(self._written(text + ending), way + ending))
        letters, listed = len(way.replace(" ", "")), self._plain in self._hotwords.plain
        behind = min(0.0, score - float(self._window.max(axis=1).sum()))
        gain = score - self._standing
        yield Change(self._first, self._last, words, gain, behind, letters, self._doubt(), listed)

    def _doubt(self) -> float:
        sure = np.clip(min(word.confidence for word in self._words), 0.02, 0.98)
        return float(np.log(1 - sure) - np.log(sure))

    def _score(self, labels: np.ndarray) -> float:
        return head.score(self._window, self._framed(labels))

    def _framed(self, labels: np.ndarray) -> np.ndarray:
        """With the spaces towards the neighbors."""
        before, after = ([SPACE] * int(edge) for edge in self._edges)
        return np.concatenate((before, labels, after)).astype(np.int64)

    def _written(self, text: str) -> str:
        """`text` with the punctuation around the words, and a capital where it opens a sentence."""
        opening, _, _ = _parts(self._words[0].text)
        _, bare, closing = _parts(self._words[-1].text)
        if self._opens and text[:1].islower() and _parts(self._words[0].text)[1][:1].isupper():
            text = text[0].upper() + text[1:]
        return f"{opening}{text}{closing}"

    def _timed(self, text: str, way: str) -> Iterator[Word]:
        """The written words of `text`, from the frames of the letters."""
        frames = head.align(self._window, self._framed(labels_of(way)))
        frames = self._begin + frames[int(self._edges[0]) : len(frames) - int(self._edges[1])]
        written = text.split()
        clock, latest = self._limits
        for word, (first, last) in zip(written, _shares(way, len(written)), strict=True):
            start = min(max(clock, FRAME * float(frames[first, 0]) - EARLIER), latest)
            clock = min(max(start, FRAME * float(frames[last - 1, 1]) + LATER), max(start, latest))
            yield Word(word, start, clock)


def _shares(way: str, words: int) -> list[tuple[int, int]]:
    """The letters [first, last) of each of so many written words; evenly if as many are not said."""
    spaces = [place for place, letter in enumerate(way) if letter == " "]
    if len(spaces) + 1 != words:
        edges = np.linspace(0, len(way), words + 1)
        return [(int(start), max(int(start) + 1, int(end))) for start, end in pairwise(edges)]
    return list(zip([0, *(space + 1 for space in spaces)], [*spaces, len(way)], strict=True))


def _parts(text: str) -> tuple[str, str, str]:
    """The punctuation before a word, the word, the punctuation after it."""
    bare = text.strip("".join({character for character in text if not character.isalnum()}))
    opening, _, closing = text.partition(bare) if bare else ("", "", "")
    return opening, bare, closing


def spots(log_probs: np.ndarray, hotwords: Hotwords, spotting: Spotting = Spotting()) -> list[Spot]:
    """Where terms may stand between word boundaries: of each term the best of those that overlap."""
    found: dict[int, list[Spot]] = {}
    for spot in sorted(_arrivals(log_probs, hotwords, spotting), key=lambda each: -each.behind):
        others = found.setdefault(spot.term, [])
        if all(spot.end <= other.start or other.end <= spot.start for other in others):
            others.append(spot)
    return [spot for each in found.values() for spot in each]


def _arrivals(log_probs: np.ndarray, hotwords: Hotwords, spotting: Spotting) -> Iterator[Spot]:
    """Every token that reaches the space after a term."""
    edge = np.full((1, log_probs.shape[1]), -spotting.worst_frame, np.float32)
    edge[0, SPACE] = 0.0  # before and after the sound no word goes on
    behind = np.maximum(log_probs - log_probs.max(axis=1, keepdims=True), -spotting.worst_frame)
    rows = np.concatenate((edge, behind, edge)).astype(np.float32)
    silent = rows[:, 1:].max(axis=1) <= -spotting.worst_frame  # of those in a row one is as good as all
    tokens = _Tokens(hotwords, spotting)
    for frame in np.flatnonzero(~(silent & np.roll(silent, 1))).tolist():
        for node, start, score in tokens.step(frame, rows[frame]):
            first, last = max(0, start - 1), min(frame - 1, len(log_probs))
            if first < last:
                yield Spot(int(hotwords.term[node]), first, last, score)


class _Tokens:
    """The tokens alive in the tree: each node's best, whose last frame is its letter or a blank after it."""

    def __init__(self, hotwords: Hotwords, spotting: Spotting) -> None:
        self._tree = hotwords
        self._least = -(spotting.slack + spotting.slack_per_letter * hotwords.depth).astype(np.float32)
        self._place = np.full(len(hotwords.labels), -1)  # of each node among the tokens
        self._nodes = np.zeros(0, np.int64)
        self._scores = np.zeros((2, 0), np.float32)  # letter, blank
        self._starts = np.zeros((2, 0), np.int64)

    def step(self, frame: int, row: np.ndarray) -> Iterator[tuple[int, int, float]]:
        """Passes all tokens over a frame; gives node, start and score of those that end a term."""
        nodes, scores, starts = self._entering(frame, row)
        self._stay(row)
        new = self._merge(nodes, scores, starts)
        self._nodes = np.concatenate((self._nodes, nodes[new]))
        fresh = np.stack((scores[new], np.full(int(new.sum()), _NEVER)))
        self._scores = np.concatenate((self._scores, fresh), axis=1)
        self._starts = np.concatenate((self._starts, np.stack((starts[new], starts[new]))), axis=1)
        alive = self._scores.max(axis=0) >= self._least[self._nodes]
        self._nodes = self._nodes[alive]
        self._scores, self._starts = self._scores[:, alive], self._starts[:, alive]
        ended = np.flatnonzero((self._tree.term[nodes] >= 0) & (scores >= self._least[nodes]))
        for index in ended:
            yield int(nodes[index]), int(starts[index]), float(scores[index])

    def _entering(self, frame: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Nodes that are reached by their letter in this frame, with score and start."""
        counts = self._tree.children[self._nodes]
        parents = np.repeat(np.arange(len(self._nodes)), counts)
        within = np.arange(len(parents)) - np.repeat(np.cumsum(counts) - counts, counts)
        nodes = self._tree.first_child[self._nodes][parents] + within
        labels = self._tree.labels[nodes]
        same = labels == self._tree.labels[self._nodes][parents]
        letter, blank = self._scores[:, parents]
        from_blank = same | (blank > letter)
        scores = np.where(from_blank, blank, letter) + row[labels]
        starts = np.where(from_blank, *self._starts[::-1][:, parents])
        # a term begins with the first letter after the space, so its start is known on entering that
        starts = np.where(self._tree.depth[nodes] == 1, frame, starts)
        root = np.array([row[SPACE]], np.float32)
        return np.append(0, nodes), np.append(root, scores), np.append(frame, starts)

    def _stay(self, row: np.ndarray) -> None:
        """All tokens go on with their letter or with a blank."""
        letter, blank = self._scores
        first, second = self._starts
        waiting = np.maximum(letter, blank) + row[BLANK]
        self._starts = np.stack((first, np.where(letter > blank, first, second)))
        self._scores = np.stack((letter + row[self._tree.labels[self._nodes]], waiting))

    def _merge(self, nodes: np.ndarray, scores: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Better arrivals take the place of tokens that have their node; which nodes have none (bool)."""
        self._place[self._nodes] = np.arange(len(self._nodes))
        places = self._place[nodes]
        self._place[self._nodes] = -1
        held = np.flatnonzero(places >= 0)
        better = held[scores[held] > self._scores[0, places[held]]]
        self._scores[0, places[better]] = scores[better]
        self._starts[0, places[better]] = starts[better]
        return places < 0

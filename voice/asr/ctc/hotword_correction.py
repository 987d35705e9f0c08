"""Hotwords that a CTC head heard, put in the place of what the decoder took them for.

`keyword_spotting` finds where a term may stand. There the term and the decoder's words are scored against
the same frames, and the likelier is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from voice.asr.ctc import head
from voice.asr.ctc.alphabet import FRAME, SPACE, labels_of, spell
from voice.asr.ctc.forced_alignment import END_LAG, START_LEAD, align_words
from voice.asr.ctc.hotwords import Hotwords, normalize_term
from voice.asr.ctc.keyword_spotting import Spot, SpottingOptions, find_spots
from voice.text.sentences import ends_sentence
from voice.types import Word


@dataclass(frozen=True)
class CorrectionModel:
    """Logistic regression: whether to put a term in the place of words.

    Its weights were fitted on the dev sets (and train clips that the head had not seen), with lists of terms
    spoken there and of 5,000 that were not: in a longer list it takes more to be believed.
    """

    bias: float = -1.6
    gain: float = 0.12  # per nat, of which at most `max_gain` count: words that fit nothing prove little
    max_gain: float = 8.0
    deficit: float = 0.3  # per nat
    letter: float = 0.65  # per letter, of which at most `max_letters` count
    max_letters: int = 8
    doubt: float = 0.55  # per nat of the odds that the recognizer gives against the words
    merged: float = -0.8  # per word after the first that it replaces
    listed: float = -3.2  # if a listed term stands there already
    crowd: float = 0.8  # per nat of the ratio of the listed terms to `usual`
    usual: int = 100

    def log_odds(self, correction: Correction, terms: int) -> float:
        """Return the log-odds that the correction, by one of a list of `terms`, is right."""
        sound = self.gain * min(correction.gain, self.max_gain) + self.deficit * correction.deficit
        length = self.letter * min(correction.letters, self.max_letters)
        merged = correction.last - correction.first - 1
        words = self.merged * merged + self.listed * correction.listed
        doubt = self.doubt * correction.doubt + words
        return float(self.bias + sound + length + doubt - self.crowd * np.log(max(1.0, terms / self.usual)))


@dataclass(frozen=True)
class Correction:
    """Words [first, last) may become `words`, a term of so many `letters`.

    For the sound between their neighbors it is `gain` nats likelier than they are, with a `deficit` to the
    best letters of all (≤ 0). `doubt` is the recognizer's log-odds against the least sure of them;
    `listed` says that they are a listed term already.
    """

    first: int
    last: int
    words: tuple[Word, ...]
    gain: float
    deficit: float
    letters: int
    doubt: float
    listed: bool


def insert_hotwords(
    words: Sequence[Word],
    log_probs: np.ndarray,
    hotwords: Hotwords,
    options: SpottingOptions = SpottingOptions(),
    model: CorrectionModel = CorrectionModel(),
) -> list[Word]:
    """Return `words` with the hotwords that are heard in them.

    Their times count from the first of the frames `log_probs` (F, 29). The other words stay as they are.
    """
    result = list(words)
    candidates = find_corrections(words, log_probs, hotwords, options)
    for correction in choose_corrections(candidates, len(hotwords.terms), model):
        result[correction.first : correction.last] = correction.words
    return result


def choose_corrections(
    candidates: Sequence[Correction], terms: int, model: CorrectionModel = CorrectionModel()
) -> list[Correction]:
    """Return the corrections that are probably right and do not overlap, the last first.

    The confidence of their words is the probability that the correction is right.
    """
    odds = [model.log_odds(correction, terms) for correction in candidates]
    chosen: list[Correction] = []
    for index in sorted(range(len(candidates)), key=lambda each: -odds[each]):
        correction = candidates[index]
        apart = all(correction.last <= other.first or other.last <= correction.first for other in chosen)
        if odds[index] > 0 and apart:
            probability = float(1 / (1 + np.exp(-odds[index])))
            words = tuple(replace(word, confidence=probability) for word in correction.words)
            chosen.append(replace(correction, words=words))
    return sorted(chosen, key=lambda each: -each.first)


def find_corrections(
    words: Sequence[Word],
    log_probs: np.ndarray,
    hotwords: Hotwords,
    options: SpottingOptions = SpottingOptions(),
) -> list[Correction]:
    """Return every correction that is possible, whether it is probable or not."""
    frames = _word_frames(words, log_probs)
    spans: dict[tuple[int, int], _WordSpan] = {}
    tried: set[tuple[int, int, int]] = set()
    found: list[Correction] = []
    for spot in find_spots(log_probs, hotwords, options):
        for span in _covered_words(spot, frames):
            if (spot.term, *span) in tried:
                continue
            tried.add((spot.term, *span))
            if span not in spans:
                spans[span] = _WordSpan(words, frames, *span, log_probs, hotwords)
            found += spans[span].corrections(spot.term)
    return found


def _word_frames(words: Sequence[Word], log_probs: np.ndarray) -> list[tuple[int, int]]:
    """Return the frames [start, end) of the letters of each word; an empty range if it is not spoken."""
    frames, end = [], 0
    for each in align_words([f" {word.text}" for word in words], log_probs, FRAME * len(log_probs)):
        start, end = (each.spans[0, 0], each.spans[-1, 1]) if len(each.spans) else (end, end)
        frames.append((int(start), int(end)))
    return frames


def _covered_words(spot: Spot, frames: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the words [first, last) that the spot covers for the most part, and all that it touches."""
    shares = [(min(e, spot.end) - max(s, spot.start)) / max(1, e - s) for s, e in frames]
    seen: set[tuple[int, int]] = set()
    for least in (0.5, 0.1):
        covered = [index for index, share in enumerate(shares) if share > least]
        if covered and (span := (covered[0], covered[-1] + 1)) not in seen:
            seen.add(span)
            yield span


class _WordSpan:
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
        self._normalized = normalize_term(text)
        self._present_score = self._score(spell(text).labels)

    def corrections(self, term: int) -> Iterator[Correction]:
        """Yield the correction to a term or its genitive, in its likeliest pronunciation, if it differs."""
        text, spellings = self._hotwords.terms[term].text, self._hotwords.terms[term].spellings
        endings = ("", "'s") if _split_word(self._words[-1].text)[1].endswith(("'s", "’s")) else ("",)
        ways = [(spelling, ending) for spelling in spellings for ending in endings]
        scores = {way: self._score(labels_of("".join(way))) for way in ways}
        spelling, ending = max(scores, key=lambda each: scores[each])
        score = scores[spelling, ending]
        if self._normalized == normalize_term(text + ending) or not np.isfinite(score):
            return
        words = tuple(self._timed_words(self._punctuate(text + ending), spelling + ending))
        letters, listed = len(spelling.replace(" ", "")), self._normalized in self._hotwords.normalized_terms
        deficit = min(0.0, score - float(self._window.max(axis=1).sum()))
        gain = score - self._present_score
        yield Correction(self._first, self._last, words, gain, deficit, letters, self._doubt(), listed)

    def _doubt(self) -> float:
        """Return the log-odds against the least sure of the words."""
        sure = np.clip(min(word.confidence for word in self._words), 0.02, 0.98)
        return float(np.log(1 - sure) - np.log(sure))

    def _score(self, labels: np.ndarray) -> float:
        """Return the log-likelihood of labels between the neighbors."""
        return head.log_likelihood(self._window, self._with_spaces(labels))

    def _with_spaces(self, labels: np.ndarray) -> np.ndarray:
        """Add the spaces towards the neighbors."""
        before, after = ([SPACE] * int(edge) for edge in self._edges)
        return np.concatenate((before, labels, after)).astype(np.int64)

    def _punctuate(self, text: str) -> str:
        """Add the punctuation around the words to `text`, and a capital if it opens a sentence."""
        opening, _, _ = _split_word(self._words[0].text)
        _, bare, closing = _split_word(self._words[-1].text)
        if self._opens and text[:1].islower() and _split_word(self._words[0].text)[1][:1].isupper():
            text = text[0].upper() + text[1:]
        return f"{opening}{text}{closing}"

    def _timed_words(self, text: str, spelling: str) -> Iterator[Word]:
        """Yield the written words of `text`, with times from the frames of the letters of `spelling`."""
        frames = head.align_labels(self._window, self._with_spaces(labels_of(spelling)))
        frames = self._begin + frames[int(self._edges[0]) : len(frames) - int(self._edges[1])]
        written = text.split()
        clock, latest = self._limits
        for word, (first, last) in zip(written, _word_letters(spelling, len(written)), strict=True):
            start = min(max(clock, FRAME * float(frames[first, 0]) - START_LEAD), latest)
            clock = min(max(start, FRAME * float(frames[last - 1, 1]) + END_LAG), max(start, latest))
            yield Word(word, start, clock)


def _word_letters(spelling: str, words: int) -> list[tuple[int, int]]:
    """Return the letters [first, last) of each of so many written words; evenly if as many are not spoken."""
    spaces = [index for index, letter in enumerate(spelling) if letter == " "]
    if len(spaces) + 1 != words:
        edges = np.linspace(0, len(spelling), words + 1)
        return [(int(start), max(int(start) + 1, int(end))) for start, end in pairwise(edges)]
    return list(zip([0, *(space + 1 for space in spaces)], [*spaces, len(spelling)], strict=True))


def _split_word(text: str) -> tuple[str, str, str]:
    """Return the punctuation before a word, the word, the punctuation after it."""
    bare = text.strip("".join({character for character in text if not character.isalnum()}))
    opening, _, closing = text.partition(bare) if bare else ("", "", "")
    return opening, bare, closing

"""Any network with connectionist temporal classification as a recognizer: emissions to words with times.

An emission is a row of log-probabilities of pieces: letters, or parts of words as SentencePiece cuts them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np

from voice.abilities import Traits
from voice.asr.batching import refuse_translation
from voice.asr.segmenting import separate_times, split_segments
from voice.audio import resample
from voice.errors import AudioError
from voice.text.languages import LANGUAGES
from voice.types import UNDETERMINED, Audio, LogProbs, Samples, Transcript, Word

WORD = "▁"  # begins a word in SentencePiece's pieces
DELIMITERS = (" ", "|")  # between words of letters
LONGEST = 30.0  # seconds of one call
SHORTEST = 0.5  # seconds that a network hears at least
PACKED, UNCUT = 12.0, 20.0  # seconds of a window: the cost of attention is quadratic


@dataclass(frozen=True)
class PieceVocabulary:
    """What the classes of a network stand for: `pieces` by class; `blank` and `silent` ones write nothing."""

    pieces: tuple[str, ...]
    blank: int
    silent: frozenset[int] = frozenset()


class EmissionNetwork(Protocol):
    """A network from samples at `rate` Hz to a row of log-probabilities for each `frame` seconds."""

    @property
    def rate(self) -> int: ...

    @property
    def frame(self) -> float: ...

    def emissions(self, samples: Samples) -> LogProbs:
        """Return (F, C) log-probabilities of (T,) samples."""
        ...


@dataclass(frozen=True)
class _SpelledPiece:
    """A piece that was read in the frames [start, end), with the mean of its probabilities."""

    text: str
    start: int
    end: int
    probability: float


def read_words(log_probs: LogProbs, vocabulary: PieceVocabulary, frame: float) -> list[Word]:
    """Return the words of the likeliest class of each frame, timed by their first and last piece.

    The confidence of a word is the mean probability of its pieces.
    """
    return [
        Word("".join(each.text for each in group).replace(WORD, ""), group[0].start * frame,
             group[-1].end * frame, float(np.mean([each.probability for each in group])))
        for group in _group_words(_read_pieces(log_probs, vocabulary))
    ]  # fmt: skip


def _read_pieces(log_probs: LogProbs, vocabulary: PieceVocabulary) -> Iterator[_SpelledPiece]:
    """Yield the pieces of the best classes, repeats joined, without blanks and silent ones."""
    best = log_probs.argmax(axis=1)
    for label, frames in groupby(range(len(best)), key=lambda frame: int(best[frame])):
        places = list(frames)
        if label != vocabulary.blank and label not in vocabulary.silent:
            probability = float(np.exp(log_probs[places, label]).mean())
            yield _SpelledPiece(vocabulary.pieces[label], places[0], places[-1] + 1, probability)


def _group_words(pieces: Iterator[_SpelledPiece]) -> Iterator[list[_SpelledPiece]]:
    """Yield the pieces of each word: words are apart by a delimiter, or begin with WORD."""
    held: list[_SpelledPiece] = []
    for piece in pieces:
        if held and (piece.text in DELIMITERS or piece.text.startswith(WORD)):
            yield held
            held = []
        if piece.text not in DELIMITERS and piece.text != WORD:
            held.append(piece)
    if held:
        yield held


class CTCRecognizer:
    """A recognizer that reads the emissions of a network as they are. It holds no state between calls.

    `languages` are those that it may have been trained on.
    """

    traits = Traits(LONGEST, PACKED, UNCUT, batch=1)

    def __init__(
        self, network: EmissionNetwork, vocabulary: PieceVocabulary, languages: Collection[str] = LANGUAGES
    ) -> None:
        self._network, self._vocabulary, self.languages = network, vocabulary, frozenset(languages)

    @property
    def rate(self) -> int:
        """Return the rate in Hz of the sound that the network hears."""
        return self._network.rate

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        """Return the transcript of at most 30 s of speech; hotwords are not used. Raises AudioError."""
        if speech.duration > LONGEST + 0.01:
            raise AudioError(f"{speech.duration:.1f} s are too much for one call; use voice.transcribe")
        samples = resample(speech, self.rate).samples
        samples = np.pad(samples, (0, max(0, round(SHORTEST * self.rate) - len(samples))))
        words = read_words(self._network.emissions(samples), self._vocabulary, self._network.frame)
        words = separate_times(words, 0.0, speech.duration)
        segments = tuple(split_segments((f" {word.text}" for word in words), words))
        only = next(iter(self.languages)) if len(self.languages) == 1 else UNDETERMINED
        return Transcript(segments, language or only, speech.duration)

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]:
        """Return a transcript for each window, one after the other, so that none depends on its neighbors.

        Raises VoiceError for a task other than "transcribe".
        """
        refuse_translation(task)
        return [self.transcribe(each, language=language, hotwords=hotwords) for each in speeches]

"""Speech that is heard while it is still being made: a sentence in pieces, a text that arrives in pieces.

The pieces of a sentence, one after the other, are the sentence: trimming, fades and words are the same
whether it comes whole or in pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from voice.abilities import (
    IncrementalSynthesizer,
    MultilingualSynthesizer,
    StreamingSynthesizer,
    TextStream,
)
from voice.text.sentences import Sentence, SentenceSplitter
from voice.tts.engine import SentenceStream
from voice.tts.pauses import after_silence, first_kept, pause_after, trim_pieces
from voice.types import Audio, Controls, Speech, Synthesizer, Word

FIRST_PIECE, LONGEST_PIECE = 0.3, 2.0  # seconds that the first piece of a sentence has at least, later ones
GROWTH = 2.0  # each next piece may be so many times as long, for what goes before it is still playing
STRETCH = 3.0  # times as long it may get where no word ends


def cuts(words: Sequence[Word], duration: float) -> list[float]:
    """Return the seconds at which the pieces of a sentence of `duration` end, the last of them `duration`.

    Pieces end where words end, the first one soon, the later ones ever later.
    """
    if not words:
        return [duration]
    found, start, length = [], first_kept(words), FIRST_PIECE
    ends = [word.end for word in words[:-1]]
    while start + length < words[-1].start:
        limit = start + STRETCH * length
        found.append(next((end for end in ends if start + length <= end <= limit), start + length))
        start, length = found[-1], min(LONGEST_PIECE, GROWTH * length)
    return [*found, duration]


def speech_pieces(sentence: SentenceStream, rate: int, pause: float = 0.0) -> Iterator[Speech]:
    """Yield a trimmed sentence in pieces, after `pause` seconds of silence.

    A word belongs to the piece in which it ends, with its time from that piece's start, which is negative
    for what began before: a word of several seconds, an address perhaps, is cut too.
    """
    words, marks = list(sentence.words), list(sentence.marks)
    silence = np.zeros(round(pause * rate), np.float32)
    start = round(first_kept(words) * rate) - len(silence)  # of the piece, in the untrimmed sentence
    for samples in trim_pieces(sentence.words, sentence.pieces, rate):
        samples, silence = np.concatenate([silence, samples]), silence[:0]
        stop = start + len(samples)
        ended = [word for word in words if round(word.end * rate) <= stop]
        reached = [mark for mark in marks if round(mark.time * rate) <= stop]
        del words[: len(ended)], marks[: len(reached)]
        yield Speech(
            Audio(samples, rate),
            " ".join(word.text for word in ended),
            tuple(word.shifted(-start / rate) for word in ended),
            tuple(mark.shifted(-start / rate) for mark in reached),
        )
        start = stop


def pieces(synthesizer: Synthesizer, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
    """Yield `text` in the smallest pieces that `synthesizer` gives: parts of sentences, or else sentences."""
    if isinstance(synthesizer, StreamingSynthesizer):
        return synthesizer.stream(text, controls)
    return synthesizer.speak(text, controls)


def begin(synthesizer: Synthesizer, controls: Controls = Controls()) -> TextStream:
    """Return a stream from text to speech through any synthesizer, one with only `speak` too."""
    if isinstance(synthesizer, IncrementalSynthesizer):
        return synthesizer.begin(controls)
    return SentenceSpeaker(synthesizer, controls)


def voice_for(synthesizer: Synthesizer, code: str) -> Synthesizer:
    """Return what speaks a language (ISO 639-1, "" for its own) in place of `synthesizer`, if it knows one.

    A synthesizer of which nothing is known is taken to speak all languages. Raises ModelError where it
    knows that there is none.
    """
    return synthesizer.for_language(code) if isinstance(synthesizer, MultilingualSynthesizer) else synthesizer


def follow(stream: TextStream, pieces: Iterable[str]) -> Iterator[Speech]:
    """Yield the speech of a text that arrives in `pieces`, a token at a time for instance."""
    for piece in pieces:
        yield from stream.push(piece)
    yield from stream.flush()


class SentenceSpeaker:
    """The TextStream of a synthesizer that has `speak` alone: it gets one sentence at a time."""

    def __init__(self, synthesizer: Synthesizer, controls: Controls) -> None:
        self.controls = controls
        self._synthesizer, self._splitter = synthesizer, SentenceSplitter()
        self._pause = 0.0  # seconds before the next sentence

    def push(self, text: str) -> Iterator[Speech]:
        return self._speak(self._splitter.push(text))

    def flush(self) -> Iterator[Speech]:
        return self._speak(self._splitter.flush())

    def _speak(self, sentences: Iterable[Sentence]) -> Iterator[Speech]:
        for sentence in sentences:
            made = 0
            for made, piece in enumerate(self._synthesizer.speak(sentence.text, self.controls), start=1):
                yield after_silence(piece, self._pause if made == 1 else 0.0)
            if made:
                self._pause = pause_after(sentence.after, self.controls).seconds

"""Times and confidence of the words that a decoder wrote: from a CTC head's letters, or from attention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from voice.asr.ctc.forced_alignment import align_words
from voice.asr.segmenting import separate_times
from voice.asr.whisper.confidence import Confidence, mean_token_probability, with_confidence
from voice.asr.whisper.decoding import Hypothesis
from voice.asr.whisper.encoder import EncodedSpeech, storage_view
from voice.asr.whisper.timestamps import words_from_attention
from voice.asr.whisper.tokenizer import Tokenizer, WordTokens
from voice.features import WHISPER_HOP, WHISPER_RATE
from voice.types import Word


class WordAligner:
    """Forced alignment with the letters of a CTC head, or with the cross-attention of `model`."""

    def __init__(self, model: Any, tokenizer: Tokenizer) -> None:
        self._model, self._tokenizer = model, tokenizer

    def __call__(
        self,
        speeches: Sequence[EncodedSpeech],
        hypotheses: Sequence[Hypothesis],
        language: str,
        task: str,
        confidence: Confidence,
    ) -> Iterator[tuple[list[WordTokens], list[Word]]]:
        """Yield the words of each hypothesis, with their tokens, and with their times and confidence."""
        if not hypotheses:
            return
        tokens = [self._tokenizer.words(hypothesis.tokens, language) for hypothesis in hypotheses]
        log_probs = [speech.log_probs for speech in speeches if speech.log_probs is not None]
        found: Iterable[list[Word]]
        if len(log_probs) == len(speeches):
            durations = [speech.speech.duration for speech in speeches]
            rows = zip(hypotheses, tokens, log_probs, durations, strict=True)
            found = (_align_letters(*row, confidence) for row in rows)
        else:
            start = self._tokenizer.start_sequence(language, task)
            found = self._align_attention(speeches, hypotheses, tokens, start, confidence)
        for speech, each, words in zip(speeches, tokens, found, strict=True):
            yield each, separate_times(words, 0.0, speech.speech.duration)

    def _align_attention(
        self,
        speeches: Sequence[EncodedSpeech],
        hypotheses: Sequence[Hypothesis],
        tokens: Sequence[Sequence[WordTokens]],
        start_sequence: list[int],
        confidence: Confidence,
    ) -> Iterator[list[Word]]:
        """Yield words with times from the cross-attention of the decoder's alignment heads.

        If there is a head, but not for this language, no calibration is known and the confidence is
        the mean probability of a word's tokens.
        """
        encoded = np.stack([speech.encoded for speech in speeches])
        most = 2 * encoded.shape[1]  # frames of the spectrum
        rate = WHISPER_RATE // WHISPER_HOP
        frames = [max(2, min(most, round(speech.speech.duration * rate))) for speech in speeches]
        texts = [list(hypothesis.tokens) for hypothesis in hypotheses]
        results = self._model.align(storage_view(encoded), start_sequence, texts, frames)
        for speech, hypothesis, each, result in zip(speeches, hypotheses, tokens, results, strict=True):
            words = words_from_attention(each, result.alignments, result.text_token_probs, speech.speech)
            calibrated = confidence if speech.ctc is None else mean_token_probability
            yield with_confidence(words, each, hypothesis, calibrated)


def _align_letters(
    hypothesis: Hypothesis,
    tokens: Sequence[WordTokens],
    log_probs: np.ndarray,
    duration: float,
    confidence: Confidence,
) -> list[Word]:
    """Return words with times from the letters that the head read."""
    aligned = align_words([word.text for word in tokens], log_probs, duration)
    words = [
        Word(each.text.strip(), at.start, at.end, end_of_sentence=hypothesis.end_of_sentence(each.last))
        for each, at in zip(tokens, aligned, strict=True)
    ]
    return with_confidence(words, tokens, hypothesis, confidence, aligned, log_probs)

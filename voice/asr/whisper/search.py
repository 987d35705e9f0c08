"""Search: what the decoder writes of encoded speech, searched for again if `Acceptance` doubts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from voice.asr.whisper.acceptance import Acceptance
from voice.asr.whisper.decoding import (
    DecodingOptions,
    Hypothesis,
    hypothesis_from_result,
    hypothesis_from_row,
)
from voice.asr.whisper.encoder import EncodedSpeech, storage_view
from voice.asr.whisper.greedy import GreedyDecoder
from voice.asr.whisper.tokenizer import TEXT_CONTEXT, Tokenizer

MAX_GENERATED = TEXT_CONTEXT // 2  # tokens that CTranslate2 generates at most, by its default
EXTRA_TOKENS = 24  # that a short utterance may have besides its tokens per second


class Search:
    """Beam search with CTranslate2's `model`, greedy search with the `greedy` decoder if there is one.

    `timed` lets the decoder write timestamps between the words too.
    """

    def __init__(
        self,
        model: Any,
        greedy: GreedyDecoder | None,
        tokenizer: Tokenizer,
        options: DecodingOptions,
        acceptance: Acceptance,
        *,
        timed: bool,
    ) -> None:
        self._model, self._greedy, self._tokenizer = model, greedy, tokenizer
        self._options, self._acceptance, self._timed = options, acceptance, timed

    def __call__(
        self, encoded: np.ndarray, speeches: Sequence[EncodedSpeech], prompt: Sequence[int]
    ) -> list[Hypothesis]:
        """Return the accepted hypothesis of each row of `encoded` (B, F, D), or NO_SPEECH."""
        longest = max(each.speech.duration for each in speeches)
        limit = EXTRA_TOKENS + round(self._options.tokens_per_second * longest)
        hypotheses = self._decode(encoded, prompt, limit, self._options.beam_size, timed=self._timed)
        return [
            self._accept_or_redo(hypothesis, speech, prompt, limit)
            for hypothesis, speech in zip(hypotheses, speeches, strict=True)
        ]

    def _accept_or_redo(
        self, hypothesis: Hypothesis, speech: EncodedSpeech, prompt: Sequence[int], limit: int
    ) -> Hypothesis:
        """Return the hypothesis, a better one if it is doubtful, or NO_SPEECH."""
        if self._acceptance.is_doubtful(hypothesis, speech.ctc):
            timed = self._timed and not self._acceptance.is_loop(hypothesis, speech.ctc)
            beam_size = self._options.second_beam_size
            encoded = speech.encoded[None]
            (second,) = self._decode(encoded, prompt, limit, beam_size, no_repeat=3, timed=timed)
            hypothesis = self._acceptance.choose(hypothesis, second, speech.ctc)
        return self._acceptance.accept(hypothesis, speech)

    def _decode(
        self,
        encoded: np.ndarray,
        prompt: Sequence[int],
        limit: int,
        beam_size: int,
        *,
        timed: bool,
        no_repeat: int = 0,
    ) -> list[Hypothesis]:
        """Search for at most `limit` tokens in each row; `no_repeat` is the length of forbidden repeats."""
        given = [*prompt, *([] if timed else [self._tokenizer.without_times])]
        if self._greedy and (beam_size, no_repeat) == (1, 0):
            rows = self._greedy(encoded, given, min(limit, TEXT_CONTEXT - len(given)))
            return [hypothesis_from_row(row, self._tokenizer) for row in rows]
        results = self._model.generate(
            storage_view(encoded),
            [given] * len(encoded),
            beam_size=beam_size,
            # Of its max_length CTranslate2 gives the output half, or what the prompt leaves if that is less.
            max_length=min(TEXT_CONTEXT, max(2 * limit, len(prompt) + 1 + limit)),
            no_repeat_ngram_size=no_repeat,
            return_scores=True,
            return_no_speech_prob=True,
            return_logits_vocab=beam_size == 1,
        )
        return [hypothesis_from_result(result, self._tokenizer) for result in results]

"""What Whisper's decoder writes of some sounds, searched for again where it is not to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from voice.asr.ctc.forced_alignment import said_until
from voice.asr.whisper.decoding import (
    SILENCE,
    Decoding,
    Hypothesis,
    better,
    bounded,
    is_doubtful,
    is_loop,
    is_mostly_loop,
    is_silence,
    is_thin,
    is_unheard,
    read_result,
    read_row,
    unlooped,
)
from voice.asr.whisper.greedy import GreedyDecoder
from voice.asr.whisper.tokenizer import TEXT_CONTEXT, Tokenizer
from voice.asr.whisper.windows import Sound

MAX_GENERATED = TEXT_CONTEXT // 2  # tokens that CTranslate2 generates at most, by its default


class Search:
    """A decoder, what it may write (`timed`: times between the words too) and when it is believed.

    CTranslate2's `model` searches with beams; without one the `greedy` decoder does, where there is one.
    """

    def __init__(
        self,
        model: Any,
        greedy: GreedyDecoder | None,
        vocabulary: Tokenizer,
        limits: Decoding,
        *,
        timed: bool,
    ) -> None:
        self._model, self._greedy, self._vocabulary, self._limits = model, greedy, vocabulary, limits
        self._last = [] if timed else [vocabulary.without_times]

    def __call__(
        self, encoded: np.ndarray, sounds: Sequence[Sound], prompt: Sequence[int]
    ) -> list[Hypothesis]:
        """The believed tokens of each row of `encoded` (B, F, D); none where it is silence."""
        limit = 24 + round(self._limits.tokens_per_second * max(sound.speech.duration for sound in sounds))
        guesses = self._found(encoded, prompt, limit, self._limits.beam)
        return [
            self._believed(guess, sound, prompt, limit) for guess, sound in zip(guesses, sounds, strict=True)
        ]

    def _believed(self, guess: Hypothesis, sound: Sound, prompt: Sequence[int], limit: int) -> Hypothesis:
        """The guess, a better one where it is doubtful, or silence."""
        limits, reading = self._limits, sound.reading
        if not is_silence(guess, limits) and is_doubtful(guess, reading, limits):
            guess = self._again(guess, sound, prompt, limit)
        if is_silence(guess, limits) or is_unheard(guess, reading, limits):
            return SILENCE
        if sound.log_probs is not None:
            until = said_until(guess.text, reading.letters, sound.log_probs, limits.missed)
            guess = guess if until is None else replace(guess, until=until, left_off=True)
        return bounded(guess, sound.speech.duration, limits)

    def _again(self, guess: Hypothesis, sound: Sound, prompt: Sequence[int], limit: int) -> Hypothesis:
        """The guess or a better one, which is no loop that nobody heard."""
        limits, reading = self._limits, sound.reading
        looped = is_loop(guess, reading, limits)
        (again,) = self._found(
            sound.encoded[None], prompt, limit, limits.second_beam, no_repeat=3, timed=not looped
        )
        if looped and again.log_probability < limits.unsure and not is_mostly_loop(guess, limits):
            return unlooped(guess, self._vocabulary)  # such as a figure that is said five times in a sentence
        guess = better(guess, again, reading, limits)
        if (looped and guess.log_probability < limits.unsure) or is_thin(guess, reading, limits):
            return SILENCE
        return unlooped(guess, self._vocabulary) if is_loop(guess, reading, limits) else guess

    def _found(
        self,
        encoded: np.ndarray,
        prompt: Sequence[int],
        limit: int,
        beam: int,
        *,
        no_repeat: int = 0,
        timed: bool = True,
    ) -> list[Hypothesis]:
        """`timed` False writes no times, whatever the decoder may write otherwise."""
        given = [*prompt, *(self._last if timed else [self._vocabulary.without_times])]
        if self._greedy and (beam, no_repeat) == (1, 0):
            rows = self._greedy(encoded, given, min(limit, TEXT_CONTEXT - len(given)))
            return [read_row(row, self._vocabulary) for row in rows]
        results = self._model.generate(
            storage_view(encoded),
            [given] * len(encoded),
            beam_size=beam,
            # Of its max_length CTranslate2 gives the output half, or what the prompt leaves if that is less.
            max_length=min(TEXT_CONTEXT, max(2 * limit, len(prompt) + 1 + limit)),
            no_repeat_ngram_size=no_repeat,
            return_scores=True,
            return_no_speech_prob=True,
            return_logits_vocab=beam == 1,
        )
        return [read_result(result, self._vocabulary) for result in results]


def storage_view(array: np.ndarray) -> Any:
    """Build the `ctranslate2.StorageView` of an array, float32."""
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array, np.float32))

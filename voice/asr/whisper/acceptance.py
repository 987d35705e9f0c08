"""Acceptance: whether to believe a hypothesis, search again, cut it, or take it for silence.

All decisions about a result are made here: from its log-probabilities, from its repeats, from the
letters that a CTC head read in the same speech, and at last from the confidence of its words. The search
asks for hypotheses and knows none of the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from voice.asr.ctc.alphabet import letters_of, spell
from voice.asr.ctc.forced_alignment import end_of_text
from voice.asr.whisper.decoding import NO_SPEECH, DecodingOptions, Hypothesis, compression_ratio
from voice.asr.whisper.encoder import CTCOutput, EncodedSpeech
from voice.asr.whisper.repeats import has_loop, indexes_without_loops
from voice.asr.whisper.tokenizer import Tokenizer
from voice.metrics import edit_distance
from voice.types import Audio, Word


class Acceptance:
    """The rules by which a hypothesis is believed, with the thresholds of `options`.

    `ctc` is what the CTC head read in the same speech, None for a recognizer without a head.
    """

    def __init__(self, options: DecodingOptions, tokenizer: Tokenizer) -> None:
        self._options, self._tokenizer = options, tokenizer

    def is_doubtful(self, hypothesis: Hypothesis, ctc: CTCOutput | None) -> bool:
        """Tell whether to search again: it is no silence, but improbable, a loop or unlike the letters."""
        if self.is_silence(hypothesis):
            return False
        if self.is_loop(hypothesis, ctc) or hypothesis.mean_log_prob < self._options.logprob_threshold:
            return True
        error_rate = _letter_error_rate(hypothesis.text, ctc)
        return error_rate is not None and error_rate > self._options.ctc_error_threshold

    def choose(self, first: Hypothesis, second: Hypothesis, ctc: CTCOutput | None) -> Hypothesis:
        """Return the better of two hypotheses of one speech, freed of loops, or NO_SPEECH.

        `second` comes from the more careful search that `is_doubtful` asked for.
        """
        looped, threshold = self.is_loop(first, ctc), self._options.logprob_threshold
        if looped and second.mean_log_prob < threshold and not self._is_mostly_loop(first):
            return self._without_loops(first)  # such as a number that is said five times in a sentence
        chosen = self.better(first, second, ctc)
        if (looped and chosen.mean_log_prob < threshold) or self.is_thin(chosen, ctc):
            return NO_SPEECH
        return self._without_loops(chosen) if self.is_loop(chosen, ctc) else chosen

    def accept(self, hypothesis: Hypothesis, speech: EncodedSpeech) -> Hypothesis:
        """Return the hypothesis with the `end` at which it stops short of the speech, or NO_SPEECH."""
        if self.is_silence(hypothesis) or self.is_unheard(hypothesis, speech.ctc):
            return NO_SPEECH
        if speech.ctc is not None and speech.ctc.is_spelled:
            missed = self._options.min_missed_letters
            end = end_of_text(hypothesis.text, speech.ctc.letters, speech.ctc.log_probs, missed)
            hypothesis = hypothesis if end is None else replace(hypothesis, end=end, is_cut_off=True)
        return self._with_useful_end(hypothesis, speech.speech.duration)

    def accepts_words(self, words: Sequence[Word], speech: Audio, language: str) -> bool:
        """Tell whether the words are sure enough, in the mean, to have been said to the microphone."""
        if not words:
            return True
        confidence = float(np.mean([word.confidence for word in words]))
        if confidence < self._options.min_quiet_confidence and loudest_rms(speech) < self._options.quiet_rms:
            return False
        return language != "en" or confidence >= self._options.min_confidence

    def is_silence(self, hypothesis: Hypothesis) -> bool:
        """Tell whether the decoder itself finds no speech probable, or its text improbable."""
        options, log_prob = self._options, hypothesis.mean_log_prob
        if hypothesis.no_speech_prob <= options.no_speech_threshold:
            return log_prob < options.silence_logprob_threshold
        if len(hypothesis.tokens) <= options.brief_tokens:
            return log_prob < options.brief_logprob_threshold
        return log_prob < options.no_speech_logprob_threshold

    def is_loop(self, hypothesis: Hypothesis, ctc: CTCOutput | None) -> bool:
        """Tell whether a hypothesis repeats itself and no head read the repeats too."""
        text, options = hypothesis.text, self._options
        if not self._is_mostly_loop(hypothesis) and not has_loop(text.lower().split()):
            return False
        if ctc is None:
            return True
        if ctc.is_spelled:
            return letter_error_rate(text, ctc.letters) > options.loop_error_threshold
        read_twice = compression_ratio(ctc.letters) > options.compression_ratio_threshold
        return not read_twice or len(ctc.letters) < len(text) / 2

    def is_unheard(self, hypothesis: Hypothesis, ctc: CTCOutput | None) -> bool:
        """Tell whether a head read next to nothing of what the decoder wrote."""
        text, options = hypothesis.text, self._options
        if ctc is None or not ctc.is_spelled or not text:
            return False
        if len(ctc.letters) < options.min_ctc_coverage * len(text):
            return True
        is_long = len(text) >= options.insertion_min_letters
        return is_long and insertion_rate(text, ctc.letters) > options.insertion_threshold

    def is_thin(self, hypothesis: Hypothesis, ctc: CTCOutput | None) -> bool:
        """Tell whether a head that does not know the language read much less than the decoder wrote."""
        if ctc is None or ctc.is_spelled:
            return False
        return len(ctc.letters) < self._options.min_unspelled_coverage * len(hypothesis.text)

    def better(self, first: Hypothesis, second: Hypothesis, ctc: CTCOutput | None) -> Hypothesis:
        """Return the hypothesis closer to a head's letters; without them the second.

        A loop is never the better one, unless the head read the repeats too.
        """
        sound = [each for each in (second, first) if not self.is_loop(each, ctc)]
        if len(sound) < 2 or ctc is None or not ctc.is_spelled:
            return (sound or [second])[0]
        return min(sound, key=lambda each: letter_error_rate(each.text, ctc.letters))

    def _is_mostly_loop(self, hypothesis: Hypothesis) -> bool:
        """Tell whether a text consists of little else than repeats."""
        return hypothesis.compression_ratio > self._options.compression_ratio_threshold

    def _without_loops(self, hypothesis: Hypothesis) -> Hypothesis:
        """Cut each loop of a hypothesis to one phrase."""
        kept = indexes_without_loops(hypothesis.tokens)
        tokens = tuple(hypothesis.tokens[index] for index in kept)
        text = self._tokenizer.text(tokens).strip()
        log_probs = hypothesis.log_probs[kept]
        return replace(hypothesis, tokens=tokens, text=text, log_probs=log_probs, end_of_sentence_probs=())

    def _with_useful_end(self, hypothesis: Hypothesis, duration: float) -> Hypothesis:
        """Drop an `end` that leaves too little speech after it, or comes so early that nothing is gained."""
        options, end = self._options, hypothesis.end
        if end is None or end < options.rest_after_cutoff:
            return replace(hypothesis, end=None)
        least = options.rest_after_cutoff if hypothesis.is_cut_off else options.rest_after_end
        return hypothesis if duration - end > least else replace(hypothesis, end=None)


def letter_error_rate(text: str, letters: str) -> float:
    """Return the edit distance from a head's `letters` to those of `text`, per letter of the head.

    0 is the same, 1 and more nothing like it.
    """
    return edit_distance(letters, letters_of(spell(text).labels)) / max(1, len(letters))


def insertion_rate(text: str, letters: str) -> float:
    """Return the share of the letters of `text` that are not among a head's `letters`: 0 is none, 1 all.

    Letters that the text leaves out do not count.
    """
    written = letters_of(spell(text).labels)
    left_out = max(0, len(letters) - len(written))
    return (edit_distance(letters, written) - left_out) / max(1, len(written))


def loudest_rms(speech: Audio, seconds: float = 0.5) -> float:
    """Return the root mean square of the loudest stretch of `seconds`."""
    size = min(len(speech.samples), round(seconds * speech.rate))
    if not size:
        return 0.0
    power = speech.samples[: len(speech.samples) // size * size].reshape(-1, size).astype(np.float64) ** 2
    return float(np.sqrt(power.mean(axis=1).max()))


def _letter_error_rate(text: str, ctc: CTCOutput | None) -> float | None:
    """Return the letter error rate of `text` if a head read letters to compare it with."""
    return letter_error_rate(text, ctc.letters) if ctc is not None and ctc.is_spelled else None

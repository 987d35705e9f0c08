"""Decoding: its options, and the hypothesis that CTranslate2 or the greedy decoder returns."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from voice.asr.whisper.greedy import GreedyRow
from voice.asr.whisper.tokenizer import Tokenizer

COMPRESSION_RATIO_THRESHOLD = 2.4  # a text of a higher ratio repeats itself (Radford et al. 2022)


@dataclass(frozen=True)
class DecodingOptions:
    """How tokens are searched for, and the thresholds by which `Acceptance` believes a result.

    Log-probabilities are means over the tokens of a hypothesis. A `beam_size` of 1 is greedy search.
    A hypothesis below `logprob_threshold`, or which is a loop, is searched again with `second_beam_size`
    and no repeated trigram.

    It counts as silence below `silence_logprob_threshold`. If P(no speech) is above `no_speech_threshold`,
    it counts as silence below `no_speech_logprob_threshold` already, and a word or two (at most
    `brief_tokens`) below `brief_logprob_threshold`. (Set on noise and single words with tiny.en and base:
    from noise they make words at -0.7 and less where P(no speech) is above 0.5, at -1.4 and less elsewhere;
    from single words at -1.3 and more, with P(no speech) below 0.4.)

    A loop is a text with a compression ratio above `compression_ratio_threshold`, or one with a phrase
    four times in a row, unless a CTC head read the repeats too: then at most `loop_error_threshold` of the
    letters differ. It is searched again without timestamps, so that no phrase can hide behind them.
    If the second result is below `logprob_threshold`, it is silence if it was little else than a loop;
    what is left of a loop is cut to one phrase.

    Where a CTC head read the same speech, letters are compared. A hypothesis whose letter error rate against
    the letters of the head is above `ctc_error_threshold` is searched again. If the head read at least
    `min_missed_letters` after the last word, that part is recognized by itself. The hypothesis is silence if
    the head read fewer than `min_ctc_coverage` letters for each of its characters, or if it has at
    least `insertion_min_letters` of which a share above `insertion_threshold` are not among those of the
    head: of few words an accent can hide so many. (Of clips with noise 5 dB below them, hypotheses above
    these thresholds have more words wrong than were said.) In languages whose spelling the head does not
    know, the result of a second search is silence if the head read fewer than `min_unspelled_coverage`
    letters for each character.

    Words count as babble if the mean of their confidence is below `min_confidence` in English, or below
    `min_quiet_confidence` where the loudest half second has a root mean square below `quiet_rms` (speech
    is usually recorded at 0.07). (No dev clip is that unsure as it is; with so much noise that it is, one
    word in six is right.)

    Speech that is left after the last timestamp is recognized by itself if it is longer than
    `rest_after_cutoff` seconds and the decoder says that it stopped early, or longer than `rest_after_end`
    seconds if it does not.
    """

    beam_size: int = 1
    second_beam_size: int = 5
    tokens_per_second: float = 12.0
    logprob_threshold: float = -1.0
    compression_ratio_threshold: float = COMPRESSION_RATIO_THRESHOLD
    no_speech_threshold: float = 0.5
    no_speech_logprob_threshold: float = -0.7
    brief_logprob_threshold: float = -0.3
    brief_tokens: int = 4
    silence_logprob_threshold: float = -1.5
    rest_after_cutoff: float = 0.5
    rest_after_end: float = 3.0
    ctc_error_threshold: float = 0.75
    loop_error_threshold: float = 0.5
    min_missed_letters: int = 8
    min_ctc_coverage: float = 0.15
    insertion_threshold: float = 0.7
    insertion_min_letters: int = 40
    min_unspelled_coverage: float = 0.35
    min_confidence: float = 0.3
    min_quiet_confidence: float = 0.7
    quiet_rms: float = 0.012


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A text with its tokens, and the evidence for it.

    `log_probs` (tokens,) are those of the tokens, `mean_log_prob` is their mean, the end token included.
    `no_speech_prob` is P(no speech). `end` is the time in seconds at which the text ends, if speech after it
    has to be recognized by itself; `is_cut_off` says that the decoder itself reported to have stopped there.
    `end_of_sentence_probs` (tokens + 1,) are the probabilities that a mark which ends a sentence stands in
    the place of each token, and after the last; empty if they are not known.
    """

    tokens: tuple[int, ...]
    text: str
    log_probs: np.ndarray
    mean_log_prob: float
    no_speech_prob: float
    end: float | None = None
    is_cut_off: bool = False
    end_of_sentence_probs: Sequence[float] = ()

    def end_of_sentence(self, index: int) -> float | None:
        """Return the probability that a sentence ends before the token at `index`, if it is known."""
        known = len(self.end_of_sentence_probs) == len(self.tokens) + 1
        return self.end_of_sentence_probs[index] if known else None

    @property
    def compression_ratio(self) -> float:
        """Return how many times shorter zlib makes the text: high if it repeats itself."""
        return compression_ratio(self.text)


NO_SPEECH = Hypothesis((), "", np.zeros(0, np.float32), 0.0, 1.0)


def compression_ratio(text: str) -> float:
    """Return how many times shorter zlib makes a text."""
    whole = text.encode()
    return len(whole) / len(zlib.compress(whole)) if whole else 0.0


def hypothesis_from_result(result: Any, tokenizer: Tokenizer) -> Hypothesis:
    """Read one row of what `ctranslate2.models.Whisper.generate` returns."""
    tokens = result.sequences_ids[0]
    total = result.scores[0] * len(tokens)  # scores are means over the tokens without the end
    mean = total / (len(tokens) + 1)
    return _hypothesis(
        tokens, _token_log_probs(result, tokenizer.end), mean, result.no_speech_prob, tokenizer
    )


def hypothesis_from_row(row: GreedyRow, tokenizer: Tokenizer) -> Hypothesis:
    """Read one row of what `GreedyDecoder` returns."""
    log_probs = np.array(row.log_probs[: len(row.tokens)], np.float32)
    mean = float(np.mean(row.log_probs))
    hypothesis = _hypothesis(row.tokens, log_probs, mean, row.no_speech_prob, tokenizer)
    return replace(hypothesis, end_of_sentence_probs=row.end_of_sentence_probs)


def _hypothesis(
    written: Sequence[int], log_probs: np.ndarray, mean: float, no_speech_prob: float, tokenizer: Tokenizer
) -> Hypothesis:
    """Separate the text tokens from the timestamps. Without log-probabilities, each token has the `mean`."""
    tokens = tuple(token for token in written if token < tokenizer.end)
    end, is_cut_off = tokenizer.last_time(written)
    if len(log_probs) != len(tokens):
        log_probs = np.full(len(tokens), mean, np.float32)
    text = tokenizer.text(tokens).strip()
    return Hypothesis(tokens, text, log_probs, mean, no_speech_prob, end or None, is_cut_off)


def _token_log_probs(result: Any, end: int) -> np.ndarray:
    """Compute the log-probabilities of the tokens below `end`, from the logits of each step."""
    steps = result.logits[0] if result.logits else []
    pairs = zip(steps, result.sequences_ids[0], strict=False)  # there is a step more, for the end
    return np.array([_log_prob(np.asarray(step), token) for step, token in pairs if token < end], np.float32)


def _log_prob(logits: np.ndarray, token: int) -> float:
    """Return the log-softmax of `logits` (V,) at one token."""
    top = logits.max()
    return float(logits[token] - top - np.log(np.exp(logits - top).sum()))

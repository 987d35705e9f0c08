from __future__ import annotations

import numpy as np
import pytest

from voice.asr.whisper.decoding import Hypothesis, compression_ratio, hypothesis_from_row
from voice.asr.whisper.greedy import GreedyRow
from voice.asr.whisper.tokenizer import Tokenizer


class CodePoints:
    """A fake tokenizer: tokens are code points."""

    end, without_times = 1000, 1003
    last_time = Tokenizer.last_time

    def text(self, tokens) -> str:
        return "".join(map(chr, tokens))


def test_a_row_of_the_greedy_decoder_becomes_a_hypothesis_without_its_timestamps() -> None:
    row = GreedyRow(
        0.2, [ord("o"), ord("k"), 1004 + 50], [-0.1, -0.2, -0.3, -0.4], [0.0, 0.1, 0.9, 1.0], True
    )
    hypothesis = hypothesis_from_row(row, CodePoints())
    assert (hypothesis.text, hypothesis.tokens, hypothesis.no_speech_prob) == ("ok", (111, 107), 0.2)
    assert hypothesis.mean_log_prob == pytest.approx(-0.25)
    assert hypothesis.end == pytest.approx(1.0) and not hypothesis.is_cut_off


def test_the_end_of_a_sentence_is_only_known_where_each_token_has_one() -> None:
    two = Hypothesis((1, 2), "", np.zeros(2), 0.0, 0.0, end_of_sentence_probs=(0.1, 0.2, 0.9))
    assert two.end_of_sentence(2) == 0.9
    assert Hypothesis((1, 2), "", np.zeros(2), 0.0, 0.0).end_of_sentence(2) is None


def test_what_repeats_itself_compresses_well() -> None:
    assert compression_ratio("no " * 60) > 2.4 > compression_ratio("and then we went on")
    assert compression_ratio("") == 0.0

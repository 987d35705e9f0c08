from __future__ import annotations

import random
import subprocess
import sys

import pytest

from voice.metrics import Score, character_errors, edit_distance, interval, normalize, total, word_errors


def test_case_punctuation_and_figures_are_no_errors() -> None:
    assert word_errors("Twenty-five colours, Mr. Smith!", "25 colors mister smith").errors == 0
    assert normalize("It's OK.") == "it is ok"


def test_each_kind_of_error_counts_once() -> None:
    assert word_errors("the cat sat down", "the dog sat") == Score(2, 4)
    assert word_errors("yes", "oh yes indeed") == Score(2, 1)
    assert character_errors("cat", "cart") == Score(1, 3)


def test_words_where_none_were_said_count() -> None:
    assert word_errors("", "thank you").rate == 2.0
    assert word_errors("", "").rate == 0.0


def test_scores_add_up() -> None:
    assert total([Score(1, 10), Score(2, 20)]) == Score(3, 30)
    assert total([Score(1, 10), Score(2, 20)]).rate == pytest.approx(0.1)


def test_edit_distance_equals_the_textbooks() -> None:
    draw = random.Random(0)
    for _ in range(50):
        one, other = (draw.choices("abc", k=draw.randrange(6)) for _ in range(2))
        assert edit_distance(one, other) == textbook_distance(one, other)


def textbook_distance(one: list[str], other: list[str]) -> int:
    if not one or not other:
        return len(one) + len(other)
    return min(
        textbook_distance(one[1:], other) + 1,
        textbook_distance(one, other[1:]) + 1,
        textbook_distance(one[1:], other[1:]) + (one[0] != other[0]),
    )


def test_interval_holds_the_rate_and_narrows_with_more_utterances() -> None:
    few, many = ([Score(n % 3, 10) for n in range(size)] for size in (20, 2000))
    assert interval(few)[0] < total(few).rate < interval(few)[1]
    assert interval(many)[1] - interval(many)[0] < interval(few)[1] - interval(few)[0]
    assert interval(few) == interval(few)
    assert interval([]) == (0.0, 0.0)


def test_importing_metrics_loads_no_normalizer() -> None:
    check = "import sys, voice.metrics; sys.exit('whisper_normalizer' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0

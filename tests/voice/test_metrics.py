from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest

from voice.metrics import (
    Score,
    auroc,
    calibration_error,
    edit_distance,
    interval,
    normalize,
    reading_errors,
    right_words,
    total,
    word_errors,
)


def test_case_punctuation_and_figures_are_no_errors() -> None:
    assert word_errors("Twenty-five colours, Mr. Smith!", "25 colors mister smith").errors == 0
    assert normalize("It's OK.") == "it is ok"


def test_each_kind_of_error_counts_once() -> None:
    assert word_errors("the cat sat down", "the dog sat") == Score(2, 4)
    assert word_errors("yes", "oh yes indeed") == Score(2, 1)


def test_words_where_none_were_said_count() -> None:
    assert word_errors("", "thank you").rate == 2.0
    assert word_errors("", "").rate == 0.0


def test_other_languages_keep_the_letters_that_tell_words_apart() -> None:
    written = "Der Käfer läuft über die Straße."
    assert word_errors(written, "der käfer läuft über die strasse", "de").errors == 0
    assert word_errors(written, "der kafer lauft uber die strasse", "de") == Score(3, 6)
    assert normalize("L’eau, c'est bon!", "fr") == "l eau c est bon"
    assert normalize("हिन्दी में", "hi") == "हिन्दी में", "vowel signs are part of their letters"
    assert normalize("two colours", "de") == "two colours", "English spellings are for English alone"


def test_characters_count_where_there_are_no_spaces() -> None:
    assert word_errors("你好，世界。", "你好 世间", "zh") == Score(1, 4)
    assert word_errors("ありがとう", "ありがとう", "ja") == Score(0, 5)


def test_what_a_voice_reads_in_brackets_counts() -> None:
    text = "The driver (a friend of Isabel) measured it [twice]."
    assert reading_errors(text, "The driver, a friend of Isabel, measured it twice.") == Score(0, 9)
    assert reading_errors(text, "The driver measured it.").errors == 5


def test_an_ellipsis_is_no_word_and_no_part_of_one():
    for text in ("Wait... is that a goose?", "Wait… is that a goose?", "...wait, is that a goose..."):
        assert reading_errors(text, "Wait, is that a goose?") == Score(0, 5)
        assert reading_errors("Wait, is that a goose?", text) == Score(0, 5)


def test_numbers_in_a_row_may_be_heard_as_words_or_as_figures() -> None:
    text = "One, two, three, nine, ten."
    assert reading_errors(text, "1, 2, 3, 9, 10.").errors == 0
    assert reading_errors("Lines 1, 2, 3.", "Lines one, two, three.").errors == 0
    assert reading_errors(text, "1, 2, 4, 9, 10.").errors == 1
    assert reading_errors("It left at 4.", "It left at 7.") == Score(1, 4)


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


def test_words_are_right_as_they_are_spoken() -> None:
    reference = "MISTER SMITH PAID TWENTY TWO DOLLARS FOR THE COLOUR"
    assert right_words(reference, ["Mr.", "Smith", "paid", "$22", "for", "a", "color."]) == [
        *(True, True, True, True, True, False, True)
    ]
    assert right_words("one two", ["one", "and", "two"]) == [True, False, True]
    assert right_words("one two", []) == []
    assert right_words("", ["one"]) == [False]


def test_calibration_error_is_how_far_confidence_is_from_being_right() -> None:
    assert calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0.0)
    assert calibration_error([1.0, 1.0, 0.0, 0.0], [True, False, False, False]) == pytest.approx(0.25)
    assert calibration_error([], []) == 0.0


def test_auroc_is_how_often_right_words_are_surer_than_wrong_ones() -> None:
    assert auroc([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert auroc([0.1, 0.8, 0.9], [True, True, False]) == 0.0
    assert auroc([0.5, 0.5, 0.9, 0.1], [True, False, True, False]) == pytest.approx(0.875)
    assert np.isnan(auroc([0.5], [True]))

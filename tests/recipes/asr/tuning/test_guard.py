from __future__ import annotations

import pytest

from recipes.asr.tuning.guard import Candidate, Reading, differences, is_safe, judge, probability_of_gain
from voice.metrics import Score


def reading(*errors: int, words: int = 10) -> Reading:
    texts = tuple(f"text {place}" for place in range(len(errors)))
    return Reading(texts, texts, tuple(Score(count, words) for count in errors))


def candidate(scale: float, own: Reading, general: Reading | None = None) -> Candidate:
    return Candidate(scale, own, general)


BASE = candidate(0.0, reading(*[3] * 40), reading(*[1] * 40))


def test_the_share_with_the_fewest_errors_that_keeps_general_speech_is_taken():
    found = {
        1.0: candidate(1.0, reading(*[1] * 40), reading(*[3] * 40)),
        0.75: candidate(0.75, reading(*[2] * 40), reading(*[1] * 40)),
        0.5: candidate(0.5, reading(*[2] * 40), reading(*[1] * 40)),
        0.25: candidate(0.25, reading(*[3] * 40), reading(*[1] * 40)),
    }
    verdict = judge(BASE, found.__getitem__)
    assert verdict.best is found[0.5], "of two equally good ones the one nearer to the base"


def test_all_shares_that_gain_are_named_best_first():
    errors = {1.0: 1, 0.75: 2, 0.5: 3, 0.25: 2}
    found = {scale: candidate(scale, reading(*[count] * 40), BASE.general) for scale, count in errors.items()}
    verdict = judge(BASE, found.__getitem__)
    assert [each.scale for each in verdict.eligible] == [1.0, 0.25, 0.75]


def test_nothing_is_taken_where_general_speech_is_lost():
    verdict = judge(BASE, lambda scale: candidate(scale, reading(*[1] * 40), reading(*[2] * 40)))
    assert verdict.best is None and "general speech got worse" in verdict.reason


def test_nothing_is_taken_where_dev_has_as_many_errors():
    verdict = judge(BASE, lambda scale: candidate(scale, BASE.own, BASE.general))
    assert verdict.best is None and "word errors" in verdict.reason


def test_a_gain_within_chance_is_none():
    errors = [3] * 38 + [2, 4]
    verdict = judge(
        candidate(0.0, reading(*errors)), lambda scale: candidate(scale, reading(*[3] * 38, 0, 5))
    )
    assert verdict.best is None and "within chance" in verdict.reason


def test_a_few_errors_more_on_general_speech_are_chance():
    assert is_safe(BASE, candidate(1.0, BASE.own, reading(*[1] * 39, 2)))
    assert not is_safe(BASE, candidate(1.0, BASE.own, reading(*[1] * 37, 2, 2, 2)))
    assert is_safe(candidate(0.0, BASE.own), candidate(1.0, BASE.own)), "nothing to compare with"


def test_a_loop_counts_as_one_wrong_utterance_of_general_speech():
    many = candidate(0.0, BASE.own, reading(*[1] * 400))
    assert is_safe(many, candidate(1.0, BASE.own, reading(200, *[1] * 399)))
    assert not is_safe(many, candidate(1.0, BASE.own, reading(200, 200, 200, *[1] * 397)))


def test_the_probability_of_a_gain_is_that_of_utterances_drawn_anew():
    worse, better = [Score(2, 5)] * 20, [Score(1, 5)] * 20
    assert probability_of_gain(worse, better) == 1
    assert probability_of_gain(better, worse) == 0
    mixed = [Score(3, 5), Score(1, 5)] * 10
    assert probability_of_gain(worse, mixed) == pytest.approx(0.5, abs=0.15)


def test_the_worst_utterances_come_first_and_right_ones_not_at_all():
    found = Reading.of(["a b c d", "e f", "g"], ["a b c x", "x y", "g"], "en")
    assert differences(found) == [("e f", "x y"), ("a b c d", "a b c x")]

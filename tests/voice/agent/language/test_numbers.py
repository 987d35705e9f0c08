from __future__ import annotations

from fractions import Fraction

import pytest

from voice.agent.language.numbers import format_number, parse_number


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("two hundred and five", 205),
        ("three point one four", Fraction("3.14")),
        ("two and a half", Fraction(5, 2)),
        ("three quarters", Fraction(3, 4)),
        ("minus forty-two", -42),
        ("a hundred", 100),
        ("two million and six", 2_000_006),
        ("seven hundred eighty nine thousand one hundred twelve", 789_112),
        ("1.5 million", 1_500_000),
        ("1,000", 1000),
        ("a dozen", 12),
        ("five three", None),
        ("hello", None),
        ("", None),
    ],
)
def test_number_words_are_read(words: str, value: object) -> None:
    assert parse_number(words) == value


def test_numbers_are_written_to_be_read_aloud() -> None:
    assert format_number(Fraction(5, 2)) == "2.5"
    assert format_number(2**0.5) == "about 1.4142"
    assert format_number(Fraction(10) ** 20) == "about 1 times 10 to the power of 20"

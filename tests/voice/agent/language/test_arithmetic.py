from __future__ import annotations

from fractions import Fraction

import pytest

from voice.agent.language.arithmetic import NotArithmetic, calculate


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("two plus three times four", 14),
        ("(2 + 3) * 4", 20),
        ("five squared plus two", 27),
        ("2 to the power of 10", 1024),
        ("80 plus 10 percent", 88),
        ("1/3 + 1/6", Fraction(1, 2)),
        ("the sum of 3 and 5", 8),
        ("the cube root of 27", 3),
        ("5 - -3", 8),
        ("half of ten", 5),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("5 factorial", 120),
        ("2 ^ 3 ^ 2", 512),
        ("12x7x2", 168),
        ("(3+4)x2", 14),
        ("10-3x2", 4),
        ("-3x-4", 12),
        ("multiply 12x7", 84),
        ("divide 144/12", 12),
    ],
)
def test_calculations_are_exact(words: str, value: object) -> None:
    assert calculate(words) == value


@pytest.mark.parametrize(
    "words",
    [
        "2x + 3 = 7",
        "12x",
        "x7",
        "3 by 5 feet",
        "2024-07-03",
        "1/2/2024",
        "50% off",
        "add 2 eggs and 3 onions",
    ],
)
def test_what_only_looks_like_a_calculation_is_refused(words: str) -> None:
    with pytest.raises(NotArithmetic):
        calculate(words)


@pytest.mark.parametrize(
    "words", ["", "plus", "2 plus", "(2", "the cat", "__import__('os')", "square root of minus one"]
)
def test_what_is_no_calculation_is_refused(words: str) -> None:
    with pytest.raises(NotArithmetic):
        calculate(words)


@pytest.mark.parametrize("words", ["9 ^ 9 ^ 9", "200 factorial", "2 to the power of 99999"])
def test_enormous_calculations_are_refused_at_once(words: str) -> None:
    with pytest.raises(OverflowError):
        calculate(words)


@pytest.mark.parametrize("words", [5000 * "(", 5000 * "-" + "1", "sqrt " * 3000 + "4", "1" + " + 1" * 5000])
def test_a_calculation_without_end_is_no_calculation(words: str) -> None:
    with pytest.raises(NotArithmetic):
        calculate(words)

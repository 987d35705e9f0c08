from __future__ import annotations

from fractions import Fraction

from voice.agent.language.units import parse_quantity


def test_quantities_are_read_with_their_parts() -> None:
    assert parse_quantity("an hour and a half").amount == Fraction(3, 2)
    assert parse_quantity("5 feet 6 inches").amount == Fraction(11, 2)
    assert parse_quantity("half an hour").amount == Fraction(1, 2)
    assert parse_quantity("5km").unit.singular == "kilometer"
    assert parse_quantity("five") is None

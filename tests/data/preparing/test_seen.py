from __future__ import annotations

from data.preparing.seen import SeenIds


def test_the_first_that_had_an_id_keeps_it():
    with SeenIds() as seen:
        assert seen.get(-5) is None and seen.add(-5, 2**62) == 2**62
        assert seen.add(-5, 7) == 2**62 and seen.get(-5) == 2**62


def test_many_ids_are_remembered():
    with SeenIds() as seen:
        for number in range(2_000):
            seen.add(hash(str(number)), number)
        assert all(seen.get(hash(str(number))) == number for number in range(2_000))

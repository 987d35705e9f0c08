from __future__ import annotations

import warnings

import pytest

from data.left_out import LeftOut
from voice.errors import AudioError, ManifestError


def test_reasons_are_counted_with_some_names():
    left_out = LeftOut(50)
    for number in range(5):
        left_out.add(f"clip-{number}", "longer than 30 s")
    left_out.add("other", "without a transcript")
    assert len(left_out) == 6
    assert str(left_out) == (
        "left out 6 of 50 rows: 5 longer than 30 s (clip-0, clip-1, clip-2, …); "
        "1 without a transcript (other)"
    )


def fail() -> None:
    raise AudioError("broken.wav cannot be read")


def test_rows_that_cannot_be_opened_are_told_once_and_counted():
    left_out = LeftOut(30)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for name in ("a", "b", "a", "c"):
            assert left_out.open(name, fail) is None
    assert [str(each.message) for each in told] == [
        "a is left out: broken.wav cannot be read; others like it are only counted"
    ]
    assert left_out.open("good", lambda: 7) == 7 and len(left_out) == 3


@pytest.mark.filterwarnings("ignore:.*left out")
def test_more_than_a_tenth_that_cannot_be_opened_is_an_error():
    left_out = LeftOut(20)
    left_out.open("a", fail)
    left_out.open("b", fail)
    with pytest.raises(ManifestError, match="3 of 20 recordings cannot be opened, such as c: broken.wav"):
        left_out.open("c", fail)

import math

import pytest

from recipes.reporting.intervals import mean_interval


def test_the_interval_holds_the_mean_and_shrinks_with_more_values():
    few, many = mean_interval([1.0, 2.0, 3.0] * 3), mean_interval([1.0, 2.0, 3.0] * 300)
    assert few.value == many.value == pytest.approx(2.0)
    assert few.low < many.low < 2.0 < many.high < few.high


def test_what_was_not_measured_does_not_count():
    assert mean_interval([1.0, float("nan"), 1.0]).value == 1.0
    assert math.isnan(mean_interval([float("nan")]).value)

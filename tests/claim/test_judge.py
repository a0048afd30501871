"""Verdicts: Student's interval against the expected range."""

import math

import pytest
from scipy import stats

from dlexp.claim.judge import interval, judge

VALUES = [0.31, 0.42, 0.38, 0.27, 0.5]


def test_the_interval_is_scipys():
    expected = stats.ttest_1samp(VALUES, 0).confidence_interval(0.95)
    assert interval(VALUES) == pytest.approx((expected.low, expected.high))


def test_what_does_not_vary_is_its_own_interval():
    assert interval([0.25]) == (0.25, 0.25)
    assert interval([0.25, 0.25]) == (0.25, 0.25)


def test_a_value_that_is_not_finite_tells_nothing():
    low, high = interval([0.1, math.inf])
    assert (low, high) == (-math.inf, math.inf)
    assert judge(low, high, (0.0, 1.0)) == "cannot tell"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.2, 0.4, "holds"),
        (0.2, 0.6, "cannot tell"),
        (0.0, 0.15, "cannot tell"),
        (0.5000001, 0.9, "does not hold"),
        (-1.0, 0.09, "does not hold"),
        (0.1, 0.5, "holds"),
        (-1.0, 2.0, "cannot tell"),
    ],
)
def test_verdicts(low, high, verdict):
    assert judge(low, high, (0.1, 0.5)) == verdict

"""Wilson's interval against statsmodels, and chances of a guess against scipy's binomial distribution."""

import math

import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from dlexp.statistic.proportion import is_guess, judge, p_of_guessing, wilson


@pytest.mark.parametrize(("hits", "num"), [(0, 1), (1, 1), (350, 359), (3, 7), (0, 40), (500, 1000)])
def test_equals_statsmodels(hits, num):
    assert wilson(hits / num, num) == pytest.approx(proportion_confint(hits, num, method="wilson"), abs=1e-7)


def test_of_none_or_of_all_an_end_is_the_bound_to_the_bit():
    for num in range(1, 200):
        assert (wilson(0.0, num)[0], wilson(1.0, num)[1], wilson(0.0, num, 2.254)[0]) == (0.0, 1.0, 0.0)
        assert 0 < wilson(1 / num, num)[0] < wilson(1 / num, num)[1] <= 1


def test_the_figures_of_a_classifier_of_digits():
    assert [round(100 * end, 1) for end in wilson(350 / 359, 359)] == [95.3, 98.7]


@pytest.mark.parametrize("num", [1, 7, 359, 12_000])
@pytest.mark.parametrize("floor", [0.1, 0.5, 0.93])
def test_the_chance_is_that_of_a_binomial_test(num, floor):
    for count in {0, num // 3, round(num * floor), min(num, round(num * floor) + 5), num}:
        expected = binomtest(count, num, floor, alternative="greater").pvalue
        assert p_of_guessing(count / num, floor, num) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_a_guess_that_is_never_or_always_right():
    assert [p_of_guessing(share, 0.0, 10) for share in (0.0, 0.1)] == [1.0, 0.0]
    assert p_of_guessing(1.0, 1.0, 10) == 1.0


def test_fifty_of_a_hundred_right_is_the_edge():
    # of 100 with p = 0.4, scipy: P(X >= 50) = 0.0271, P(X >= 51) = 0.0168
    assert is_guess("val/accuracy", 0.50, 0.4, 100)
    assert not is_guess("val/accuracy", 0.51, 0.4, 100)
    assert not is_guess("val/accuracy", 0.99, 0.4, 100)
    assert is_guess("val/rmse", 1.0, 1.0, 100)
    assert not is_guess("val/rmse", 0.99, 1.0, 100)


def test_the_line_names_chance_and_examples():
    line = judge("val/accuracy", 0.50, 0.4, 100)
    assert line == (
        "val/accuracy 0.5000 is no better than guessing the most frequent class, 0.4000: "
        "of 100 examples a guess is right as often with p = 0.027"
    )
    assert judge("val/accuracy", math.nan, 0.4, 100) == judge("val/accuracy", None, 0.4, 100) == ""

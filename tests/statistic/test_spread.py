"""Spreads: closed forms, coverage by simulation, and what two values may differ by."""

import math

import numpy as np
import pytest
from scipy import stats

from dlexp.statistic.spread import add_spread, deviation, largest_chance_difference, mean, spread, variance_share


def drawn(seed: int) -> np.random.Generator:
    print(f"seed {seed}")
    return np.random.default_rng(seed)


def test_by_hand():
    # 1, 2, 3, 4, 5: s^2 = 2.5; chi-square quantiles of 4 degrees of freedom in any table: 0.4844 and 11.1433
    measured = spread(np.arange(1.0, 6.0))
    assert (measured.num, measured.mean, measured.std) == (5, 3.0, pytest.approx(math.sqrt(2.5)))
    assert measured.low == pytest.approx(math.sqrt(4 * 2.5 / 11.1433), rel=1e-4)
    assert measured.high == pytest.approx(math.sqrt(4 * 2.5 / 0.4844), rel=1e-4)


def test_values_that_differ_by_rounding_have_no_spread():
    measured = spread(np.array([0.1 + 0.2, 0.3, 0.3]))
    assert (measured.std, measured.low, measured.high) == (0, 0, 0)
    with pytest.raises(ValueError, match="at least two"):
        spread(np.ones(1))


def test_interval_of_the_deviation_covers():
    spans = [spread(row) for row in drawn(1).normal(3.0, 2.0, (2000, 8))]
    assert 0.935 < np.mean([span.low <= 2 <= span.high for span in spans]) < 0.965


def test_interval_of_a_share_covers():
    draw = drawn(2)
    parts, wholes = draw.normal(size=(2000, 8)), draw.normal(0.0, 2.0, (2000, 8))
    shares = [variance_share(spread(part), spread(whole)) for part, whole in zip(parts, wholes, strict=True)]
    assert all(low < ratio < high for ratio, low, high in shares)
    assert 0.935 < np.mean([low <= 0.25 <= high for _, low, high in shares]) < 0.965


def test_interval_of_a_share_is_that_of_f():
    part, whole = spread(np.arange(5.0)), spread(np.array([0.0, 3.0, 9.0]))
    ratio, low, high = variance_share(part, whole)
    assert low == pytest.approx(ratio / stats.f.ppf(0.975, 4, 2))
    assert high == pytest.approx(ratio / stats.f.ppf(0.025, 4, 2))


@pytest.mark.parametrize("num", [4, 8])
def test_two_further_values_differ_by_more_in_one_of_twenty(num):
    draw = drawn(3)
    seen, further = draw.normal(size=(4000, num)), draw.normal(size=(4000, 2))
    limits = np.array([largest_chance_difference(spread(row)) for row in seen])
    assert 0.038 < np.mean(np.abs(further[:, 0] - further[:, 1]) > limits) < 0.062


def test_many_values_give_the_repeatability_limit():
    measured = spread(drawn(4).normal(size=100_000))
    assert largest_chance_difference(measured) == pytest.approx(2.77 * measured.std, rel=1e-3)


def test_sources_add_as_squares():
    assert add_spread(1.0, (-2.0, 4.0), (-3.0, 5.0)) == (-4.0, 6.0)
    assert add_spread(1.0, (1.0, 1.0), (0.5, 2.0)) == (0.5, 2.0)


def test_interval_over_seeds_and_examples_covers():
    """A mean over 8 seeds and 200 examples, each with an effect of its own, and one of both together."""
    draw = drawn(5)
    covered = 0
    for _ in range(2000):
        cells = 0.3 * draw.normal(size=(8, 1)) + draw.normal(size=(1, 200)) + draw.normal(size=(8, 200))
        by_seed, by_example = cells.mean(1), cells.mean(0)
        spans = []
        for values, quantile in ((by_seed, stats.t.ppf(0.975, 7)), (by_example, 1.96)):
            reach = quantile * values.std(ddof=1) / math.sqrt(len(values))
            spans.append((cells.mean() - reach, cells.mean() + reach))
        low, high = add_spread(cells.mean(), *spans)
        covered += low <= 0 <= high
    print(f"coverage {covered / 2000:.3f}")
    assert 0.94 < covered / 2000 < 0.99


@pytest.mark.parametrize("value", [0.9, 0.1, 1 / 3, 2.7e-13, 1e9 / 7])
@pytest.mark.parametrize("num", [3, 5, 6, 7, 10, 49, 1000])
def test_equal_values_have_no_spread_and_are_their_mean(value, num):
    values = np.full(num, value)
    assert (mean(values), deviation(values)) == (value, 0.0)
    assert (spread(values).mean, spread(values).std) == (value, 0.0)


def test_small_values_that_differ_have_a_spread():
    values = np.array([2e-13, 3e-13, 4e-13])
    assert deviation(values) == pytest.approx(1e-13)
    assert spread(values).std == pytest.approx(1e-13)
    assert math.isnan(deviation(np.array([1.0, math.nan])))
    assert math.isnan(mean(np.array([1.0, math.nan])))

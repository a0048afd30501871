"""Intervals that stay within a metric's bounds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.statistic.interval import coverage
from dlexp.config.metric import METRICS
from dlexp.statistic.bounded import are_equal, bounds, bounds_of_difference, mean_interval, rounding, within

UNIT = (0.0, 1.0)


def test_logit_by_hand():
    # m = 0.9, s = 0.1, n = 4, t_3 = 3.182446: the step is 3.182446 * 0.1 / 2 / (0.9 * 0.1) = 1.768026 about ln 9
    values = np.array([0.9 - 0.1 * math.sqrt(1.5), 0.9, 0.9, 0.9 + 0.1 * math.sqrt(1.5)])
    assert mean_interval(values, UNIT) == pytest.approx(mean_interval(values))  # one is beyond 1: as it stands
    inside = 0.9 + (values - 0.9) * 0.5
    step = 1.768026 / 2
    low, high = 1 / (1 + math.exp(step - math.log(9))), 1 / (1 + math.exp(-step - math.log(9)))
    assert mean_interval(inside, UNIT) == pytest.approx((low, high), rel=1e-6)


def test_log_by_hand():
    values = np.array([1.0, 2.0, 3.0])  # t_2 = 4.302653, s = 1: the step is 4.302653 / sqrt(3) / 2
    factor = math.exp(4.302653 / math.sqrt(3) / 2)
    assert mean_interval(values, (0.0, math.inf)) == pytest.approx((2 / factor, 2 * factor), rel=1e-6)
    # of R2 = 1 - x the mirror image
    assert mean_interval(1 - values, (-math.inf, 1.0)) == pytest.approx((1 - 2 * factor, 1 - 2 / factor), rel=1e-6)


def test_without_bounds_it_is_students():
    values = np.random.default_rng(0).normal(size=7)
    expected = stats.t.interval(0.95, 6, values.mean(), stats.sem(values))
    assert mean_interval(values) == pytest.approx(expected)
    wide = math.sqrt((1 / 7 + 0.25) * 7)
    centre = values.mean()
    corrected = [centre + (end - centre) * wide for end in expected]
    assert mean_interval(values, test_to_train=0.25) == pytest.approx(corrected)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_no_interval_leaves_the_bounds_and_each_holds_the_mean(values, ratio):
    array = np.array(values)
    for limits, moved in (
        (UNIT, array),
        ((-1.0, 1.0), 2 * array - 1),
        ((0.0, math.inf), array),
        ((-math.inf, 1.0), array),
    ):
        low, high = mean_interval(moved, limits, ratio)
        if not math.isnan(low):
            assert limits[0] <= low <= moved.mean() * (1 + 1e-12) + 1e-12
            assert moved.mean() * (1 - 1e-12) - 1e-12 <= high <= limits[1]


def test_equal_values_have_none():
    assert all(math.isnan(end) for end in mean_interval(np.full(5, 0.9812), UNIT))
    with pytest.raises(ValueError, match="at least two"):
        mean_interval(np.ones(1))


@pytest.mark.parametrize("unit", [1e-15, 1e-9, 1e9])
def test_the_unit_of_a_loss_scales_its_interval(unit):
    losses = np.array([0.31, 0.25, 0.4, 0.28, 0.33])
    for limits in ((0.0, math.inf), (-math.inf, math.inf)):
        expected = [end * unit for end in mean_interval(losses, limits, 0.25)]
        assert mean_interval(losses * unit, limits, 0.25) == pytest.approx(expected, rel=1e-9)
        assert all(math.isnan(end) for end in mean_interval(np.full(5, 0.3 * unit), limits))


def test_a_metric_with_a_bound_rounds_as_the_bound_does():
    rounded = np.array([1.1e-16, -2.2e-16, 0.0, 1.1e-16])  # R2 of a guess
    assert are_equal(rounded, bounds("r2"))
    assert are_equal(rounded, bounds("accuracy"))
    assert not are_equal(rounded, bounds("mse"))
    assert rounding(bounds("mse"), np.array([1e-9]), np.array([[-4e-9]])) == pytest.approx(4e-21)


def test_every_metric_has_its_bounds():
    bounds_of = {row.name: bounds(f"val/{row.name}") for row in METRICS}
    assert bounds_of.pop("bias") == (-math.inf, math.inf)
    assert bounds_of.pop("r2") == bounds_of.pop("explained_variance") == (-math.inf, 1.0)
    assert bounds_of.pop("matthews_correlation") == (-1.0, 1.0)
    errors = {"log_loss", "mse", "rmse", "mae", "huber", "median_error"}
    assert {name for name, limits in bounds_of.items() if limits == (0.0, math.inf)} == errors
    assert {name for name, limits in bounds_of.items() if limits == UNIT} == set(bounds_of) - errors
    assert bounds("my_own_score") == (-math.inf, math.inf)


def test_plain_interval_covers_independent_values():
    draw = np.random.default_rng(7)
    spans = np.array([mean_interval(row) for row in draw.normal(1.0, 2.0, (2000, 6))])
    assert 0.935 < np.mean((spans[:, 0] <= 1) & (spans[:, 1] >= 1)) < 0.965


@pytest.mark.parametrize("case", [(0.95, 5, 20), (0.8, 10, 20), (0.95, 10, 100)])
def test_intervals_of_accuracies_cover_where_the_plain_ones_leave_the_bounds(case):
    truth, k, size = case
    covered = coverage("accuracy", truth, k, size, False, draws=2000)
    assert 0.935 < covered["transformed"] < 0.99
    if truth == 0.95 and size == 20:
        assert covered["plain_outside"] > 0.08


def test_the_bounds_of_a_difference():
    assert bounds_of_difference("val/accuracy") == (-1, 1)
    assert bounds_of_difference("matthews_correlation") == (-2, 2)
    assert bounds_of_difference("rmse") == bounds_of_difference("r2") == (-math.inf, math.inf)
    assert within([-1.9, 0.9], (-1, 1)) == [-1, 0.9]
    assert all(math.isnan(end) for end in within([math.nan, math.nan], (-1, 1)))

"""Limits that a diverged value does not stretch."""

import math

import pytest
from matplotlib.figure import Figure

from dlexp.figure.style.limit import is_log_metric, limit, limit_of, mark_clipped, set_limit
from tests.figure.drawn import numbers


@pytest.mark.parametrize(
    ("values", "low", "high", "is_log", "clipped"),
    [
        ([0.5, 0.6, 0.9], 0.5, 0.9, False, 0),
        ([2.3, 0.5, 0.1, 0.05], 0.05, 2.3, True, 0),  # more than a decade
        ([1.0, 10.0], 1.0, 10.0, False, 0),  # a decade and not more
        ([-1.0, 0.1, 10.0], -1.0, 10.0, False, 0),  # no logarithm of a negative number
        ([0.5, 0.6, 0.9, math.nan, math.inf, None], 0.5, 0.9, False, 2),
        ([0.5, 0.6, 0.7, 0.9, 1e30], 0.5, 0.9, False, 1),
        ([0.5, 0.6, 0.7, 0.9, -1e30], 0.5, 0.9, False, 1),
        ([5.0, 5.3, 3e8], 5.0, 5.3, False, 1),
        ([3.0, 1e9], 3.0, 3.0, False, 1),
        ([1e-3] * 9 + [0.9], 1e-3, 0.9, True, 0),  # a loss that falls has not diverged
        ([0.0, 0.0, 0.0, 5.0], 0.0, 5.0, False, 0),
        ([3.0], 3.0, 3.0, False, 0),
        ([math.nan], 0.0, 1.0, False, 1),
        ([], 0.0, 1.0, False, 0),
    ],
)
def test_what_is_shown(values, low, high, is_log, clipped):
    shown = limit(values)
    assert (shown.low, shown.high, shown.is_log, shown.num_clipped) == (low, high, is_log, clipped)


def test_an_accuracy_is_never_logarithmic():
    assert not limit([0.01, 0.9], may_be_log=False).is_log


def test_the_axis_holds_what_is_shown_and_an_arrow_marks_the_rest():
    axis = Figure().subplots()
    values = [0.5, 0.6, 0.7, 0.9, 1e30, math.nan, -1e30, None]
    limits = limit(values)
    set_limit(axis, "y", limits)
    assert axis.get_ylim()[0] < 0.5
    assert 0.9 < axis.get_ylim()[1] < 1.0
    mark_clipped(axis, range(8), values, limits)
    up, down = axis.get_lines()
    assert (up.get_marker(), numbers(up.get_xdata())) == ("^", [4, 5])
    assert (down.get_marker(), numbers(down.get_xdata())) == ("v", [6])


def test_an_axis_of_one_value_or_a_logarithm_has_room():
    axis = Figure().subplots()
    set_limit(axis, "x", limit([3.0]))
    assert axis.get_xlim()[0] < 3.0 < axis.get_xlim()[1]
    set_limit(axis, "y", limit([0.001, 1.0]))
    assert axis.get_yscale() == "log"
    assert 0 < axis.get_ylim()[0] < 0.001


def test_shares_are_never_logarithmic():
    logarithmic = {name: is_log_metric(name) for name in ("val/loss", "rmse", "val/accuracy", "val/f1_macro", "r2")}
    assert logarithmic == {"val/loss": True, "rmse": True, "val/accuracy": False, "val/f1_macro": False, "r2": False}


@pytest.mark.parametrize(
    ("metric", "values", "is_crowded"),
    [
        ("val/accuracy", [0.6, 0.95, 0.99, 0.995], True),  # errors 0.4 to 0.005
        ("val/accuracy", [0.95, 0.97, 0.98], False),  # less than a decade
        ("val/accuracy", [0.1, 0.2, 0.3, 0.99], False),  # the median is far from 1
        ("val/roc_auc", [0.9, 0.99, 1.0, 1.0], False),  # the errors that there are span a decade at most
        ("val/roc_auc", [0.8, 0.99, 1.0], True),
        ("val/r2", [0.6, 0.95, 0.995], False),
        ("val/loss", [0.6, 0.95, 0.995], False),
        ("val/accuracy", [1.0, 1.0], False),
        ("val/accuracy", [None], False),
    ],
)
def test_shares_that_crowd_at_one_are_shown_by_their_errors(metric, values, is_crowded):
    assert (limit_of(values, metric).least_error > 0) == is_crowded


def test_limits_of_a_metric_are_those_of_its_values():
    values = [0.001, 3.0, None, math.inf]
    assert limit_of(values, "val/loss") == limit(values)
    assert limit_of(values, "val/r2") == limit(values, may_be_log=False)

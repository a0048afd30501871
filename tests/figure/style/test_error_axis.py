"""Axes of shares that are logarithmic in the error: places by the formula, ticks by hand."""

import math

import numpy as np
import pytest

from dlexp.figure.style.canvas import new_figure
from dlexp.figure.style.error_axis import MOST_TICKS, set_error_scale, ticks
from tests.figure.drawn import assert_is_drawn_whole


def test_ticks_are_shares_of_round_errors():
    assert ticks(0.9, 0.99, 1e-3) == pytest.approx([0.9, 0.95, 0.98, 0.99])
    assert ticks(0.5, 0.95, 5e-3) == pytest.approx([0.5, 0.8, 0.9, 0.95])
    assert ticks(0.0, 0.999, 1e-4) == pytest.approx([0.0, 0.7, 0.9, 0.97, 0.99, 0.997, 0.999])
    assert ticks(0.9, 1.0, 0.01) == pytest.approx([0.9, 0.95, 0.98, 1.0])  # none between an error of 0.02 and 1


@pytest.mark.parametrize("low", [0.0, 0.3, 0.87, 0.99])
@pytest.mark.parametrize("errors", [20, 1e3, 1e6, math.inf])
def test_there_are_some_ticks_and_not_too_many(low, errors):
    shown = ticks(low, 1 - (1 - low) / errors, (1 - low) / 100)
    assert 2 <= len(shown) <= MOST_TICKS + 1
    assert shown == sorted(set(shown))


def test_equal_factors_of_the_error_are_equal_lengths():
    axis = new_figure(3, 3).subplots()
    set_error_scale(axis, "y", 0.9, 0.999, 1e-9)
    shares = np.array([[0.0, 0.9], [0.0, 0.99], [0.0, 0.999]])
    heights = axis.transData.transform(shares)[:, 1]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], rel=1e-4)
    assert heights[1] > heights[0]


@pytest.mark.parametrize("high", [0.9999, 1.0])
def test_what_lies_beyond_one_is_drawn_at_the_end_without_a_warning(high):
    figure = new_figure(3, 3)
    axis = figure.subplots()
    axis.errorbar([1, 2], [0.9, high], [0.05, 0.05])
    set_error_scale(axis, "y", 0.85, high, 1e-4)
    assert_is_drawn_whole(figure)

"""Residuals as a picture: what stands in them."""

import numpy as np
import pytest

from dlexp.figure.residual import residual_figure
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, numbers


def test_points_are_truth_against_prediction_and_prediction_against_error():
    left, right = residual_figure(np.array([1.0, 2.0]), np.array([1.5, 1.0]), "price_eur").axes
    assert numbers(left.collections[0].get_offsets()) == [[1.0, 1.5], [2.0, 1.0]]
    assert numbers(right.collections[0].get_offsets()) == [[1.5, 0.5], [1.0, -1.0]]
    assert (left.get_xlabel(), left.get_ylabel()) == ("true price_eur", "predicted price_eur")
    assert (right.get_xlabel(), right.get_ylabel()) == ("predicted price_eur", "prediction - truth")


def test_a_diverged_prediction_is_an_arrow_and_stretches_nothing():
    left, right = residual_figure(np.arange(1.0, 7.0), np.array([1.0, 2, 3, 4, np.nan, 1e25])).axes
    assert left.get_ylim()[1] < 5
    assert right.get_xlim()[1] < 5
    (arrows,) = [line for line in left.get_lines() if line.get_marker() == "^"]
    assert numbers(arrows.get_xdata()) == [5, 6]


def test_an_error_that_is_far_away_is_an_arrow_over_its_prediction():
    targets = np.array([1.0, 2, 3, 4, 5, 1e9])
    _, right = residual_figure(targets, np.array([1.1, 2.2, 2.9, 4.1, 5.2, 3.5])).axes
    assert right.get_ylim()[0] > -2
    (arrow,) = [line for line in right.get_lines() if line.get_marker() == "v"]
    assert numbers(arrow.get_xdata()) == [3.5]


@pytest.mark.parametrize("name", ["", LONG, "_" + " ".join(HARD_NAMES[:6])])
def test_any_name_is_drawn(name):
    assert_is_drawn_whole(residual_figure(np.arange(3.0), np.arange(3.0), name))


@pytest.mark.parametrize("outputs", [[2.0], [np.nan], [2.0] * 5])
def test_one_value_and_equal_ones_are_drawn(outputs):
    assert_is_drawn_whole(residual_figure(np.full(len(outputs), 3.0), np.array(outputs)))

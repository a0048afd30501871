import numpy as np
import pytest

from dlexp.figure.inside.filter import MOST, filter_figure
from tests.figure.drawn import assert_is_drawn_whole


def test_zero_is_the_middle_and_the_largest_weight_the_end():
    weights = np.array([[[[2.0, 0.0], [-1.0, 2.0]]]])
    picture = np.asarray(filter_figure(weights).axes[0].images[0].get_array())
    assert picture.tolist() == [[1.0, 0.5], [0.25, 1.0]]


@pytest.mark.parametrize(("filters", "channels"), [(1, 1), (16, 3), (100, 2)])
def test_any_number_of_filters_and_channels_is_drawn(filters, channels):
    figure = filter_figure(np.random.default_rng(0).normal(size=(filters, channels, 3, 3)))
    assert sum(len(axis.images) for axis in figure.axes) == min(filters, MOST)
    assert_is_drawn_whole(figure)


def test_filters_of_zeros_are_grey():
    assert np.asarray(filter_figure(np.zeros((1, 1, 2, 2))).axes[0].images[0].get_array()).tolist() == [[0.5, 0.5]] * 2

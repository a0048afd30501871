"""Contour figures: every path, its label and the minima are drawn, whatever rules are called."""

import numpy as np
import pytest

from dlexp.figure.path.contour import COLORS, DASHES, Field, Track, contour_figure, style_of
from dlexp.figure.style.color import contrast
from tests.figure.drawn import assert_is_drawn_whole

FIELD = Field("a bowl", lambda points: points.square().sum(1), (-2, 2, -1, 1), ((0.0, 0.0),))
PATH = np.array([[1.5, 0.5], [0.5, 0.2], [0.0, 0.0]])


def test_paths_start_and_minimum():
    figure = contour_figure(FIELD, [Track("sgd", PATH, 2), Track("adam", PATH[:2], None)])
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert {"sgd: 2 steps", "adam: not there", "start", "minimum"} <= set(lines)
    np.testing.assert_array_equal(np.stack(lines["sgd: 2 steps"].get_data(), 1), PATH)
    assert figure.axes[0].get_xlim() == (-2, 2)


@pytest.mark.parametrize("count", [1, 7, 40])
def test_as_many_paths_as_there_are_are_drawn_whole(count):
    assert_is_drawn_whole(contour_figure(FIELD, [Track(f"rule {k} " + "x" * 30, PATH, k) for k in range(count)]))


def test_colours_stand_out_and_no_two_of_28_paths_look_alike():
    assert all(contrast(color) >= 3 for color in COLORS)
    assert len({style_of(number) for number in range(len(COLORS) * len(DASHES))}) == len(COLORS) * len(DASHES)

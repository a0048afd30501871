"""Figures of a sweep: what stands in them."""

import math

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from dlexp.figure.point import Point
from dlexp.figure.search import curve_figure, dimension_figure
from dlexp.figure.style.color import MARKED
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, corners, numbers, texts

POINTS = [
    Point({"model": "b", "lr": 0.001}, 0.7, 2),
    Point({"model": "a", "lr": 0.1, "widths": [8, 8]}, 0.5, 1),
    Point({"model": "b", "lr": 1.0}, None, 2),
]
KEYS = ["model", "lr", "widths", "never"]


def scattered(axis):
    (points,) = [item for item in axis.collections if item.get_gid() == "trials"]
    return numbers(points.get_offsets())


def test_every_dimension_has_a_panel_with_its_trials_the_best_and_the_failed():
    figure = dimension_figure(POINTS, KEYS[:2], {"lr"}, "val/accuracy")
    model, lr = figure.axes[:2]
    assert scattered(model) == [[1.0, 0.7], [0.0, 0.5]]
    assert scattered(lr) == [[0.001, 0.7], [0.1, 0.5]]
    assert (lr.get_xscale(), lr.get_xlabel(), lr.get_ylabel()) == ("log", "lr", "val/accuracy")
    failed, best = (next(line for line in lr.get_lines() if line.get_label() == name) for name in ("failed", "best"))
    assert numbers(failed.get_xdata()) == [1.0]
    assert (numbers(best.get_xdata()), numbers(best.get_ydata()), best.get_marker()) == ([0.001], [0.7], "*")


def test_colours_go_by_rank_and_rounds_are_bars_the_first_on_top():
    points = [
        Point({"lr": lr}, value, r) for lr, value, r in [(0.3, 0.9, 2), (0.2, 0.8, 2), (0.1, 0.7, 1), (1.0, 0.1, 1)]
    ]
    (axis,) = dimension_figure(points, ["lr"], set(), "val/accuracy", {"lr": (0.05, 2.0)}).axes
    (marks,) = [item for item in axis.collections if item.get_gid() == "trials"]
    ranks = marks.get_array()
    assert ranks is not None
    assert numbers(ranks) == [0, 1, 2, 3]
    bars = [line for line in axis.get_lines() if line.get_linewidth() == 2]
    assert [numbers(line.get_xdata()) for line in bars] == [[0.2, 0.3], [0.1, 1.0]]
    assert numbers(bars[0].get_ydata())[0] < numbers(bars[1].get_ydata())[0]
    (shade,) = axis.patches
    assert isinstance(shade, Rectangle)
    assert [shade.get_x(), shade.get_x() + shade.get_width()] == [0.05, 2.0]


def test_seeds_are_a_mean_with_a_bar():
    points = [Point({"lr": lr}, value, 1) for lr, value in [(0.1, 0.5), (0.1, 0.7), (0.2, 0.4), (0.2, 0.4)]]
    (axis,) = dimension_figure(points, ["lr"], set(), "val/accuracy").axes
    assert scattered(axis) == [[0.1, pytest.approx(0.6)], [0.2, pytest.approx(0.4)]]
    (bars,) = [item for item in axis.collections if isinstance(item, LineCollection)]
    ends = np.array(bars.get_segments())[0, :, 1].tolist()
    assert ends == pytest.approx([0.6 - 0.02**0.5, 0.6 + 0.02**0.5])


def test_losses_over_a_decade_are_logarithmic_and_diverged_ones_are_arrows():
    points = [Point({"lr": 0.1 * i}, value, 1) for i, value in enumerate([0.01, 0.1, 0.3, 1e30])]
    (axis,) = dimension_figure(points, ["lr"], set(), "val/loss").axes
    assert axis.get_yscale() == "log"
    assert axis.get_ylim()[1] < 1
    (arrow,) = [line for line in axis.get_lines() if line.get_marker() == "^"]
    assert numbers(arrow.get_xdata()) == [pytest.approx(0.3)]


def history(*values, metric="val/accuracy"):
    return [{"epoch": epoch, metric: value} for epoch, value in enumerate(values, 1)]


def test_curves_of_the_best_the_very_best_thick():
    curves = [(f"lr={k}", [history(0.1 * k, 0.2 * k)]) for k in range(1, 13)]
    figure = curve_figure(curves, "val/accuracy")
    (axis,) = figure.axes
    lines = [line for line in axis.get_lines() if line.get_gid()]
    assert [numbers(line.get_ydata()) for line in lines] == [[0.1 * k, 0.2 * k] for k in range(1, 11)]
    assert lines[0].get_color() == MARKED
    assert lines[0].get_linewidth() > lines[1].get_linewidth()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [f"lr={k}" for k in range(1, 11)]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("epoch", "val/accuracy")


def test_seeds_are_a_mean_in_a_band():
    curves = [("a", [history(0.1, 0.5), history(0.3, 0.7, 0.9)])]
    (axis,) = curve_figure(curves, "val/accuracy").axes
    assert numbers(axis.get_lines()[0].get_ydata()) == pytest.approx([0.2, 0.6, 0.9])
    (band,) = axis.collections
    assert {(1, 0.1), (1, 0.3), (2, 0.5), (2, 0.7)} <= corners(band)
    assert "band" in axis.get_title()


def test_a_diverged_curve_is_cut_with_an_arrow():
    curves = [("a", [history(0.9, 0.8, 0.7, metric="val/loss")]), ("b", [history(0.9, 1e30, metric="val/loss")])]
    (axis,) = curve_figure(curves, "val/loss").axes
    assert axis.get_ylim()[1] < 1
    assert [numbers(line.get_xdata()) for line in axis.get_lines() if line.get_marker() == "^"] == [[2]]


@pytest.mark.parametrize("names", [HARD_NAMES, [f"{i}{LONG}" for i in range(40)], [LONG], ["猫", "كلب"]])
def test_any_names_are_drawn(names):
    points = [Point({"model": name, name or "key": i}, 0.1 * i, 1) for i, name in enumerate(names)]
    assert_is_drawn_whole(dimension_figure(points, ["model", names[0] or "key"], set(), "val/loss"))
    figure = curve_figure([(name, [history(0.1, 0.2)]) for name in names], "val/accuracy")
    assert_is_drawn_whole(figure)
    assert (LONG not in names[0]) or any("A  " in text for text in texts(figure))


def test_failures_one_value_and_an_absent_metric_are_drawn():
    assert_is_drawn_whole(dimension_figure([Point({"lr": 0.1}, None, 1)], ["lr"], {"lr"}, "val/loss"))
    assert_is_drawn_whole(dimension_figure([Point({"lr": 0.1}, math.nan, 1)], ["lr"], {"lr"}, "val/loss"))
    assert_is_drawn_whole(dimension_figure(POINTS, KEYS, {"lr"}, "val/accuracy"))
    assert_is_drawn_whole(curve_figure([("a", [history(0.1)])], "val/other"))

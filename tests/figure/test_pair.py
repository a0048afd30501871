"""Maps of pairs of dimensions: what stands in them."""

import pytest

from dlexp.figure.pair import pair_figure
from dlexp.figure.point import Point
from dlexp.figure.style.color import MARKED
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, numbers, points

POINTS = [
    Point({"model": "a", "lr": 0.1, "widths": [8, 8]}, 0.5, 1),
    Point({"model": "b", "lr": 0.001, "depth": 3}, 0.7, 2),
    Point({"model": "b", "lr": 1.0, "depth": 5}, None, 2),
]


def stars(axis):
    return [line for line in axis.get_lines() if line.get_marker() == "*"]


def test_a_map_for_each_pair_of_the_first_four():
    keys = ["lr", "model", "widths", "depth", "more"]
    assert len(pair_figure(POINTS, keys[:2], {"lr"}, "val/accuracy", is_high_better=True).axes) == 2
    figure = pair_figure(POINTS, keys, {"lr"}, "val/accuracy", is_high_better=True)
    names = [(axis.get_xlabel(), axis.get_ylabel()) for axis in figure.axes[:-1]]
    assert names == [(a, b) for i, a in enumerate(keys[:4]) for b in keys[i + 1 : 4]]
    assert "val/accuracy" in figure.axes[-1].get_ylabel()


def test_trials_where_they_lie_coloured_by_rank_and_the_best_a_star():
    # the best has the smallest loss, at the left; of equal ones it is the first
    trials_given = [Point({"x": x / 10, "y": 0.5}, 10.0 ** max(x, 5), 1) for x in range(11)]
    axis = pair_figure(trials_given, ["x", "y"], set(), "l", is_high_better=False).axes[0]
    (trials,) = axis.collections
    colors = trials.get_array()
    assert colors is not None
    by_place = dict(zip([x for x, _ in points(trials.get_offsets())], numbers(colors), strict=True))
    assert [by_place[x / 10] for x in (10, 9, 8, 5, 0)] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 1, 1])
    (star,) = stars(axis)
    assert (numbers(star.get_xdata()), star.get_color()) == ([0.0], MARKED)


def test_failed_trials_are_crosses():
    axis = pair_figure(POINTS, ["lr", "model"], {"lr"}, "val/loss", is_high_better=True).axes[0]
    (crosses,) = [line for line in axis.get_lines() if line.get_marker() == "x"]
    assert numbers(crosses.get_xdata()) == [1.0]
    assert axis.get_xscale() == "log"


def test_nothing_but_failures():
    failed = [Point({"lr": 0.1, "model": "a"}, None, 1)]
    figure = pair_figure(failed, ["lr", "model"], {"lr"}, "val/loss", is_high_better=True)
    assert stars(figure.axes[0]) == []
    assert_is_drawn_whole(figure)


@pytest.mark.parametrize("names", [HARD_NAMES, [f"{i}{LONG}" for i in range(40)], ["猫", "كلب"], ["one"]])
def test_any_names_are_drawn(names):
    trials = [Point({names[0] or "key": name, "b": i}, 10.0**i, 1) for i, name in enumerate(names)]
    figure = pair_figure(trials, [names[0] or "key", "b"], set(), "val/loss", is_high_better=False)
    assert_is_drawn_whole(figure)

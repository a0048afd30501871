"""The figures of a cross-validation: what stands in them."""

import math

import pytest
from matplotlib.patches import Rectangle

from dlexp.figure.cv import fold_figure, settings_figure
from dlexp.figure.style.color import FAILED, MARKED, NEUTRAL
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, numbers


def folded(k=3, repeats=1, **more):
    folds = [{"repeat": r, "fold": f, "metrics": {"m": 0.1 * f + r}} for r in range(repeats) for f in range(k)]
    spans = {"interval": {"m": [0.05, 0.15]}, "interval_corrected": {"m": [0.0, 0.2]}}
    return {"k": k, "repeats": repeats, "folds": folds, "mean": {"m": 0.1}, **spans, **more}


@pytest.mark.parametrize(("k", "repeats"), [(3, 2), (60, 1)])
def test_folds_of_every_repeat_their_mean_and_the_corrected_interval(k, repeats):
    figure = fold_figure(folded(k, repeats), "m")
    (axis,) = figure.axes
    *points, mean = axis.get_lines()
    assert [numbers(line.get_xdata()) for line in points] == [list(range(1, k + 1))] * repeats
    assert [numbers(line.get_ydata()) for line in points] == [[0.1 * f + r for f in range(k)] for r in range(repeats)]
    assert numbers(mean.get_ydata()) == [0.1, 0.1]
    band = axis.patches[0]
    assert isinstance(band, Rectangle)
    assert (band.get_y(), band.get_height()) == (0.0, 0.2)  # not the optimistic one
    assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == ("m by fold", "fold", "m")
    assert len(axis.get_xticks()) <= 20
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [*(f"repeat {r + 1}" for r in range(repeats)), "mean", "95 % interval of the mean"]


def test_a_diverged_fold_is_an_arrow_and_equal_folds_have_no_interval():
    result = folded(interval_corrected={"m": [None, None]})
    result["folds"][1]["metrics"]["m"] = math.inf
    (axis,) = fold_figure(result, "m").axes
    assert not axis.patches
    (arrow,) = [line for line in axis.get_lines() if line.get_marker() == "^"]
    assert numbers(arrow.get_xdata()) == [2]


def settings(*names: str, values=None):
    records = [
        {
            "overrides": {"optimizer.lr": name},
            "value": (0.9 - 0.1 * i if i < 3 else None) if values is None else values[i],
            "interval_corrected": {"m": [0.7, None if i == 1 else 1.0]},
            "against_best": [None, "cannot tell", "worse", None][i % 4],
        }
        for i, name in enumerate(names)
    ]
    return {"metric": "m", "settings": records}


def test_settings_against_the_best():
    figure = settings_figure(settings("0.0", "0.1", "0.2", "0.3"))
    (axis,) = figure.axes
    first, best, second, worse_line, worse = axis.get_lines()
    points = [(numbers(line.get_xdata())[0], numbers(line.get_ydata())[0]) for line in (best, second, worse)]
    assert points == [(0.9 - 0.1 * i, i) for i in range(3)]
    assert [line.get_color() for line in (best, second, worse)] == [MARKED, NEUTRAL, FAILED]
    assert [line.get_marker() for line in (best, second, worse)] == ["*", "o", "v"]  # not by colour alone
    assert numbers(first.get_xdata()) == numbers(worse_line.get_xdata()) == [0.7, 1.0]
    (legend,) = figure.legends
    expected = ["best", "cannot be told from the best", "worse than the best"]
    assert [text.get_text() for text in legend.get_texts()] == expected
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["lr: 0.0", "lr: 0.1", "lr: 0.2"]
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # the best on top


@pytest.mark.parametrize("names", [HARD_NAMES, [LONG], [f"{i}{LONG}" for i in range(40)], ["猫", "كلب"]])
def test_any_settings_are_drawn(names):
    assert_is_drawn_whole(settings_figure(settings(*names, values=[0.1 * i for i in range(len(names))])))


def test_nothing_but_failures_and_diverged_values():
    assert_is_drawn_whole(settings_figure(settings("a", values=[None])))
    assert_is_drawn_whole(settings_figure(settings("a", "b", values=[0.1, 1e30])))
    assert_is_drawn_whole(fold_figure(folded(1, mean={}, interval_corrected={}), "other"))

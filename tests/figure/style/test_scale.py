"""Values are placed where their kind belongs."""

import pytest
from matplotlib.figure import Figure

from dlexp.figure.style.scale import are_geometric, name_of, set_scale


def axis():
    figure = Figure()
    return figure.subplots()


def labels(side):
    side.figure.draw_without_rendering()
    return [tick.get_text() for tick in side.get_ticklabels()]


@pytest.mark.parametrize("which", ["x", "y"])
def test_names_in_a_row_the_short_ones_first(which):
    axes = axis()
    place = set_scale(axes, which, ["sigmoid", "relu", [64, 64], "relu", "a_name_much_too_long"], is_log=False)
    assert [place(value) for value in ("relu", [64, 64], "sigmoid")] == [0, 1, 2]
    assert labels(axes.xaxis if which == "x" else axes.yaxis) == ["relu", "[64,64]", "sigmoid", "a_name…oo_long"]
    assert name_of([64, 64]) == "[64,64]"
    assert set_scale(axis(), which, [True, False], is_log=False)(True) in (0, 1)


def test_logarithms_over_decades_and_over_few():
    axes = axis()
    assert set_scale(axes, "x", [1e-5, 1.0], is_log=True)(0.1) == 0.1
    assert axes.get_xscale() == "log"
    axes = axis()
    set_scale(axes, "x", [0.01, 0.04], is_log=True)
    axes.set_xlim(0.009, 0.045)
    assert {"0.01", "0.02"} <= set(labels(axes.xaxis))
    assert set_scale(axis(), "x", [0.0, 1.0], is_log=True)(0.0) == 0.0  # no logarithm of 0: linear


def test_few_listed_numbers_have_their_own_ticks():
    axes = axis()
    set_scale(axes, "x", [18, 34, 50, 18], is_log=False)
    assert labels(axes.xaxis) == ["18", "34", "50"]
    axes = axis()
    set_scale(axes, "x", [18, 19, 152], is_log=False)  # two would overlap
    assert labels(axes.xaxis) != ["18", "19", "152"]


@pytest.mark.parametrize("listed", [[0.01, 0.1, 1.0], [16, 32, 64], [1e-4, 3e-4, 1e-3, 3e-3], [1.0, 0.1, 0.01, 0.01]])
def test_listed_by_a_factor(listed):
    assert are_geometric(listed)
    axes = axis()
    set_scale(axes, "x", listed, is_log=True)
    assert axes.get_xscale() == "log"
    assert labels(axes.xaxis) == [f"{value:.4g}" for value in sorted(set(listed))]


@pytest.mark.parametrize("listed", [[1, 2, 3], [0.1, 1.0], [0, 0.1, 1], [10, 20, 30, 40], ["a", "b", "c"], [], [1, 1]])
def test_listed_by_a_step_or_too_few(listed):
    assert not are_geometric(listed)


@pytest.mark.parametrize("which", ["x", "y"])
def test_a_lone_number_has_room_on_either_side(which):
    axes = axis()
    set_scale(axes, which, [0.1, 0.1], is_log=True)
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    assert low < 0.1 < high

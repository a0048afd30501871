"""Parallel coordinates: what stands in them."""

import pytest

from dlexp.figure.parallel import _positions, parallel_figure
from dlexp.figure.point import Point
from dlexp.figure.style.color import MARKED
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, numbers

KEYS = ["lr", "model", "width"]


def points(num=10):
    return [Point({"lr": 10.0**-i, "model": "ab"[i % 2], "width": i}, 1 - i / num, 1, f"t{i}") for i in range(num)]


def lines(axis):
    return {line.get_gid(): line for line in axis.get_lines() if line.get_gid()}


def test_a_line_through_the_values_of_each_trial_the_best_on_top():
    (axis,) = parallel_figure(points(11), KEYS, {"lr"}, "val/accuracy", is_high_better=True).axes
    drawn = lines(axis)
    assert len(drawn) == 11
    assert numbers(drawn["line-t0"].get_ydata()) == pytest.approx([1, 0, 0, 1])
    assert numbers(drawn["line-t10"].get_ydata()) == pytest.approx([0, 0, 1, 0])
    assert numbers(drawn["line-t5"].get_ydata()) == pytest.approx([0.5, 1, 0.5, 0.5])
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["lr", "model", "width", "val/accuracy"]
    assert drawn["line-t0"].get_color() == MARKED


def test_the_best_fifth_is_coloured():
    drawn = lines(parallel_figure(points(), KEYS, {"lr"}, "val/accuracy", is_high_better=True).axes[0])
    colors = [drawn[f"line-t{i}"].get_color() for i in range(10)]
    assert colors.count("#c4c4c4") == 8
    assert "#c4c4c4" not in colors[:2]


def test_lists_stand_in_the_order_of_their_numbers():
    names = ["[128,128]", "[16]", "[8]", "relu", "[16,8]"]
    column = _positions(names, False, 20, 12)
    assert [text for _, text in column.ticks] == ["[8]", "[16]", "[16,8]", "[128,128]", "relu"]
    assert column.heights == [0.75, 0.25, 0.0, 1.0, 0.5]


def test_of_a_loss_the_least_is_on_top():
    drawn = lines(parallel_figure(points(11), KEYS, {"lr"}, "val/loss", is_high_better=False).axes[0])
    assert numbers(drawn["line-t10"].get_ydata())[-1] == pytest.approx(1)


def test_diverged_trials_are_left_out_and_said():
    trials = [*points(11), Point({"lr": 1.0, "model": "a", "width": 3}, 1e30, 1, "far")]
    (axis,) = parallel_figure(trials, KEYS, {"lr"}, "val/loss", is_high_better=False).axes
    assert "line-far" not in lines(axis)
    assert "1 diverged left out" in axis.get_title()


@pytest.mark.parametrize("names", [HARD_NAMES, [f"{i}{LONG}" for i in range(40)], ["猫", "كلب"], ["one"]])
def test_any_names_are_drawn(names):
    trials = [Point({name or "key": i, "model": name, "c": 1}, 0.5, 1) for i, name in enumerate(names)]
    assert_is_drawn_whole(
        parallel_figure(trials, [names[0] or "key", "model", "c"], set(), "val/loss", is_high_better=False)
    )

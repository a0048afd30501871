"""The figure of differences: what stands in it."""

import math

import pytest

from dlexp.figure.compare import MOST_PAIRS, difference_figure
from dlexp.figure.style.color import NEUTRAL, SPLITS
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, numbers, texts

RUNS = [{"run_id": letter, "label": f"{letter} model"} for letter in "xyz"]
PAIRS = [
    {"a": "x", "b": "y", "difference": 0.1, "interval": [0.05, 0.15], "p_holm": 0.01, "verdict": "a"},
    {"a": "x", "b": "z", "difference": 0.0, "interval": [-0.1, 0.1], "p_holm": 0.9, "verdict": "cannot tell"},
    {"a": "y", "b": "z", "difference": 1.0, "interval": [math.nan] * 2, "p_holm": 1.0, "verdict": "cannot tell"},
]
COMPARED = {"metric": "val/accuracy", "runs": RUNS, "pairs": PAIRS}


def every_pair(names, difference=0.1):
    runs = [{"run_id": str(place), "label": name} for place, name in enumerate(names)]
    last = PAIRS[0] | {"difference": difference, "interval": [difference - 0.1, difference + 0.1]}
    pairs = [last | {"a": str(a), "b": str(b)} for b in range(len(runs)) for a in range(b)]
    return {"metric": "val/loss", "runs": runs, "pairs": pairs}


def test_a_line_and_a_point_for_each_pair_coloured_by_the_verdict():
    (axis,) = difference_figure(COMPARED).axes
    zero, *lines = axis.get_lines()
    assert numbers(zero.get_xdata()) == [0, 0]
    assert [numbers(line.get_xdata()) for line in lines[0:4:2]] == [[0.05, 0.15], [-0.1, 0.1]]
    firsts = [(numbers(line.get_xdata())[0], numbers(line.get_ydata())[0]) for line in lines[1::2]]
    assert firsts == [(0.1, 0), (0.0, 1), (1.0, 2)]
    assert [line.get_color() for line in lines[1::2]] == [SPLITS["train"], NEUTRAL, NEUTRAL]
    assert [line.get_marker() for line in lines[1::2]] == ["D", "o", "o"]  # not by colour alone
    expected = ["x model is better, p = 0.01", "cannot tell, p = 0.9", "cannot tell, p = 1"]
    assert [text.get_text() for text in axis.texts] == expected
    assert axis.get_yticklabels()[0].get_text() == "x model  -  y model"
    assert axis.get_xlabel() == "difference in val/accuracy"
    assert axis.get_ylim() == (2.5, -0.5)


def test_long_labels_are_letters_with_a_key():
    figure = difference_figure(every_pair([LONG, "b"]))
    assert figure.axes[0].get_yticklabels()[0].get_text() == "A  -  B"
    assert figure.axes[0].texts[0].get_text() == "A is better, p = 0.01"
    assert any("A  a_label" in text and "B  b" in text for text in texts(figure))


def test_of_very_many_the_largest_differences():
    compared = every_pair([str(k) for k in range(40)])
    for place, pair in enumerate(compared["pairs"]):
        pair["difference"] = place / 1000
    (axis,) = difference_figure(compared).axes
    points = [numbers(line.get_xdata())[0] for line in axis.get_lines()[2::2]]
    assert points == [place / 1000 for place in range(780 - MOST_PAIRS, 780)]


@pytest.mark.parametrize("names", [HARD_NAMES, [f"{i}{LONG}" for i in range(40)], [LONG, LONG + "b"], ["猫", "كلب"]])
def test_any_labels_are_drawn(names):
    assert_is_drawn_whole(difference_figure(every_pair(names)))


@pytest.mark.parametrize("difference", [1e30, math.inf, math.nan, 0.0])
def test_a_diverged_difference_stretches_nothing(difference):
    compared = every_pair(["a", "b", "c"])
    compared["pairs"][0] |= {"difference": difference, "interval": [math.nan, math.nan]}
    figure = difference_figure(compared)
    assert figure.axes[0].get_xlim()[1] < 1
    assert_is_drawn_whole(figure)

"""Training curves of a claim: means over seeds, every setting in every panel."""

import pytest

from dlexp.figure.claim import claim_figure
from tests.figure.drawn import LONG, assert_is_drawn_whole, numbers


def runs(*losses: list[float | None]):
    return [[{"epoch": place + 1, "train/loss": value} for place, value in enumerate(seed)] for seed in losses]


def test_a_line_is_the_mean_over_seeds_as_far_as_all_came():
    curves = {"2 / fan_in": runs([2.0, 1.0, 0.5], [4.0, 3.0]), "1 / fan_in": runs([2.0, 2.0])}
    (axis,) = claim_figure("he", curves, ["train/loss"]).axes
    first, second = axis.get_lines()
    assert numbers(first.get_xdata()) == [1, 2]
    assert numbers(first.get_ydata()) == pytest.approx([3.0, 2.0])
    assert numbers(second.get_ydata()) == pytest.approx([2.0, 2.0])
    assert [line.get_label() for line in (first, second)] == list(curves)
    assert axis.get_ylabel() == "train/loss"


def test_what_is_not_finite_and_long_names_are_drawn():
    figure = claim_figure(LONG, {LONG: runs([1.0, None, 1e30]), "b": runs([])}, ["train/loss", "train/accuracy"])
    assert_is_drawn_whole(figure)

import numpy as np

from dlexp.figure.inside.activation import activation_figure
from tests.figure.drawn import LONG, assert_is_drawn_whole, numbers


def test_histograms_are_shares_of_each_layer():
    draw = np.random.default_rng(0)
    layers = [("a", draw.normal(size=900), np.zeros(900)), ("b", np.ones(9), np.ones(9))]
    left, right = activation_figure({"before training": layers}).axes
    assert [len(axis.get_lines()) for axis in (left, right)] == [2, 2]
    assert 0.9 < sum(numbers(left.get_lines()[0].get_ydata())) <= 1.0
    assert [axis.get_title() for axis in (left, right)] == ["activations before training", "gradients before training"]


def test_every_moment_has_its_panels():
    layers = [("a", np.ones(9), np.ones(9))]
    axes = activation_figure({"before training": layers, "after 10 updates": layers}).axes
    assert [axis.get_title().partition(" ")[2] for axis in axes] == 2 * ["before training"] + 2 * ["after 10 updates"]


def test_many_layers_and_numbers_that_are_not_finite_are_drawn():
    layers = [(f"{LONG}{i}", np.array([np.nan, 1.0, np.inf]), np.empty(0)) for i in range(30)]
    assert_is_drawn_whole(activation_figure({"before training": layers}))

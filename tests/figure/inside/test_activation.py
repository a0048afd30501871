import numpy as np

from dlexp.figure.inside.activation import activation_figure
from tests.figure.drawn import LONG, assert_is_drawn_whole, numbers


def test_histograms_are_shares_of_each_layer():
    draw = np.random.default_rng(0)
    left, right = activation_figure([("a", draw.normal(size=900), np.zeros(900)), ("b", np.ones(9), np.ones(9))]).axes
    assert [len(axis.get_lines()) for axis in (left, right)] == [2, 2]
    assert 0.9 < sum(numbers(left.get_lines()[0].get_ydata())) <= 1.0
    assert left.get_title() == "activations"


def test_many_layers_and_numbers_that_are_not_finite_are_drawn():
    layers = [(f"{LONG}{i}", np.array([np.nan, 1.0, np.inf]), np.empty(0)) for i in range(30)]
    assert_is_drawn_whole(activation_figure(layers))

"""The grid is the product."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.grid import Grid, combinations
from dlexp.search.strategy import Problem, signature


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_size_is_the_product_and_all_differ(sizes):
    problem = Problem([Dimension(f"k{i}", "", values=list(range(size))) for i, size in enumerate(sizes)], 1)
    settings = combinations(problem)
    assert len(settings) == math.prod(sizes)
    assert len({signature(setting) for setting in settings}) == len(settings)


def test_the_last_key_changes_fastest():
    problem = Problem([Dimension("a", "", values=[1, 2]), Dimension("b", "", values=["x", "y"])], 1)
    assert [list(setting.values()) for setting in combinations(problem)] == [[1, "x"], [1, "y"], [2, "x"], [2, "y"]]


def test_a_dimension_of_one_option_multiplies_that_option_only():
    inner = Dimension("o.m", "", values=[1, 2, 3], owner="o", options=frozenset({"b"}))
    assert len(combinations(Problem([Dimension("o", "", values=["a", "b"]), inner], 1))) == 1 + 3


def test_refused(drive):
    interval = Problem([Dimension("lr", "lr=interval(0,1)", low=0, high=1)], 1)
    with pytest.raises(ConfigError, match="needs listed values"):
        drive(Grid(), interval, lambda p: 0.0)
    with pytest.raises(ConfigError, match="the grid has 3 settings"):
        drive(Grid(trials=2), Problem([Dimension("a", "", values=[1, 2, 3])], 1), lambda p: 0.0)

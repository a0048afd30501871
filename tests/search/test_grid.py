"""The grid is the product."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.distinct import size
from dlexp.search.grid import Grid, combinations
from dlexp.search.strategy import ROUND, Problem, signature


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_size_is_the_product_and_all_differ(sizes):
    problem = Problem([Dimension(f"k{i}", "", values=list(range(count))) for i, count in enumerate(sizes)], 1)
    settings = list(combinations(problem))
    assert size(problem) == len(settings) == math.prod(sizes)
    assert len({signature(setting) for setting in settings}) == len(settings)


def test_the_last_key_changes_fastest():
    problem = Problem([Dimension("a", "", values=[1, 2]), Dimension("b", "", values=["x", "y"])], 1)
    assert [list(setting.values()) for setting in combinations(problem)] == [[1, "x"], [1, "y"], [2, "x"], [2, "y"]]


def test_a_dimension_of_one_option_multiplies_that_option_only():
    inner = Dimension("o.m", "", values=[1, 2, 3], owner="o", options=frozenset({"b"}))
    problem = Problem([Dimension("o", "", values=["a", "b"]), inner], 1)
    assert size(problem) == len(list(combinations(problem))) == 1 + 3


def test_refused(drive):
    interval = Problem([Dimension("lr", "lr=interval(0,1)", low=0, high=1)], 1)
    with pytest.raises(ConfigError, match="needs listed values"):
        drive(Grid(), interval, lambda p: 0.0)
    with pytest.raises(ConfigError, match="the grid has 3 settings"):
        drive(Grid(trials=2), Problem([Dimension("a", "", values=[1, 2, 3])], 1), lambda p: 0.0)


def test_the_product_is_checked_before_a_setting_is_listed(drive):
    huge = Problem([Dimension(f"k{i}", "", values=list(range(100))) for i in range(4)], 1)
    assert size(huge) == 10**8
    with pytest.raises(ConfigError, match="the grid has 100,000,000 settings"):
        next(Grid().propose(huge))


def test_a_grid_that_is_accepted_is_drawn_as_it_is_trained():
    huge = Problem([Dimension(f"k{i}", "", values=list(range(1000))) for i in range(3)], 1)
    rounds = Grid(trials=10**9).propose(huge)
    numbers = [p.number for batch in (next(rounds), rounds.send([0.0] * ROUND)) for p in batch.proposals]
    assert numbers == list(range(2 * ROUND))
    assert Grid(trials=10**9).total(huge) == 10**9

"""Strategies on tables of real trainings: what `python -m benchmarks.search` measures, in small."""

import numpy as np
import pytest

from benchmarks.search import Case, affordable, replay, within
from benchmarks.search_table import CURVES, EPOCHS, curves, tables

SEEDS = range(4)


def regret(strategy, table, trials, *, is_ordered=True):
    return np.mean([replay(Case(strategy, table, is_ordered, trials, seed))[-1][1] for seed in SEEDS])


def test_the_tables_are_whole():
    sizes = {name.partition("/")[0]: table.regret.size for name, table in tables().items()}
    assert sizes == {"hpobench": 10**4 * 3, "hpolib": 2**3 * 4 * 3**2 * 6**3}
    assert len(tables()) == 12
    assert curves().regret.shape == (*(len(values) for values in CURVES.values()), EPOCHS)
    for table in (*tables().values(), curves()):
        assert np.isfinite(table.regret).all()
        assert table.regret[..., -1].min() == 0
        assert np.median(table.regret[..., -1]) == pytest.approx(1)


@pytest.mark.parametrize("is_ordered", [False, True])
def test_coarse_to_fine_is_better_than_random_on_ten_of_twelve_tables(is_ordered):
    wins = sum(
        regret("coarse_to_fine", name, 50, is_ordered=is_ordered) < regret("random", name, 50, is_ordered=is_ordered)
        for name in tables()
    )
    assert wins >= 10


@pytest.mark.parametrize("strategy", ["hyperband", "hyperband, 1 bracket", "coarse_to_fine"])
def test_stopping_early_pays_at_equal_epochs(strategy):
    budget = 50 * EPOCHS
    trials = affordable(strategy, budget)
    told = [replay(Case(strategy, "curves/digits", True, trials, seed)) for seed in SEEDS]
    assert all(0.95 * budget < spent[-1][0] <= 1.05 * budget for spent in told)
    assert np.mean([within(each, budget) for each in told]) < regret("random", "curves/digits", 50)

"""Random search: distributions, prefixes, no repeats."""

import math

import pytest
from scipy import stats

from dlexp.config.dimension import Dimension
from dlexp.search.random import Random
from dlexp.search.strategy import Problem, signature

LR = Dimension("lr", "", low=1e-5, high=1e-1, is_log=True)
WIDTH = Dimension("width", "", values=[8, 16, 32])


@pytest.mark.parametrize("sobol", [False, True])
def test_logarithms_are_uniform_and_choices_equally_likely(drive, sobol):
    driven = drive(Random(trials=600, sobol=sobol), Problem([LR, WIDTH], 1), lambda p: 0.0)
    drawn = [math.log10(p.settings["lr"]) for p in driven.proposals]
    assert stats.kstest(drawn, stats.uniform(-5, 4).cdf).pvalue > 0.01
    counts = [sum(p.settings["width"] == value for p in driven.proposals) for value in WIDTH.values or []]
    assert stats.chisquare(counts).pvalue > 0.01


def test_sobol_fills_more_evenly(drive):
    def gap(sobol):
        drawn = drive(Random(trials=64, sobol=sobol), Problem([LR], 1), lambda p: 0.0).proposals
        return stats.kstest([math.log10(p.settings["lr"]) for p in drawn], stats.uniform(-5, 4).cdf).statistic

    assert gap(True) < 0.5 * gap(False)


@pytest.mark.parametrize("sobol", [False, True])
def test_a_longer_search_begins_as_a_shorter_one(drive, sobol):
    problem = Problem([LR, WIDTH], 1)
    short, long = (drive(Random(trials=n, sobol=sobol), problem, lambda p: 0.0).proposals for n in (10, 40))
    assert long[:10] == short
    other = drive(Random(trials=10, sobol=sobol, seed=1), problem, lambda p: 0.0).proposals
    assert [p.settings for p in other] != [p.settings for p in short]


def test_settings_differ_and_a_small_space_is_exhausted(drive):
    problem = Problem([WIDTH, Dimension("b", "", values=[0, 1])], 1)
    signatures = [signature(p.settings) for p in drive(Random(trials=100), problem, lambda p: 0.0).proposals]
    assert len(signatures) == len(set(signatures)) == 6


def test_a_dimension_of_one_option_is_drawn_for_it_alone(drive):
    option = Dimension("o", "", values=["a", "b"])
    inner = Dimension("o.m", "", low=0.0, high=1.0, owner="o", options=frozenset({"b"}))
    for proposal in drive(Random(trials=30), Problem([option, inner], 1), lambda p: 0.0).proposals:
        assert ("o.m" in proposal.settings) == (proposal.settings["o"] == "b")


@pytest.mark.parametrize("sobol", [False, True])
@pytest.mark.parametrize("shape", [(1,), (5, 5), (9, 11), (3, 3, 3), (3, 5, 7), (5, 5, 5), (6, 6, 6), (2, 3, 5, 7)])
def test_a_small_grid_is_drawn_whole(drive, shape, sobol):
    problem = Problem([Dimension(f"k{i}", "", values=list(range(size))) for i, size in enumerate(shape)], 1)
    for seed in range(3):
        drawn = drive(Random(trials=math.prod(shape), seed=seed, sobol=sobol), problem, lambda p: 0.0).proposals
        assert len({signature(p.settings) for p in drawn}) == len(drawn) == math.prod(shape)

"""The order of settings: means, ties, edges."""

import math
from typing import Any

import pytest

from dlexp.config.dimension import Dimension
from dlexp.job.sweep.leaderboard import edges, rank
from tests.job.sweep.untrained import untrained


def test_best_first_failed_last_equal_ones_in_order():
    results = [
        untrained(0, 0.5),
        untrained(1, None, status="failed"),
        untrained(2, 0.7),
        untrained(3, 0.5),
        untrained(4, float("nan")),
    ]
    assert [s.number for s in rank(results, is_high_better=True)] == [2, 0, 3, 1, 4]
    assert [s.number for s in rank(results, is_high_better=False)] == [0, 3, 2, 1, 4]


def test_a_setting_with_a_failed_seed_has_no_value():
    results = [
        untrained(0, 0.9, seed=0),
        untrained(0, None, seed=1, status="diverged"),
        untrained(1, 0.2, 0),
        untrained(1, 0.4, 1),
    ]
    ranked = rank(results, is_high_better=True)
    assert [(s.number, s.value) for s in ranked] == [(1, pytest.approx(0.3)), (0, None)]


def test_ties_are_differences_within_the_noise_of_seeds():
    def seeds(number, values):
        return [untrained(number, value, seed) for seed, value in enumerate(values)]

    results = [
        *seeds(0, [0.90, 0.92, 0.91]),
        *seeds(1, [0.89, 0.91, 0.90]),
        *seeds(2, [0.70, 0.72, 0.71]),
        *seeds(3, [0.1, 0.5, 0.3]),
    ]
    # t(4, 0.975) = 2.776; the standard error of each difference of the first three is 0.01 * sqrt(2 / 3)
    assert [s.is_tied for s in rank(results, is_high_better=True)] == [False, True, False, False]
    assert not any(s.is_tied for s in rank([untrained(0, 0.9), untrained(1, 0.9)], is_high_better=True))


@pytest.mark.parametrize(("second", "is_tied"), [(0.8, False), (0.9, True), (0.9 - 2.2e-16, True)])
@pytest.mark.parametrize("rounded", [0.0, 1.1e-16])
def test_seeds_that_change_nothing_but_rounding_say_nothing_of_noise(second, is_tied, rounded):
    values = [(0, 0.9), (0, 0.9), (0, 0.9), (1, second), (1, second + rounded), (1, second)]
    best, other = rank([untrained(n, v, seed) for seed, (n, v) in enumerate(values)], is_high_better=True)
    assert (best.std, other.std, other.is_tied) == (0, 0, is_tied)


def test_ties_are_corrected_for_the_number_of_settings():
    # alone, 0.90 against 0.93 with a standard error of 0.01 * sqrt(2 / 3) over 3 seeds: t(4) = 3.67, p = 0.021
    def seeds(number, mean):
        return [untrained(number, mean + shift, seed) for seed, shift in enumerate((-0.01, 0.0, 0.01))]

    assert [s.is_tied for s in rank([*seeds(0, 0.93), *seeds(1, 0.90)], is_high_better=True)] == [False, False]
    # beside two more that are tied, five of six pairs could have been the one: 0.021 * 4 > 0.05
    results = [*seeds(0, 0.93), *seeds(1, 0.90), *seeds(2, 0.925), *seeds(3, 0.92)]
    assert [(s.number, s.is_tied) for s in rank(results, is_high_better=True)] == [
        (0, False),
        (2, True),
        (3, True),
        (1, True),
    ]


def test_a_natural_limit_is_no_edge():
    p = Dimension("dropout.p", "", values=[0.0, 0.1, 0.2], limits=(0.0, 1 - 1e-6))
    momentum = Dimension("optimizer.momentum", "", low=0.0, high=0.9, limits=(0.0, 1 - 1e-6))
    seed = Dimension("seeds.init", "", values=[0, 1, 2], limits=(0, math.inf))

    def edges_of(**settings):
        given: dict[str, Any] = {"dropout.p": 0.1, "optimizer.momentum": 0.5} | settings
        ranking = rank([untrained(0, 0.9, **given)], is_high_better=True)
        return edges(ranking[0], [p, momentum, seed], ranking)

    assert edges_of(**{"dropout.p": 0.0}) == []
    assert edges_of(**{"dropout.p": 0.2}) == ["dropout.p: upper"]
    assert edges_of(**{"optimizer.momentum": 0.0}) == []
    assert edges_of(**{"optimizer.momentum": 0.89}) == ["optimizer.momentum: upper"]
    assert edges_of(**{"seeds.init": 2}) == []


def test_of_equal_scores_none_is_the_best_one():
    lr = Dimension("lr", "", low=1e-4, high=1.0, is_log=True)
    p = Dimension("p", "", values=[0.1, 0.2, 0.3])
    everywhere = [untrained(k, 0.9, lr=rate, p=p) for k, (rate, p) in enumerate([(1e-4, 0.1), (0.01, 0.1), (1.0, 0.2)])]
    ranking = rank(everywhere, is_high_better=True)
    assert edges(ranking[0], [lr, p], ranking) == []
    # two of one score at the same edge, and a third beside them that is worse
    ranking = rank(
        [untrained(0, 0.9, lr=0.99), untrained(1, 0.9, lr=1.0), untrained(2, 0.8, lr=0.01)], is_high_better=True
    )
    assert edges(ranking[0], [lr], ranking) == ["lr: upper"]


def test_edges_of_intervals_and_of_listed_numbers():
    lr = Dimension("lr", "", low=1e-4, high=1.0, is_log=True)
    width = Dimension("width", "", values=[8, 16, 32])
    kind = Dimension("kind", "", values=["a", "b", "c"])
    ranking = rank(
        [untrained(0, 0.9, lr=0.9, width=8, kind="a"), untrained(1, 0.1, lr=0.01, width=32, kind="c")],
        is_high_better=True,
    )
    assert edges(ranking[0], [lr, width, kind], ranking) == ["lr: upper", "width: lower"]
    # a search that went on beyond the range has its winner inside
    ranking = rank([untrained(0, 0.9, lr=0.9), untrained(1, 0.1, lr=100.0)], is_high_better=True)
    assert edges(ranking[0], [lr], ranking) == []

"""Coarse to fine: rounds, zoom, edges."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.coarse_to_fine import CoarseToFine, narrow
from dlexp.search.random import Random
from dlexp.search.strategy import Problem, Proposal

LR = Dimension("lr", "", low=1e-5, high=1.0, is_log=True, limits=(5e-324, math.inf))
REG = Dimension("reg", "", low=1e-7, high=1e-1, is_log=True, limits=(0.0, math.inf))


def bowl(lr, reg):
    """Best, 0, at the given values; falls with the squared distance in decades."""
    return lambda p: -(math.log10(p.settings["lr"] / lr) ** 2) - 0.3 * math.log10(p.settings["reg"] / reg) ** 2


def test_rounds_split_the_trials_and_train_longer(drive):
    driven = drive(CoarseToFine(trials=100), Problem([LR, REG], 30), bowl(1e-3, 1e-4))
    assert [len(asked.proposals) for asked in driven.rounds] == [33, 33, 34]
    assert [asked.proposals[0].epochs for asked in driven.rounds] == [7, 15, 30]
    assert len({p.number for p in driven.proposals}) == 100


def test_epochs_as_given(drive):
    driven = drive(CoarseToFine(trials=6, rounds=2, epochs=[2, 5]), Problem([LR], 30), lambda p: 0.0)
    assert [asked.proposals[0].epochs for asked in driven.rounds] == [2, 5]
    with pytest.raises(ConfigError, match="one number for each of the 3 rounds"):
        drive(CoarseToFine(epochs=[2, 5]), Problem([LR], 30), lambda p: 0.0)


@given(st.lists(st.tuples(st.floats(0, 0.999), st.floats(-1, 1)), min_size=3, max_size=30), st.floats(0.05, 0.9))
def test_the_next_range_contains_the_best_and_has_the_width_asked_for(draws, zoom):
    scored = [(Proposal(i, {"lr": LR.value(unit)}), score) for i, (unit, score) in enumerate(draws)]
    best = max(scored, key=lambda pair: (pair[1], -pair[0].number))[0].settings["lr"]
    problem, notes = narrow(Problem([LR], 1), scored, zoom, 0.1)
    (moved,) = problem.dimensions
    assert moved.low * 0.999 <= best <= moved.high * 1.001
    share = math.log(moved.high / moved.low) / math.log(LR.high / LR.low)
    assert share == pytest.approx(1.0 if notes else zoom, rel=1e-6)


@pytest.mark.parametrize(("best", "edge"), [(0.9, "upper"), (1.1e-5, "lower")])
def test_a_best_setting_at_an_edge_moves_the_range_beyond_it_and_says_so(best, edge):
    scored = [(Proposal(0, {"lr": best}), 1.0), (Proposal(1, {"lr": 1e-3}), 0.0)]
    problem, notes = narrow(Problem([LR], 1), scored, 0.3, 0.1)
    (moved,) = problem.dimensions
    assert (moved.high > LR.high) if edge == "upper" else (moved.low < LR.low)
    assert len(notes) == 1
    assert f"{edge} edge" in notes[0]


def test_no_range_leaves_what_the_parameter_allows():
    momentum = Dimension("momentum", "", low=0.5, high=0.99, limits=(0.0, 0.999999))
    scored = [(Proposal(0, {"momentum": 0.989}), 1.0), (Proposal(1, {"momentum": 0.6}), 0.0)]
    (moved,) = narrow(Problem([momentum], 1), scored, 0.3, 0.1)[0].dimensions
    assert moved.high == 0.999999
    at_limit = Dimension("momentum", "", low=0.5, high=0.999999, limits=(0.0, 0.999999))
    scored = [(Proposal(0, {"momentum": 0.9999}), 1.0), (Proposal(1, {"momentum": 0.99}), 0.0)]
    (moved,) = narrow(Problem([at_limit], 1), scored, 0.3, 0.1)[0].dimensions
    assert moved.high - moved.low == pytest.approx(0.3 * 0.499999)


def test_integers_and_listed_values_are_narrowed():
    depth = Dimension("depth", "", low=1, high=100, is_int=True, limits=(1, math.inf))
    kind = Dimension("kind", "", values=["a", "b", "c"])
    scored = [(Proposal(i, {"depth": 40 + i, "kind": "abc"[i]}), -float(i)) for i in range(3)]
    moved = narrow(Problem([kind, depth], 1), scored, 0.2, 0.5)[0].dimensions
    assert moved[0].values == ["a", "b"]
    assert moved[1].low <= 40 <= moved[1].high
    assert moved[1].high - moved[1].low + 1 == pytest.approx(20, abs=1)


def test_a_round_of_failures_changes_nothing():
    problem = Problem([LR], 1)
    assert narrow(problem, [], 0.3, 0.1)[0] == problem


def test_finds_better_settings_than_random_search_with_as_many_epochs(drive):
    wins = 0
    for seed in range(20):
        objective = bowl(10 ** (-1 - 3 * seed / 20), 10 ** (-2 - 4 * seed / 20))
        fine = drive(CoarseToFine(trials=60, seed=seed), Problem([LR, REG], 28), objective)
        epochs = sum(p.epochs or 0 for p in fine.proposals)
        coarse = drive(Random(trials=epochs // 28, seed=seed), Problem([LR, REG], 28), objective)
        wins += objective(fine.best) >= objective(coarse.best)
    assert wins >= 16


def test_finds_a_best_setting_outside_the_range(drive):
    objective = bowl(1e-7, 1e-4)
    best = drive(CoarseToFine(trials=100), Problem([LR, REG], 8), objective).best
    assert best.settings["lr"] < LR.low
    assert objective(best) > -1.0

"""Coarse to fine: rounds, zoom, edges."""

import math

import pytest

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.coarse_to_fine import CoarseToFine, Scored, divided, zoomed
from dlexp.search.random import Random
from dlexp.search.strategy import Problem, Proposal

LR = Dimension("lr", "", low=1e-5, high=1.0, is_log=True, limits=(5e-324, math.inf))
REG = Dimension("reg", "", low=1e-7, high=1e-1, is_log=True, limits=(0.0, math.inf))


def bowl(lr, reg):
    """Best, 0, at the given values; falls with the squared distance in decades."""
    return lambda p: -(math.log10(p.settings["lr"] / lr) ** 2) - 0.3 * math.log10(p.settings["reg"] / reg) ** 2


def test_rounds_split_the_trials_and_train_longer(drive):
    driven = drive(CoarseToFine(trials=100), Problem([LR, REG], 30), bowl(1e-3, 1e-4))
    assert [len(round_.proposals) for round_ in driven.stages] == [33, 33, 34]
    assert [round_.proposals[0].epochs for round_ in driven.stages] == [7, 15, 30]
    assert len({p.number for p in driven.proposals}) == 100


def test_epochs_as_given(drive):
    driven = drive(CoarseToFine(trials=6, rounds=2, epochs=[2, 5]), Problem([LR], 30), lambda p: 0.0)
    assert [round_.proposals[0].epochs for round_ in driven.stages] == [2, 5]
    with pytest.raises(ConfigError, match="one number for each of the 3 rounds"):
        drive(CoarseToFine(epochs=[2, 5]), Problem([LR], 30), lambda p: 0.0)


def widths(*dimensions):
    return {d.key: d.span[1] - d.span[0] for d in dimensions}


def test_the_good_ones_are_the_best_share_and_never_failed():
    scored: Scored = [(Proposal(i, {"lr": float(i)}), score) for i, score in enumerate([0.1, None, 0.9, 0.5, 0.9, 0.2])]
    good, others = divided(scored, 0.5)
    assert [setting["lr"] for setting in good] == [2.0, 4.0, 3.0]
    assert [setting["lr"] for setting in others] == [5.0, 0.0, 1.0]
    assert [setting["lr"] for setting in divided(scored, 0.01)[0]] == [2.0, 4.0]


def test_later_rounds_come_closer_to_the_best(drive):
    """By the deviations of the kernels, 0.15 and 0.045 of the range, on the scale of the dimension."""
    away: list[list[float]] = [[], [], []]
    for seed in range(10):
        driven = drive(CoarseToFine(trials=90, seed=seed), Problem([LR, REG], 30), bowl(1e-3, 1e-4))
        for distances, round_ in zip(away, driven.stages, strict=True):
            distances += [abs(math.log10(p.settings["lr"] / 1e-3)) / 5 for p in round_.proposals]
    first, second, third = (sum(distances) / len(distances) for distances in away)
    assert first == pytest.approx((0.4**2 + 0.6**2) / 2, abs=0.02)  # an even round: the mean distance from 0.6
    assert second < 0.6 * first
    assert third < 0.6 * second


@pytest.mark.parametrize(("best", "edge"), [(0.9, "upper"), (1.1e-5, "lower")])
def test_a_best_setting_at_an_edge_lets_the_range_grow_beyond_it_and_says_so(best, edge):
    scored: Scored = [(Proposal(0, {"lr": best}), 1.0), (Proposal(1, {"lr": 1e-3}), 0.0)]
    problem, wide, notes = zoomed(Problem([LR], 1), scored, widths(LR), 0.3)
    (grown,) = problem.dimensions
    assert wide == widths(LR)
    # half of five decades beyond the best value, and none less on the other side
    expected = (1e-5, best * 10**2.5) if edge == "upper" else (best / 10**2.5, 1.0)
    assert (grown.low, grown.high) == pytest.approx(expected)
    assert len(notes) == 1
    assert f"{edge} edge" in notes[0]


def test_a_best_setting_inside_narrows_the_kernels_alone():
    scored: Scored = [(Proposal(0, {"lr": 1e-3}), 1.0), (Proposal(1, {"lr": 1e-2}), 0.0)]
    problem, wide, notes = zoomed(Problem([LR], 1), scored, widths(LR), 0.3)
    assert (problem.dimensions, notes) == ([LR], [])
    assert wide["lr"] == pytest.approx(0.3 * 5 * math.log(10))


def test_no_range_leaves_what_the_parameter_allows():
    momentum = Dimension("momentum", "", low=0.5, high=0.99, limits=(0.0, 0.999999))
    scored: Scored = [(Proposal(0, {"momentum": 0.989}), 1.0), (Proposal(1, {"momentum": 0.6}), 0.0)]
    (grown,) = zoomed(Problem([momentum], 1), scored, widths(momentum), 0.3)[0].dimensions
    assert grown.high == 0.999999
    at_limit = Dimension("momentum", "", low=0.5, high=0.999999, limits=(0.0, 0.999999))
    scored: Scored = [(Proposal(0, {"momentum": 0.9999}), 1.0), (Proposal(1, {"momentum": 0.99}), 0.0)]
    problem, wide, notes = zoomed(Problem([at_limit], 1), scored, widths(at_limit), 0.3)
    assert (problem.dimensions, notes) == ([at_limit], [])
    assert wide["momentum"] == pytest.approx(0.3 * 0.499999)


def test_integers_grow_too():
    depth = Dimension("depth", "", low=2, high=11, is_int=True, limits=(1, math.inf))
    scored: Scored = [(Proposal(0, {"depth": 11}), 1.0), (Proposal(1, {"depth": 5}), 0.0)]
    (grown,) = zoomed(Problem([depth], 1), scored, widths(depth), 0.3)[0].dimensions
    assert (grown.low, grown.high) == (2, 16)
    assert isinstance(grown.high, int)
    scored: Scored = [(Proposal(0, {"depth": 2}), 1.0), (Proposal(1, {"depth": 5}), 0.0)]
    (grown,) = zoomed(Problem([depth], 1), scored, widths(depth), 0.3)[0].dimensions
    assert (grown.low, grown.high) == (1, 11)


@pytest.mark.parametrize("ends", [(1e-300, 1.0), (1.0, 1e300)])
def test_a_range_at_the_end_of_the_numbers_does_not_leave_them(drive, ends):
    low, high = ends
    wide = Dimension("lr", "", low=low, high=high, is_log=True, limits=(0.0, math.inf))
    sign = -1 if high == 1.0 else 1
    driven = drive(CoarseToFine(trials=60, rounds=6), Problem([wide], 1), lambda p: sign * math.log(p.settings["lr"]))
    assert all(0 < p.settings["lr"] < math.inf for p in driven.proposals)


def test_a_round_of_failures_changes_nothing(drive):
    problem = Problem([LR], 1)
    assert zoomed(problem, [], widths(LR), 0.3)[:2] == (problem, widths(LR))
    assert zoomed(problem, [(Proposal(0, {"lr": 1e-3}), None)], widths(LR), 0.3)[:2] == (problem, widths(LR))
    driven = drive(CoarseToFine(trials=9), problem, lambda p: None)
    assert len({p.settings["lr"] for p in driven.proposals}) == 9


def test_fewer_trials_than_rounds_leave_rounds_out(drive):
    driven = drive(CoarseToFine(trials=1), Problem([LR], 30), lambda p: 0.0)
    assert [(round_.number, [p.epochs for p in round_.proposals]) for round_ in driven.stages] == [(1, [30])]


def test_the_best_of_a_small_space_is_trained_again_in_a_longer_round(drive):
    problem = Problem([Dimension("a", "", values=[1, 2, 3])], 30)
    driven = drive(CoarseToFine(trials=9), problem, lambda p: float(p.settings["a"]))
    assert sorted((p.epochs, p.settings["a"]) for p in driven.proposals) == [
        (e, a) for e in (7, 15, 30) for a in (1, 2, 3)
    ]
    once = drive(CoarseToFine(trials=9, epochs=[5, 5, 5]), problem, lambda p: float(p.settings["a"]))
    assert sorted(p.settings["a"] for p in once.proposals) == [1, 2, 3]


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


def test_epochs_that_the_strategy_decides_are_not_searched(drive):
    for d in (Dimension("trainer.epochs", "trainer.epochs=2,4", values=[2, 4]), Dimension("trainer", "", values=["a"])):
        with pytest.raises(ConfigError, match=f"{d.key}: got .*; search=coarse_to_fine decides how long"):
            drive(CoarseToFine(trials=4), Problem([d], 4), lambda p: 0.0)

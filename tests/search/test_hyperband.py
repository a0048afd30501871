"""Successive halving: rungs, survivors, brackets."""

import math

import pytest

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.hyperband import Hyperband
from dlexp.search.strategy import Problem

X = Dimension("x", "", low=0.0, high=1.0)


def test_the_best_third_goes_on_under_its_number_to_the_end(drive):
    driven = drive(Hyperband(trials=27), Problem([X], 27), lambda p: -abs(p.settings["x"] - 0.4))
    assert [len(round_.proposals) for round_ in driven.rounds] == [27, 9, 3, 1]
    assert [round_.proposals[0].until for round_ in driven.rounds] == [1, 3, 9, None]
    for before, after in zip(driven.rounds, driven.rounds[1:], strict=False):
        ranked = sorted(before.proposals, key=lambda p: abs(p.settings["x"] - 0.4))
        assert {p.number for p in after.proposals} == {p.number for p in ranked[: len(after.proposals)]}
        assert all(p.epochs is None for p in after.proposals)


def test_the_winner_is_the_best_of_the_first_rung(drive):
    driven = drive(Hyperband(trials=20, eta=2), Problem([X], 8), lambda p: p.settings["x"])
    best = max(driven.rounds[0].proposals, key=lambda p: p.settings["x"])
    assert best.number in {p.number for p in driven.rounds[-1].proposals}


def test_failed_settings_are_not_promoted(drive):
    driven = drive(Hyperband(trials=9), Problem([X], 9), lambda p: None if p.settings["x"] > 0.5 else p.settings["x"])
    assert all(p.settings["x"] <= 0.5 for round_ in driven.rounds[1:] for p in round_.proposals)


def test_all_failed(drive):
    driven = drive(Hyperband(trials=9), Problem([X], 9), lambda p: None)
    assert [len(round_.proposals) for round_ in driven.rounds] == [9]


def test_brackets_share_the_settings(drive):
    driven = drive(Hyperband(trials=50, brackets=None), Problem([X], 27), lambda p: p.settings["x"])
    firsts = [
        round_
        for round_ in driven.rounds
        if round_.proposals[0].number
        not in {p.number for other in driven.rounds[: driven.rounds.index(round_)] for p in other.proposals}
    ]
    assert [round_.proposals[0].until for round_ in firsts] == [1, 3, 9, None]
    assert sum(len(round_.proposals) for round_ in firsts) == 50
    # shares in proportion to eta^s / (s + 1): 27/4, 9/3, 3/2, 1
    assert [len(round_.proposals) for round_ in firsts] == [28, 12, 6, 4]


def brackets(driven):
    """Return the (settings, epochs) of each bracket's rungs."""
    rungs: list[list[tuple[int, int | None]]] = []
    seen: set[int] = set()
    for round_ in driven.rounds:
        numbers = {p.number for p in round_.proposals}
        rungs += [[]] if not numbers <= seen else []
        rungs[-1].append((len(numbers), round_.proposals[0].until))
        seen |= numbers
    return rungs


# Li et al. (2018), algorithm 1: n = ceil((s_max + 1) / (s + 1) eta^s) settings of R eta^-s epochs, then floor(n / eta)
# of eta times as many; R = 81 is the paper's table 1, those of R = 30 are rounded from 1.11, 3.33 and 10
TABLES = {
    81: [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, None)],
        [(34, 3), (11, 9), (3, 27), (1, None)],
        [(15, 9), (5, 27), (1, None)],
        [(8, 27), (2, None)],
        [(5, None)],
    ],
    # ceil((s_max + 1) / (s + 1) eta^s) settings with eta = 2, where the second bracket is due 19.2
    50: [
        [(32, 2), (16, 3), (8, 6), (4, 13), (2, 25), (1, None)],
        [(20, 3), (10, 6), (5, 13), (2, 25), (1, None)],
        [(12, 6), (6, 13), (3, 25), (1, None)],
        [(8, 13), (4, 25), (2, None)],
        [(6, 25), (3, None)],
        [(6, None)],
    ],
    30: [
        [(27, 1), (9, 3), (3, 10), (1, None)],
        [(12, 3), (4, 10), (1, None)],
        [(6, 10), (2, None)],
        [(4, None)],
    ],
}


@pytest.mark.parametrize("longest", TABLES)
def test_the_table_of_the_paper(drive, longest):
    trials = sum(bracket[0][0] for bracket in TABLES[longest])
    search = Hyperband(trials=trials, brackets=None, eta=2 if longest == 50 else 3)
    driven = drive(search, Problem([X], longest), lambda p: p.settings["x"])
    assert brackets(driven) == TABLES[longest]


@pytest.mark.parametrize("eta", [2, 3, 4, 5])
@pytest.mark.parametrize("shortest", [1, 2, 5])
@pytest.mark.parametrize("longest", [1, 2, 5, 8, 9, 10, 26, 27, 28, 30, 100, 243, 244, 1000])
def test_rungs_are_those_of_the_formula(drive, eta, shortest, longest):
    search = Hyperband(trials=400, eta=eta, min_epochs=shortest)
    driven = drive(search, Problem([X], longest), lambda p: p.settings["x"])
    s_max = max((s for s in range(10) if longest / eta**s >= shortest), default=0)
    exact = [longest / eta**s for s in range(s_max, -1, -1)]
    rungs = list({round_.number: round_.proposals[0].until or longest for round_ in driven.rounds}.values())
    assert rungs == [math.floor(epochs + 0.5) for epochs in exact]
    assert len(set(rungs)) == len(rungs)
    assert min(rungs) >= min(shortest, longest)


@pytest.mark.parametrize("trials", [1, 2, 3, 5, 11, 12, 40])
def test_brackets_never_take_more_settings_than_asked_for(drive, trials):
    driven = drive(Hyperband(trials=trials, eta=2, brackets=None), Problem([X], 1024), lambda p: p.settings["x"])
    assert len({p.number for p in driven.proposals}) == trials


def test_one_epoch_is_random_search(drive):
    driven = drive(Hyperband(trials=5), Problem([X], 1), lambda p: p.settings["x"])
    assert [round_.proposals[0].until for round_ in driven.rounds] == [None]


def test_epochs_that_the_strategy_decides_are_not_searched(drive):
    for d in (Dimension("trainer.epochs", "trainer.epochs=2,4", values=[2, 4]), Dimension("trainer", "", values=["a"])):
        with pytest.raises(ConfigError, match=f"{d.key}: got .*; search=hyperband decides how long"):
            drive(Hyperband(trials=4), Problem([d], 4), lambda p: 0.0)

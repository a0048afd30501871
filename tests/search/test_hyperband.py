"""Successive halving: rungs, survivors, brackets."""

from dlexp.config.dimension import Dimension
from dlexp.search.hyperband import Hyperband
from dlexp.search.strategy import Problem

X = Dimension("x", "", low=0.0, high=1.0)


def test_the_best_third_goes_on_under_its_number_to_the_end(drive):
    driven = drive(Hyperband(trials=27), Problem([X], 27), lambda p: -abs(p.settings["x"] - 0.4))
    assert [len(asked.proposals) for asked in driven.rounds] == [27, 9, 3, 1]
    assert [asked.proposals[0].until for asked in driven.rounds] == [1, 3, 9, None]
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
    assert all(p.settings["x"] <= 0.5 for asked in driven.rounds[1:] for p in asked.proposals)


def test_all_failed(drive):
    driven = drive(Hyperband(trials=9), Problem([X], 9), lambda p: None)
    assert [len(asked.proposals) for asked in driven.rounds] == [9]


def test_brackets_share_the_settings(drive):
    driven = drive(Hyperband(trials=50, brackets=None), Problem([X], 27), lambda p: p.settings["x"])
    firsts = [
        asked
        for asked in driven.rounds
        if asked.proposals[0].number
        not in {p.number for other in driven.rounds[: driven.rounds.index(asked)] for p in other.proposals}
    ]
    assert [asked.proposals[0].until for asked in firsts] == [1, 3, 9, None]
    assert sum(len(asked.proposals) for asked in firsts) == 50
    # shares in proportion to eta^s / (s + 1): 27/4, 9/3, 3/2, 1
    assert [len(asked.proposals) for asked in firsts] == [28, 12, 6, 4]


def test_one_epoch_is_random_search(drive):
    driven = drive(Hyperband(trials=5), Problem([X], 1), lambda p: p.settings["x"])
    assert [asked.proposals[0].until for asked in driven.rounds] == [None]

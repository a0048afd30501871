"""Asynchronous successive halving: Li et al. (2020), algorithm 2, and how it ends."""

from itertools import pairwise
from typing import Any

import pytest

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.hyperband import Hyperband
from dlexp.search.strategy import Problem

X = Dimension("x", "", low=0.0, high=1.0)


def begin(trials=60, epochs=9, **options):
    adviser = Hyperband(trials=trials, asynchronous=True, **options).adviser(Problem([X], epochs))
    assert adviser is not None
    return adviser


def ask(adviser) -> Any:
    round_ = adviser.ask()
    return None if round_ is None else round_.proposals[0]


def place(proposal):
    return proposal.number, proposal.until


def test_a_free_worker_gets_the_best_third_of_the_highest_rung_else_a_new_setting():
    """By hand after get_job: rung k promotes floor(its judged / eta), the highest rung is looked at first."""
    adviser, score = begin(), {0: 0.1, 1: 0.5, 2: 0.3, 3: 0.9, 4: 0.2, 5: 0.8}
    drawn = [ask(adviser) for _ in range(3)]
    assert [place(p) for p in drawn] == [(0, 1), (1, 1), (2, 1)]
    for p in drawn[:2]:
        adviser.tell(p, score[p.number])
    new = ask(adviser)
    assert place(new) == (3, 1), "two are judged: floor(2 / 3) = 0 go on"
    adviser.tell(drawn[2], score[2])
    first = ask(adviser)
    assert place(first) == (1, 3), "three are judged: the best goes on"
    fourth = ask(adviser)
    assert place(fourth) == (4, 1), "the one of three that may has gone"
    adviser.tell(new, score[3])
    adviser.tell(fourth, score[4])
    assert place(ask(adviser)) == (3, 3), "the top floor(5 / 3) = 1 of five is 3 now, which has not gone on"
    assert place(ask(adviser)) == (5, 1)
    adviser.tell(first, 0.4)
    assert place(ask(adviser)) == (6, 1), "of one judged at epoch 3 none goes on"


def test_a_setting_that_passed_by_others_that_had_gone_on_goes_on_too():
    """Algorithm 2 promotes whoever is in the top and was not promoted: it mends earlier promotions."""
    adviser = begin()
    for score in (0.1, 0.2, 0.3):
        adviser.tell(ask(adviser), score)
    gone = ask(adviser)
    assert place(gone) == (2, 3)
    later = [ask(adviser) for _ in range(3)]
    for p, score in zip(later, (0.9, 0.8, 0.7), strict=True):
        adviser.tell(p, score)
    assert [place(ask(adviser)) for _ in range(3)] == [(3, 3), (4, 3), (6, 1)], "the top floor(6 / 3) = 2 of six"


def test_the_highest_rung_comes_first():
    """One worker, each setting better than all before: by hand after get_job."""
    adviser, given = begin(epochs=9), []
    for _ in range(9):
        given.append(ask(adviser))
        adviser.tell(given[-1], float(given[-1].number))
    expected = [(0, 1), (1, 1), (2, 1), (2, 3), (3, 1), (3, 3), (4, 1), (4, 3), (4, None)]
    assert [place(p) for p in given] == expected


def run(adviser, score, workers=1, order=lambda in_hand: 0):
    """Return all that was given out; trainings end as `order` says."""
    given, in_hand = [], []
    while True:
        while len(in_hand) < workers and (p := ask(adviser)) is not None:
            in_hand.append(p)
            given.append(p)
        if not in_hand:
            return given
        p = in_hand.pop(order(in_hand))
        adviser.tell(p, score(p))


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_all_are_drawn_and_about_a_third_of_each_rung_goes_on(workers):
    given = run(begin(trials=27, epochs=27), lambda p: -abs(p.settings["x"] - 0.4), workers)
    counts = [sum(p.until == until for p in given) for until in (1, 3, 9, None)]
    assert counts[0] == 27
    # every rung promotes the top third of those judged by then, so later ones replace some: never fewer than a third
    for below, above in pairwise(counts):
        assert below // 3 <= above < below
    assert len({place(p) for p in given}) == len(given), "nothing is trained twice"


def test_the_settings_are_those_of_the_search_by_rounds():
    by_rounds = next(Hyperband(trials=12).propose(Problem([X], 9))).proposals
    given = run(begin(trials=12), lambda p: p.settings["x"])
    drawn = [p for p in given if p.until == 1]
    assert [(p.number, p.settings) for p in drawn] == [(p.number, p.settings) for p in by_rounds]


def test_too_few_to_promote_and_still_one_trains_to_the_end():
    given = run(begin(trials=2, epochs=9), lambda p: p.settings["x"], workers=2)
    assert [p.until for p in given] == [1, 1, 3, None]
    best = max(given[:2], key=lambda p: p.settings["x"])
    assert {p.number for p in given[2:]} == {best.number}


def test_failures_are_worse_than_all_and_equal_scores_go_by_number():
    given = run(begin(trials=9), lambda p: None if p.number < 6 else 0.5)
    assert [p.number for p in given if p.until == 3][:1] == [6]
    assert all(p.number >= 6 for p in given if p.until != 1)
    assert [place(p) for p in run(begin(trials=9), lambda p: None)] == [(number, 1) for number in range(9)]


def test_brackets_begin_at_their_rungs():
    given = run(begin(trials=50, epochs=27, brackets=None), lambda p: p.settings["x"])
    firsts = {}
    for p in given:
        firsts.setdefault(p.number, p.until)
    assert [list(firsts.values()).count(until) for until in (1, 3, 9, None)] == [28, 12, 6, 4]


def test_by_rounds_unless_asked_and_epochs_cannot_be_searched():
    assert Hyperband().adviser(Problem([X], 9)) is None
    epochs = Dimension("trainer.epochs", "trainer.epochs=1,2", values=[1, 2])
    with pytest.raises(ConfigError, match=r"search=hyperband decides how long"):
        Hyperband(asynchronous=True).adviser(Problem([epochs], 9))

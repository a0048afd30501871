"""TPE through Optuna."""

import math
import statistics
import sys

import pytest

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.random import Random
from dlexp.search.strategy import Problem, signature
from dlexp.search.tpe import TPE

LR = Dimension("lr", "", low=1e-5, high=1.0, is_log=True)
OPTION = Dimension("o", "", values=["a", "b"])
INNER = Dimension("o.m", "", low=0.0, high=1.0, owner="o", options=frozenset({"b"}))
DEPTH = Dimension("depth", "", low=1, high=9, is_int=True)


def objective(p):
    if p.settings["depth"] == 9:
        return None
    return -(math.log10(p.settings["lr"] / 3e-3) ** 2) - abs(p.settings.get("o.m", 1.5) - 0.7)


def test_the_same_scores_lead_to_the_same_proposals(drive):
    problem = Problem([OPTION, LR, INNER, DEPTH], 1)
    first, again = (drive(TPE(trials=24), problem, objective) for _ in range(2))
    assert first.proposals == again.proposals
    assert [len(round_.proposals) for round_ in first.rounds] == [4] * 6
    assert drive(TPE(trials=24, seed=1), problem, objective).proposals != first.proposals
    for p in first.proposals:
        assert ("o.m" in p.settings) == (p.settings["o"] == "b")
        assert isinstance(p.settings["depth"], int)


def test_draws_where_settings_are_good(drive):
    def typical(search):
        scores = [
            s for round_ in drive(search, Problem([LR, DEPTH], 1), objective).scores for s in round_ if s is not None
        ]
        return statistics.median(scores[-20:])

    tpe, draws = (sum(typical(kind(trials=50, seed=seed)) for seed in range(4)) for kind in (TPE, Random))
    assert tpe > 0.8 * draws


def test_without_optuna(drive, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'dlexp\[search\]'"):
        drive(TPE(), Problem([LR], 1), lambda p: 0.0)


def test_an_option_without_dimensions_does_not_end_the_search(drive):
    # b is one setting; a has any number of them: nine are wanted, however good b is
    problem = Problem(
        [
            Dimension("o", "", values=["a", "b"]),
            Dimension("k", "", low=0.0, high=1.0, owner="o", options=frozenset({"a"})),
        ],
        1,
    )
    for seed in range(30):
        driven = drive(TPE(trials=9, seed=seed, startup=5), problem, lambda p: float(p.settings["o"] == "b"))
        assert len({signature(p.settings) for p in driven.proposals}) == 9, seed

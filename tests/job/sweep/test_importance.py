"""What matters is named; where little can be said, nothing is."""

import sys

import numpy as np
import pytest

from dlexp.config.dimension import Dimension
from dlexp.job.sweep.importance import FEWEST, importance
from dlexp.job.sweep.leaderboard import rank
from tests.job.sweep.untrained import untrained
from tests.present import present

LR = Dimension("lr", "", low=1e-4, high=1.0, is_log=True)
REG = Dimension("reg", "", low=0.0, high=1.0)
NORM = Dimension("norm", "", values=["batch", "none", "layer"])
MOMENTUM = Dimension("momentum", "", low=0.0, high=1.0, owner="norm", options=frozenset({"batch"}))


def ranking(num, objective, seed=0, status="finished"):
    rng = np.random.default_rng(seed)
    results = []
    for number in range(num):
        settings = {"lr": 10 ** rng.uniform(-4, 0), "reg": rng.random(), "norm": present(NORM.values)[rng.integers(3)]}
        if settings["norm"] == "batch":
            settings["momentum"] = rng.random()
        value = objective(settings)
        results.append(untrained(number, value, status="finished" if value is not None else status, **settings))
    return rank(results, is_high_better=True)


def near_a_hundredth(settings):
    return 1 - abs(np.log10(settings["lr"]) + 2) / 4 + 0.02 * settings["reg"]


def test_the_one_that_matters_comes_first_and_shares_add_up():
    weighed = importance(ranking(100, near_a_hundredth), [LR, REG, NORM], is_high_better=True)
    assert next(iter(weighed.shares)) == "lr"
    assert weighed.shares["lr"] > 0.8
    assert sum(weighed.shares.values()) == pytest.approx(1)
    assert weighed.note == "what tells the best fifth of 100 settings from all (PED-ANOVA)"
    assert "noise below 50" in importance(ranking(30, near_a_hundredth), [LR, REG], is_high_better=True).note


def test_the_direction_decides_which_are_the_best():
    ranked = ranking(100, lambda s: -near_a_hundredth(s))
    weighed = importance(ranked, [LR, REG, NORM], is_high_better=False)
    assert weighed.shares["lr"] > 0.8


def test_listed_values_and_a_dimension_of_one_option():
    def objective(settings):
        return {"batch": 1.0, "none": 0.1, "layer": 0.2}[settings["norm"]] + 0.5 * settings.get("momentum", 0.0)

    weighed = importance(ranking(120, objective), [LR, REG, NORM, MOMENTUM], is_high_better=True)
    assert set(list(weighed.shares)[:2]) == {"norm", "momentum"}
    assert weighed.shares["lr"] + weighed.shares["reg"] < 0.3


def test_a_setting_that_diverged_is_the_worst():
    def objective(settings):
        return None if settings["lr"] > 0.01 else 0.5 + 0.001 * settings["reg"]

    weighed = importance(ranking(100, objective, status="diverged"), [LR, REG], is_high_better=True)
    assert weighed.shares["lr"] > 0.2
    failed = importance(ranking(100, objective, status="failed"), [LR, REG], is_high_better=True)
    assert weighed.shares["lr"] > 2 * failed.shares["lr"]


def test_what_cannot_be_told_is_not(monkeypatch):
    few = importance(ranking(FEWEST - 1, near_a_hundredth), [LR, REG], is_high_better=True)
    assert (few.shares, few.note) == ({}, "scores of 19 settings; 20 are needed to tell")
    many = ranking(50, near_a_hundredth)
    assert importance(many, [LR], is_high_better=True).note == "there is one dimension only"
    assert importance(ranking(50, lambda _s: 0.5), [LR, REG], is_high_better=True).note == "all settings score the same"
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "pip install 'dlexp[search]'" in importance(many, [LR, REG], is_high_better=True).note

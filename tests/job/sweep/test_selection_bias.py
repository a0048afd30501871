"""What a winner is worth, from stored predictions."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dlexp.job.sweep.leaderboard import RankedSetting, RankedTrial
from dlexp.job.sweep.selection_bias import selection_bias
from dlexp.search.strategy import Proposal

NUM = 300


def ranked(folder, number, output, target, ids=None):
    folder = folder / str(number)
    (folder / "predictions").mkdir(parents=True)
    (folder / "predictions" / "val.npz").touch()
    arrays = {"id": np.arange(NUM) if ids is None else ids, "target": target, "output": output}
    kept = SimpleNamespace(path=folder, predictions=lambda _split: arrays)
    trial = SimpleNamespace(proposal=Proposal(number, {}), seed=None, id=str(number))
    value = float((output.argmax(axis=1) == target).mean()) if output.ndim == 2 else 0.0
    entry = RankedTrial(trial, SimpleNamespace(value=value, status="finished", folder=kept), 1)  # type: ignore[arg-type]
    return RankedSetting([entry], value, None)


@pytest.fixture
def equals(tmp_path):
    """Twenty classifiers that guess right on four of five examples, each on its own."""
    chance = np.random.default_rng(0)
    target = chance.integers(0, 3, NUM)
    found = []
    for number in range(20):
        output = chance.normal(size=(NUM, 3))
        right = chance.random(NUM) < 0.7
        output[right, target[right]] += 10
        found.append(ranked(tmp_path, number, output, target))
    return sorted(found, key=lambda s: -(s.value or 0))


def test_picking_among_equals_is_optimistic(equals):
    found: Any = selection_bias(equals, "val/accuracy")
    truth = 0.7 + 0.3 / 3
    assert found["picked_among"] == 20
    assert equals[0].value > truth + 0.02
    assert abs(found["corrected"] - truth) < 0.6 * (equals[0].value - truth)
    assert found["wins"] < 0.6
    assert selection_bias(equals, "val/accuracy") == found


def test_the_optimism_of_a_loss_makes_it_larger(equals):
    found: Any = selection_bias(equals, "val/log_loss")
    assert found["optimism"] >= 0
    assert found["corrected"] >= (equals[0].value or 0)


def test_unknown(equals, tmp_path):
    assert selection_bias(equals[:1], "val/accuracy") == {}
    assert selection_bias(equals, "val/f1_macro") == {}
    assert selection_bias(equals, "train/loss") == {}
    other = ranked(tmp_path, 99, np.zeros((NUM, 3)), np.zeros(NUM, dtype=int), ids=np.arange(NUM) + 1)
    assert selection_bias([*equals, other], "val/accuracy") == {}

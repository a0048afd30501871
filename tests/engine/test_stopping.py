"""Best epoch and early stopping."""

import math

import pytest

from dlexp.engine.stopping import Stopping


def test_best_epoch_of_a_metric_where_higher_is_better():
    stopping = Stopping(higher_is_better=True)
    assert [stopping.observe(v, e + 1) for e, v in enumerate([0.5, 0.7, 0.6, 0.7, 0.8])] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert (stopping.best, stopping.best_epoch, stopping.wait) == (0.8, 5, 0)


def test_patience_counts_epochs_without_improvement_by_more_than_min_delta():
    stopping = Stopping(higher_is_better=False, patience=2, min_delta=0.1)
    for epoch, value in enumerate([1.0, 0.95, 0.85], start=1):
        stopping.observe(value, epoch)
    assert stopping.best_epoch == 3  # 0.95 improves by too little, 0.85 by 0.15
    stopping.observe(0.84, 4)
    assert not stopping.is_over
    stopping.observe(0.80, 5)
    assert stopping.is_over


@pytest.mark.parametrize("higher", [True, False])
def test_nan_is_never_better_and_anything_is_better_than_nan(higher):
    stopping = Stopping(higher)
    stopping.observe(math.nan, 1)
    assert stopping.observe(0.3, 2)
    assert not stopping.observe(math.nan, 3)
    assert stopping.best_epoch == 2


def test_state_round_trip():
    stopping = Stopping(True, patience=3)
    for epoch, value in enumerate([0.1, 0.4, 0.2], start=1):
        stopping.observe(value, epoch)
    other = Stopping(True, patience=3)
    other.load(stopping.state())
    assert other == stopping

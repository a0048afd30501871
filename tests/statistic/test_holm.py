"""Holm's correction."""

import numpy as np

from dlexp.statistic.holm import holm


def test_equals_statsmodels():
    # statsmodels 0.15, multipletests(method="holm")
    assert np.allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02], atol=1e-15)


def test_one_alone_nan_and_bounds():
    assert holm(np.array([0.03])).tolist() == [0.03]
    assert holm(np.array([np.nan, 0.01])).tolist() == [1.0, 0.02]
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []


def test_any_false_alarm_is_as_rare_as_one():
    seed = 3
    print(f"seed {seed}")
    p = np.random.default_rng(seed).random((2000, 10))
    assert np.mean((p < 0.05).any(1)) > 0.35
    assert np.mean([(holm(row) < 0.05).any() for row in p]) < 0.066

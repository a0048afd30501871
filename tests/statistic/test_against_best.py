"""Comparisons with the best of several means: the t-test of two, Holm's correction of all pairs, few false alarms."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from dlexp.statistic import against_best
from dlexp.statistic.against_best import p_against_best
from dlexp.statistic.holm import holm


def two_sided(first, second) -> float:
    test: Any = stats.ttest_ind(first, second)
    return test.pvalue


def summarized(values_MS):
    order = np.argsort(-values_MS.mean(1), kind="stable")
    values_MS = values_MS[order]
    return values_MS, values_MS.mean(1), values_MS.var(1, ddof=1), np.full(len(values_MS), values_MS.shape[1])


def test_two_means_are_student_s_test():
    values_MS, *summary = summarized(np.random.default_rng(1).normal(size=(2, 4)))
    assert p_against_best(*summary) == pytest.approx([1, two_sided(*values_MS)])


def test_all_pairs_are_under_holm_s_correction():
    values_MS, *summary = summarized(np.random.default_rng(2).normal(size=(5, 3)) + np.array([[3, 2.5, 2, 0, 0]]).T)
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    adjusted = holm(np.array([two_sided(values_MS[i], values_MS[j]) for i, j in pairs]))
    assert p_against_best(*summary)[1:] == pytest.approx(adjusted[:4])


@pytest.mark.parametrize(("num", "seeds"), [(2, 3), (10, 3), (20, 5)])
def test_of_equal_settings_any_is_called_worse_in_few_searches(num, seeds):
    chance = np.random.default_rng(num)
    false = [(p_against_best(*summarized(chance.normal(size=(num, seeds)))[1:]) < 0.05).any() for _ in range(400)]
    # 0.05 and twice the standard error of a share of 400
    assert np.mean(false) < 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)


def test_what_has_no_spread_takes_that_of_all():
    means_M, variances_M, counts_M = np.array([0.9, 0.8, 0.7]), np.array([0.0, 0.0, 0.03]), np.array([2, 2, 2])
    plain = 2 * stats.t.sf(0.1 / np.sqrt(0.01 * (1 / 2 + 1 / 2)), 2)
    assert p_against_best(means_M, variances_M, counts_M)[1] >= plain > 0.05
    # without any spread at all a difference is one, and no difference none
    assert p_against_best(np.array([0.9, 0.9, 0.8]), np.zeros(3), counts_M).tolist() == [1, 1, 0]


def test_many_settings_are_corrected_by_the_number_of_pairs(monkeypatch):
    _, *summary = summarized(np.random.default_rng(3).normal(size=(6, 3)) + np.arange(6)[:, None])
    exact = p_against_best(*summary)
    monkeypatch.setattr(against_best, "MOST_PAIRS", 14)
    assert (p_against_best(*summary) >= exact - 1e-12).all()

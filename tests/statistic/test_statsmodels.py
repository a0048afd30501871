"""Holm, McNemar, sample sizes and the paired bootstrap's interval against statsmodels and scipy, on many examples."""

import math

import numpy as np
import pytest
from scipy import stats

from dlexp.statistic.bootstrap import examples_needed, interval, resample
from dlexp.statistic.holm import holm
from dlexp.statistic.mcnemar import FEW, mcnemar
from dlexp.statistic.t_test import differences_needed

pytestmark = pytest.mark.slow  # importing statsmodels takes seconds


def test_holm():
    from statsmodels.stats.multitest import multipletests

    for row in np.random.default_rng(0).random((200, 7)) ** 3:
        assert np.allclose(holm(row), np.asarray(multipletests(row, method="holm")[1]), atol=1e-14)


def test_mcnemar():
    from statsmodels.stats.contingency_tables import mcnemar as reference

    draw = np.random.default_rng(1)
    for num in (8, 30, 90, 400):
        for _ in range(50):
            a, b = draw.random((2, num)) < 0.7
            only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
            if only_a + only_b == 0:
                continue
            expected_test = reference([[0, only_a], [only_b, 0]], exact=only_a + only_b < FEW, correction=True)
            # its corrected statistic is (0 - 1)^2 / n where both err equally often
            expected = 1.0 if only_a == only_b else vars(expected_test)["pvalue"]
            assert mcnemar(a, b).p_value == pytest.approx(expected, rel=1e-9)


def test_differences_needed():
    from statsmodels.stats.power import TTestPower

    for effect in (0.2, 0.35, 0.5, 0.8, -1.2, 2.5):
        for level in (0.95, 0.99):
            expected = TTestPower().solve_power(abs(effect), alpha=1 - level, power=0.8)
            assert differences_needed(effect, 0.0, level=level) == max(2, math.ceil(expected))


def test_examples_needed():
    from statsmodels.stats.power import NormalIndPower

    # one sample: ratio 0 in statsmodels' words
    expected = NormalIndPower().solve_power(0.15, alpha=0.05, power=0.8, ratio=0)
    assert examples_needed(0.15, 1 / 10, 100) == pytest.approx(expected, abs=1.5)


def test_paired_bootstrap():
    a, b = np.random.default_rng(2).normal(size=(2, 80))
    expected = stats.bootstrap(
        (a, b),
        lambda x, y, axis: x.mean(axis) - y.mean(axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(3),
    )
    means = [lambda weights_BN, v=v: weights_BN @ v / 80 for v in (a, b)]
    values = resample(means, 80, generator=np.random.default_rng(4), draws=20_000)
    ends = np.quantile(values[:, 0] - values[:, 1], [0.025, 0.975])
    assert ends[0] == pytest.approx(expected.confidence_interval.low, abs=0.01)
    assert ends[1] == pytest.approx(expected.confidence_interval.high, abs=0.01)
    span = interval(float((a - b).mean()), values[:, 0] - values[:, 1], 80)
    # Student's form is that of the paired t-test
    student = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert span.low == pytest.approx(min(ends[0], student.low), abs=0.01)
    assert span.high == pytest.approx(max(ends[1], student.high), abs=0.01)
    assert span.standard_error == pytest.approx(expected.standard_error, rel=0.02)

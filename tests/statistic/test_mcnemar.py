"""McNemar's test: published numbers, its false alarms and its power."""

import numpy as np
import pytest
from scipy import stats

from dlexp.statistic.mcnemar import mcnemar


def answers(only_a: int, only_b: int, both: int = 7, neither: int = 3):
    a = np.repeat([True, False, True, False], [only_a, only_b, both, neither])
    b = np.repeat([False, True, True, False], [only_a, only_b, both, neither])
    return a, b


# p-values of statsmodels 0.15, contingency_tables.mcnemar(exact=n < 25, correction=True)
@pytest.mark.parametrize(
    ("only_a", "only_b", "p_value", "test"),
    [
        (10, 2, 0.03857421875, "McNemar, exact"),
        (5, 5, 1.0, "McNemar, exact"),
        (0, 0, 1.0, "McNemar, exact"),
        (12, 13, 1.0, "McNemar"),
        (30, 14, 0.023738515250054576, "McNemar"),
        (59, 6, 1.1199327149542469e-10, "McNemar"),
    ],
)
def test_equals_statsmodels(only_a, only_b, p_value, test):
    tested = mcnemar(*answers(only_a, only_b))
    assert (tested.only_a, tested.only_b, tested.test) == (only_a, only_b, test)
    assert tested.p_value == pytest.approx(p_value, rel=1e-9)
    turned = mcnemar(*answers(only_b, only_a))
    assert turned.p_value == pytest.approx(p_value, rel=1e-9)
    assert turned.effect == pytest.approx(-tested.effect)


def test_exact_form_is_scipys_binomial_test():
    for only_a in range(1, 24):
        tested = mcnemar(*answers(only_a, 24 - only_a))
        assert tested.p_value == pytest.approx(stats.binomtest(only_a, 24).pvalue, rel=1e-9)


def rejections(seed: int, num: int, accuracy_a: float, accuracy_b: float, draws: int = 2000) -> float:
    print(f"seed {seed}")
    draw = np.random.default_rng(seed)
    a, b = draw.random((draws, num)) < accuracy_a, draw.random((draws, num)) < accuracy_b
    return float(np.mean([mcnemar(*pair).p_value < 0.05 for pair in zip(a, b, strict=True)]))


@pytest.mark.parametrize("num", [60, 400])
def test_false_alarms_stay_within_the_level(num):
    # 2,000 draws at 5 %: 3.3 standard errors above is 6.6 %
    assert rejections(num, num, 0.9, 0.9) < 0.066


def test_power_rises_with_the_difference():
    rates = [rejections(1, 300, 0.85, 0.85 + gap, 500) for gap in (0.0, 0.05, 0.1)]
    assert rates[0] < 0.1 < rates[1] < 0.8 < rates[2]

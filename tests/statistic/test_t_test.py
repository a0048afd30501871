"""Student's t over folds: scipy, hand arithmetic, false alarms where the uncorrected test fails, power."""

import math

import numpy as np
import pytest
from scipy import stats

from dlexp.statistic.t_test import corrected_t_test, differences_needed

VALUES = np.array([0.3, -0.1, 0.5, 0.7, 0.2, 0.4, -0.2, 0.35])


def test_without_correction_it_is_scipys():
    test, expected = corrected_t_test(VALUES, 0.0), stats.ttest_1samp(VALUES, 0)
    assert test.p_value == pytest.approx(expected[1], rel=1e-12)
    interval = expected.confidence_interval(0.95)
    assert (test.low, test.high) == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert test.effect == pytest.approx(VALUES.mean() / VALUES.std(ddof=1))


def test_correction_by_hand():
    # five folds: differences 1, 2, 3, 4, 5; s^2 = 2.5; variance 2.5 (1/5 + 1/4) = 1.125; t = 3 / 1.06066 = 2.82843
    test = corrected_t_test(np.arange(1.0, 6.0), 1 / 4)
    assert test.p_value == pytest.approx(2 * stats.t.sf(math.sqrt(8), 4), rel=1e-12)
    # t_4 quantile 0.975 is 2.776445 in any table
    assert test.high == pytest.approx(3 + 2.776445 * math.sqrt(1.125), abs=1e-6)
    assert test.low == pytest.approx(3 - 2.776445 * math.sqrt(1.125), abs=1e-6)


def test_guards():
    assert corrected_t_test(np.zeros(5), 0.25).p_value == 1
    equal = corrected_t_test(np.full(5, 0.1), 0.25)
    assert math.isnan(equal.p_value)
    assert math.isnan(equal.low)
    assert equal.mean == pytest.approx(0.1)
    with pytest.raises(ValueError, match="at least two"):
        corrected_t_test(np.array([1.0]), 0.25)


@pytest.mark.parametrize("unit", [1e-15, 1e-9, 1e9])
def test_the_unit_of_the_values_changes_neither_p_nor_effect(unit):
    test, scaled = corrected_t_test(VALUES, 0.25), corrected_t_test(VALUES * unit, 0.25)
    assert (scaled.p_value, scaled.effect) == pytest.approx((test.p_value, test.effect), rel=1e-9)
    ends = [test.mean * unit, test.low * unit, test.high * unit]
    assert [scaled.mean, scaled.low, scaled.high] == pytest.approx(ends, rel=1e-9)
    assert math.isnan(corrected_t_test(np.full(5, 0.1 * unit), 0.25).p_value)


def test_what_is_the_rounding_of_large_values_is_no_difference_and_no_spread():
    noise = np.array([1.1e-13, 2.2e-13, 1.1e-13, 2.2e-13, 1.1e-13])
    assert corrected_t_test(noise, 0.25).p_value < 0.05
    assert corrected_t_test(noise, 0.25, rounding=1e-12).p_value == 1
    assert math.isnan(corrected_t_test(1e-4 + noise, 0.25, rounding=1e-12).p_value)


def test_differences_that_cancel_have_a_mean_of_zero():
    a, b = np.array([22, 30, 27, 21, 28]) / 36, np.array([29, 21, 25, 30, 23]) / 36
    assert 0 < abs((a - b).mean()) < 1e-15
    for differences in (a - b, b - a):
        test = corrected_t_test(differences, 0.25, rounding=1e-12)
        assert (test.mean, test.p_value, test.effect, test.low) == (0, 1, 0, -test.high)


def repeated_folds(seed: int, gap: float, draws: int, k: int = 5, repeats: int = 10, num: int = 60):
    """Differences of two learners by fold, 2,000 data sets at once.

    Each learner predicts a Gaussian's mean, one from the odd and one from the even training rows, so both are equally
    good on average and their errors depend on the training part that the folds share. `gap` worsens the first.
    """
    print(f"seed {seed}")
    draw = np.random.default_rng(seed)
    data = draw.normal(size=(draws, num, 2))
    differences = []
    for _ in range(repeats):
        folds = draw.permutation(num).reshape(k, -1)
        for fold in folds:
            train = np.setdiff1d(np.arange(num), fold)
            means = data[:, train].mean(1, keepdims=True)
            error = (data[:, fold] - means) ** 2
            differences.append((error[..., 0] - error[..., 1]).mean(1) + gap)
    return np.stack(differences, 1)


def rejections(values: np.ndarray, ratio: float) -> float:
    return float(np.mean([corrected_t_test(row, ratio).p_value < 0.05 for row in values]))


def test_false_alarms_where_the_plain_test_cries_wolf():
    values = repeated_folds(5, 0.0, 2000)
    corrected, plain = rejections(values, 1 / 4), rejections(values, 0.0)
    print(f"corrected {corrected:.3f}, plain {plain:.3f}")
    assert corrected < 0.066
    assert plain > 0.2


def test_power_rises_with_the_difference():
    rates = [rejections(repeated_folds(6, gap, 300, repeats=2), 1 / 4) for gap in (0.0, 0.5, 1.0)]
    assert rates[0] < 0.08 < rates[1] < rates[2]
    assert rates[2] > 0.7


def test_differences_needed():
    # statsmodels 0.15, TTestPower().solve_power(0.5, alpha=0.05, power=0.8) = 33.37 and 7.59 for 1.2
    assert differences_needed(0.5, 0.0) == 34
    assert differences_needed(-1.2, 0.0) == 8
    assert differences_needed(0.0, 0.0) is None
    assert differences_needed(math.nan, 0.25) is None
    # with the floor of 1/4 the largest t is effect / 0.5, which 0.5 never brings to 1.96
    assert differences_needed(0.5, 0.25) is None
    assert differences_needed(2.0, 0.25) == 9


@pytest.mark.parametrize(("effect", "ratio"), [(0.8, 0.0), (1.5, 1 / 4)])
def test_as_many_differences_as_stated_have_the_power_stated(effect, ratio):
    """Differences around `effect` whose shared part has the variance that the correction allows for."""
    seed = 41
    print(f"seed {seed}")
    num = differences_needed(effect, ratio)
    assert num is not None
    draw = np.random.default_rng(seed)
    values = effect + draw.normal(size=(2000, num)) + math.sqrt(ratio) * draw.normal(size=(2000, 1))
    power = rejections(values, ratio)
    print(f"{num} differences, power {power:.3f}")
    assert 0.77 < power < 0.83
    assert rejections(values[:, : num // 2], ratio) < power


def test_corrected_interval_covers():
    values = repeated_folds(8, 0.3, 2000, repeats=2)
    spans = [corrected_t_test(row, 1 / 4) for row in values]
    covers = np.mean([span.low <= 0.3 <= span.high for span in spans])
    print(f"coverage {covers:.3f}")
    assert covers > 0.934

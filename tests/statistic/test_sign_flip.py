"""The sign-flip test: scipy's permutation test, the smallest p, false alarms and power."""

import numpy as np
import pytest
from scipy import stats

from dlexp.statistic.sign_flip import fewest, sign_flip


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("num", [5, 8, 11])
def test_equals_scipy(num):
    values = drawn(num).normal(0.4, 1.0, num)
    expected = stats.permutation_test(
        (values, np.zeros(num)), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=2**num
    )
    flips = sign_flip(values, generator=drawn(0))
    assert flips.p_value == pytest.approx(expected.pvalue, rel=1e-12)
    assert (flips.smallest_p, flips.is_exact) == (2 / 2**num, True)


@pytest.mark.parametrize("num", [1, 5, 6])
def test_smallest_p_is_reached_by_equal_signs(num):
    flips = sign_flip(np.full(num, 0.1), generator=drawn(0))
    assert flips.p_value == flips.smallest_p == 2 / 2**num


def test_fewest_differences_that_can_tell():
    # 2 / 2^6 = 0.031 < 0.05; 2 / 2^9 = 0.0039 < 0.05 / 10, 2 / 2^8 = 0.0078 is not
    assert fewest() == 6
    assert fewest(1 - 0.05 / 10) == 9


def test_nothing_differs():
    assert sign_flip(np.zeros(5), generator=drawn(0)).p_value == 1
    assert sign_flip(np.zeros(30), generator=drawn(0), draws=200).p_value == 1
    with pytest.raises(ValueError, match="at least one"):
        sign_flip(np.zeros(0), generator=drawn(0))


def test_drawn_signs_approach_all_signs():
    values = drawn(4).normal(0.4, 1.0, 16)
    exact = sign_flip(values, generator=drawn(0)).p_value
    # a seventeenth difference of zero changes no sum: the same p, now from drawn signs
    flips = sign_flip(np.append(values, 0.0), generator=drawn(1), draws=20_000)
    assert not flips.is_exact
    assert flips.p_value == pytest.approx(exact, abs=0.012)


def rejections(seed: int, gap: float, draws: int, num: int = 8) -> float:
    print(f"seed {seed}")
    rows = drawn(seed).normal(gap, 1.0, (draws, num))
    return sum(sign_flip(row, generator=drawn(0)).p_value < 0.05 for row in rows) / draws


def test_false_alarms_and_power():
    assert rejections(5, 0.0, 2000) < 0.066
    rates = [rejections(6, gap, 200) for gap in (0.3, 0.8, 1.5)]
    assert rates[0] < rates[1] < rates[2]
    assert rates[2] > 0.85


def test_false_alarms_of_skewed_differences_of_two_alike():
    # differences of two draws of one law are symmetric about zero, whatever that law
    print("seed 7")
    rows = drawn(7).exponential(size=(2000, 7, 2))
    rejected = [sign_flip(row[:, 0] - row[:, 1], generator=drawn(0)).p_value < 0.05 for row in rows]
    assert np.mean(rejected) < 0.066

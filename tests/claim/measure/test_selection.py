"""Selection: the expected maximum of binomials, and no difference where there can be none."""

import numpy as np
import pytest
from scipy import stats

from dlexp.claim.measure.selection import flattery, grid_regret


def test_flattery_is_the_expected_maximum_of_binomials():
    # E[max] = sum over k of 1 - F(k)^T
    counts = np.arange(361)
    expected = (1 - stats.binom.cdf(counts, 360, 0.9) ** 20).sum() / 360 - 0.9
    seen = [flattery(seed, trials=20) for seed in range(20)]
    assert np.mean(seen) == pytest.approx(expected, abs=float(4 * np.std(seen, ddof=1) / 20**0.5))


def test_one_trial_flatters_nobody():
    seen = [flattery(seed, trials=1) for seed in range(20)]
    assert abs(np.mean(seen)) < 4 * np.std(seen, ddof=1) / 20**0.5


def test_dimensions_that_do_not_matter_make_no_difference():
    assert grid_regret(0, 3, [0.0, 0.0]) == 0.0

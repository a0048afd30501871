"""Which means cannot be told from the best of them. Shapes: M settings."""

import numpy as np

from dlexp.statistic.holm import holm
from dlexp.statistic.spread import EQUAL

MOST_PAIRS = 500_000  # of more, Bonferroni's correction stands for Holm's, which is never smaller


def p_against_best(means_M: np.ndarray, variances_M: np.ndarray, counts_M: np.ndarray) -> np.ndarray:
    """Return corrected p-values (M,) that a mean equals the first, where the first is the best of all; its own is 1.

    Student's t-test of each pair with the variance pooled over the two: seeds of bad settings scatter more and say
    nothing about good ones. Whoever compares with the best has picked from all M (M - 1) / 2 pairs, so all of them are
    under Holm's correction: of M equal settings, any is called worse in at most 5 % of searches at the level 0.05
    (simulated at 2 to 20 settings over 2 to 10 seeds). A pair without any spread takes the mean variance of all.

    Args:
        means_M: Of each setting over its seeds.
        variances_M: Unbiased, of its seeds.
        counts_M: Seeds, >= 2.
    """
    num = len(means_M)
    if num < 2:
        return np.ones(num)
    num_pairs = num * (num - 1) // 2
    first, second = np.triu_indices(num, 1) if num_pairs <= MOST_PAIRS else (np.zeros(num - 1, int), np.arange(1, num))
    p_values = _t_test(means_M, variances_M, counts_M, first, second)
    # the pairs with the first come first
    adjusted = (
        holm(p_values)[: num - 1]
        if len(p_values) == num_pairs
        else np.minimum(np.nan_to_num(p_values, nan=1.0) * num_pairs, 1)
    )
    return np.concatenate([[1.0], adjusted])


def _t_test(
    means_M: np.ndarray, variances_M: np.ndarray, counts_M: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Return the two-sided p of each pair."""
    from scipy.stats import t

    degrees = counts_M[first] + counts_M[second] - 2
    squares_M = variances_M * (counts_M - 1)
    pooled = (squares_M[first] + squares_M[second]) / degrees
    pooled = np.where(pooled > 0, pooled, variances_M.mean())
    spread = np.sqrt(pooled * (1 / counts_M[first] + 1 / counts_M[second]))
    difference = np.abs(means_M[first] - means_M[second])
    difference[difference <= EQUAL * np.abs(means_M).max()] = 0.0  # of rounding
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2 * t.sf(difference / spread, degrees)  # NaN, which Holm counts as 1, where nothing differs at all
